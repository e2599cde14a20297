"""What reports share: text, JSON, pages and pictures."""

from __future__ import annotations

import io
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnostics.finding import format_number
from gradcheck_arguments import NonNegativeInt, checked

if TYPE_CHECKING:
    import jinja2
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 160


class Document(ABC):
    """What can be shown as text, JSON, a page or a picture, and saved as any of these."""

    @property
    @abstractmethod
    def ok(self) -> bool:
        """Whether nothing of severity ``problem`` was found."""

    def __bool__(self) -> bool:
        """Return `ok`."""
        return self.ok

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return plain values only, ready for JSON."""

    @abstractmethod
    def _to_html(self) -> str:
        """One self-contained page."""

    @abstractmethod
    def _to_image(self, file_format: str) -> bytes:
        """The picture, as PNG or SVG."""

    @checked
    def to_json(self, *, indent: NonNegativeInt | None = 2) -> str:
        """Return everything as strict JSON; numbers that are not finite become null."""
        return json.dumps(finite_only(self.to_dict()), indent=indent, allow_nan=False)

    @checked
    def save(self, path: str | Path) -> Path:
        """Write as the ending says: ``.html``, ``.json``, ``.png``, ``.svg``, ``.txt``.

        Parameters
        ----------
        path
            Where to write. Pictures need something to draw: a history, or an experiment.

        Returns
        -------
        pathlib.Path
            The path written.

        Raises
        ------
        ValueError
            The ending is unknown, or a picture is asked where there is nothing to draw.
        """
        path = Path(path)
        makers: dict[str, Callable[[], str | bytes]] = {
            ".html": self._to_html,
            ".json": lambda: self.to_json() + "\n",
            ".txt": lambda: f"{self}\n",
            ".png": lambda: self._to_image("png"),
            ".svg": lambda: self._to_image("svg"),
        }
        make = makers.get(path.suffix.lower())
        if make is None:
            raise ValueError(f"cannot save as {path.name!r}: use one of {', '.join(makers)}")
        content = make()
        write_whole(path, content.encode("utf-8") if isinstance(content, str) else content)
        return path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside the one of this name, which it replaces when nothing is missing."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


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
def template(name: str) -> jinja2.Template:
    """Return a template of the folder ``templates``, which escapes everything."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("diagnostics.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = format_number
    return environment.get_template(name)


def finite_only(value: Any) -> Any:
    """Replace numbers that JSON cannot hold."""
    if isinstance(value, dict):
        return {key: finite_only(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite_only(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
