"""A report as HTML and as pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from diagnostics.finding import format_number
from diagnostics.report.data import Findings

if TYPE_CHECKING:
    import jinja2
    from matplotlib.figure import Figure

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


def to_html(report: Findings) -> str:
    """Return one self-contained page: no scripts, no links, picture inline."""
    picture = inline(to_image(report, "svg")) if report.history is not None else ""
    return template("report.html.j2").render(report=report, picture=picture)


def to_html_fragment(report: Findings) -> str:
    """Return the findings alone, for notebooks."""
    return template("findings.html.j2").render(report=report)


def to_image(report: Findings, file_format: str) -> bytes:
    """Return the run with its findings drawn, as PNG or SVG.

    Raises
    ------
    ValueError
        The report has no history to draw.
    """
    if report.history is None:
        raise ValueError("this report has no history to draw: pass history= to investigate()")
    from diagnostics.report.plots import plot_history

    return figure_to_bytes(plot_history(report.history, report.findings), file_format)


def figure_to_bytes(figure: Figure, file_format: str) -> bytes:
    """Return a figure as a file: without date, so that equal figures give equal files."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "diagnostics"}):
        metadata = {"Date": None} if file_format == "svg" else None
        figure.savefig(buffer, format=file_format, dpi=PIXELS_PER_INCH, metadata=metadata)
    return buffer.getvalue()


def inline(svg: bytes) -> str:
    """Return the ``<svg>`` element of a file, to stand within a page."""
    text = svg.decode("utf-8")
    return text[text.index("<svg") :]


@cache
def _environment() -> jinja2.Environment:
    """Templates with escaping switched on for everything."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("diagnostics.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = format_number
    return environment


def template(name: str) -> jinja2.Template:
    """Return a template of the folder ``templates``."""
    return _environment().get_template(name)
