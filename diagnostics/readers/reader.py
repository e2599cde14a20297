"""What a reader of one format is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diagnostics.readers.source import Source
from diagnostics.table import Table


@dataclass(frozen=True)
class Reader:
    """A format: its name, how to recognise it by content, and how to read it."""

    name: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], Table]
