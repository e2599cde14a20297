"""An investigation as a page and as files of pictures."""

from __future__ import annotations

import io
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from diagnostics.probes.outcome import Investigation

PIXELS_PER_INCH = 160


def to_html(report: Investigation) -> str:
    """Return the page of the report, led by its paragraph and the experiment drawn."""
    from diagnostics import render

    figure = ""
    if report.subject is not None:
        svg = to_bytes(report.figure(), "svg").decode("utf-8")
        name = escape(report.primary.code if report.primary else "nothing found")
        figure = (
            f'<figure role="img" aria-label="The experiment that decided: {name}.">\n'
            f"{svg[svg.index('<svg') :]}\n</figure>\n"
        )
    heading, end, rest = render.to_html(report).partition("</h1>")
    return f"{heading}{end}\n<p>{escape(report.paragraph)}</p>\n{figure}{rest}"


def to_bytes(figure: Figure, file_format: str) -> bytes:
    """Return a figure as PNG or SVG: no date and a fixed salt, equal figures give equal files."""
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "diagnostics"}):
        metadata = {"Date": None} if file_format == "svg" else None
        figure.savefig(buffer, format=file_format, dpi=PIXELS_PER_INCH, metadata=metadata)
    return buffer.getvalue()
