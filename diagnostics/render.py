"""A report as HTML and as pictures."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

from diagnostics.finding import format_number

if TYPE_CHECKING:
    import jinja2

    from diagnostics.report import Report

PIXELS_PER_INCH = 160


def to_html(report: Report) -> str:
    """Return one self-contained page: no scripts, no links, picture inline."""
    return _template("report.html.j2").render(report=report, picture=_inline_picture(report))


def to_html_fragment(report: Report) -> str:
    """Return the findings alone, for notebooks."""
    return _template("findings.html.j2").render(report=report)


def to_image(report: Report, file_format: str) -> bytes:
    """Return the run with its findings drawn, as PNG or SVG.

    Raises
    ------
    ValueError
        The report has no history to draw.
    """
    if report.history is None:
        raise ValueError("this report has no history to draw: pass history= to investigate()")
    import matplotlib as mpl

    from diagnostics.plots import plot_history

    figure = plot_history(report.history, report.findings)
    buffer = io.BytesIO()
    # No date and a fixed salt: the same report gives the same file.
    with mpl.rc_context({"svg.hashsalt": "diagnostics"}):
        metadata = {"Date": None} if file_format == "svg" else None
        figure.savefig(buffer, format=file_format, dpi=PIXELS_PER_INCH, metadata=metadata)
    return buffer.getvalue()


def _inline_picture(report: Report) -> str:
    """The picture as an ``<svg>`` element, empty without a history."""
    if report.history is None:
        return ""
    svg = to_image(report, "svg").decode("utf-8")
    return svg[svg.index("<svg") :]


@cache
def _environment() -> jinja2.Environment:
    """Templates with escaping switched on for everything."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("diagnostics"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = format_number
    return environment


def _template(name: str) -> jinja2.Template:
    return _environment().get_template(name)
