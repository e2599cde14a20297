"""The demonstration as one self-contained HTML page."""

from __future__ import annotations

import base64
from importlib import resources
from pathlib import Path

from gradcheck.demo.examination import Examination


def to_html(asked: Examination, corrected: Examination, picture: Path, caption: str) -> str:
    """Return the page; the picture is embedded, nothing is fetched from elsewhere."""
    from jinja2 import Environment

    template = resources.files("gradcheck.demo").joinpath("page.html.j2").read_text("utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        asked=asked,
        corrected=corrected,
        caption=caption,
        picture=base64.b64encode(picture.read_bytes()).decode("ascii"),
    )
