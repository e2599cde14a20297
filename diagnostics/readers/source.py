"""A file about to be recognised: its bytes, and its text or JSON if it is that."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

# How much of the text is looked at to recognise a format.
HEAD_LENGTH = 4096


@dataclass
class Source:
    """The content of one file, decoded at most once however many readers look at it."""

    path: Path
    data: bytes

    @cached_property
    def text(self) -> str:
        """The content as text: UTF-8 or UTF-16 with a byte order mark, else UTF-8, else Latin-1."""
        if self.data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return self.data.decode("utf-16", errors="replace")
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self.data.decode("latin-1")

    @cached_property
    def head(self) -> str:
        """The beginning of the text, without leading blank space."""
        return self.text[:HEAD_LENGTH].lstrip()

    @cached_property
    def is_binary(self) -> bool:
        """Whether this is no text: a zero byte near the beginning, and no byte order mark."""
        return b"\0" in self.data[:1024] and not self.data.startswith((b"\xff\xfe", b"\xfe\xff"))

    @cached_property
    def json(self) -> Any:
        """The content parsed as one JSON value (bare NaN and Infinity included), else None."""
        if self.is_binary or not self.head.startswith(("{", "[")):
            return None
        try:
            return json.loads(self.text)
        except ValueError:
            return None
