"""What a reader of one format is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diagnostics.history.readers.source import Source
from diagnostics.history.table import Table


@dataclass(frozen=True)
class Reader:
    """A format: its name, how to recognise it by content, and how to read it."""

    name: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], Table]
