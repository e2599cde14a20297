"""A report as a page of its own, and as a fragment for notebooks."""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING

from gradcheck.report.contract import contract_of, note_lines
from gradcheck.report.data import Verdict
from gradcheck.report.headline import summarize
from gradcheck.report.tables import tables

if TYPE_CHECKING:
    import jinja2

    from gradcheck.report.outcome import Outcome


def to_html(report: Outcome) -> str:
    """Return one page that needs no network, no script and no other file."""
    return _rendered("page.html.j2", report, picture=True)


def to_fragment(report: Outcome) -> str:
    """Return the report for a notebook's cell; the picture only where something is wrong."""
    return _rendered("fragment.html.j2", report, picture=report.verdict is Verdict.FAIL)


def _rendered(template: str, report: Outcome, *, picture: bool) -> str:
    return (
        _environment()
        .get_template(template)
        .render(
            summary=summarize(report),
            tables=tables(report),
            contract=contract_of(report),
            notes=note_lines(report),
            picture=_data_uri(report) if picture else "",
        )
    )


def _data_uri(report: Outcome) -> str:
    from gradcheck.report.plots.figure import to_image

    return f"data:image/png;base64,{base64.b64encode(to_image(report, 'png')).decode()}"


@cache
def _environment() -> jinja2.Environment:
    """Templates in which every name is escaped: names are the user's, and may hold anything."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("gradcheck.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
