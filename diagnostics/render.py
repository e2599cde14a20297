"""A report as HTML and as pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from diagnostics.finding import format_number

if TYPE_CHECKING:
    import jinja2
    from matplotlib.figure import Figure

    from diagnostics.comparison import Comparison
    from diagnostics.probes.outcome import Investigation
    from diagnostics.report import Report

PIXELS_PER_INCH = 160


def write(
    path: Path,
    *,
    html: Callable[[], str],
    image: Callable[[str], bytes],
    json: Callable[[], str],
    text: Callable[[], str],
) -> Path:
    """Write a file in the format of its ending, and return its path.

    Raises
    ------
    ValueError
        The ending is unknown.
    """
    makers: dict[str, Callable[[], str | bytes]] = {
        ".html": html,
        ".json": lambda: json() + "\n",
        ".txt": lambda: text() + "\n",
        ".png": lambda: image("png"),
        ".svg": lambda: image("svg"),
    }
    make = makers.get(path.suffix.lower())
    if make is None:
        raise ValueError(f"cannot save as {path.name!r}: use one of {', '.join(makers)}")
    content = make()
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def to_html(report: Report) -> str:
    """Return one self-contained page: no scripts, no links, picture inline."""
    picture = _inline(to_image(report, "svg")) if report.history is not None else ""
    return _template("report.html.j2").render(report=report, picture=picture)


def investigation_to_html(investigation: Investigation, experiment: Figure | None) -> str:
    """Return the page of a report that begins with the deciding experiment."""
    history = investigation.history
    return _template("investigation.html.j2").render(
        report=investigation,
        experiment=_inline(figure_to_bytes(experiment, "svg")) if experiment is not None else "",
        picture=_inline(to_image(investigation, "svg")) if history is not None else "",
    )


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
    from diagnostics.plots import plot_history

    return figure_to_bytes(plot_history(report.history, report.findings), file_format)


def comparison_to_html(comparison: Comparison) -> str:
    """Return one self-contained page: the table of the runs, their picture, their findings."""
    from diagnostics.comparison import HEADER

    picture = _inline(comparison_to_image(comparison, "svg"))
    return _template("comparison.html.j2").render(
        comparison=comparison, header=HEADER, picture=picture
    )


def comparison_to_image(comparison: Comparison, file_format: str) -> bytes:
    """Return the runs side by side with their findings, as PNG or SVG."""
    from diagnostics.plots import compare_histories

    findings = {name: report.findings for name, report in comparison.reports.items()}
    return figure_to_bytes(compare_histories(comparison.histories, findings), file_format)


def figure_to_bytes(figure: Figure, file_format: str) -> bytes:
    """Return a figure as a file: without date, so that equal figures give equal files."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "diagnostics"}):
        metadata = {"Date": None} if file_format == "svg" else None
        figure.savefig(buffer, format=file_format, dpi=PIXELS_PER_INCH, metadata=metadata)
    return buffer.getvalue()


def _inline(svg: bytes) -> str:
    """The ``<svg>`` element of a file."""
    text = svg.decode("utf-8")
    return text[text.index("<svg") :]


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
