"""A file about to be recognised, its bytes, text or JSON; and what a reader of one format is."""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from diagnostics.history.readers.damaged_files import read_damaged
from diagnostics.history.table import Problem, Table

# What a compressed log may take unpacked: a hundred million rows are no curve to look at.
MOST_BYTES = 1 << 30

# How much of the text is looked at to recognise a format.
HEAD_LENGTH = 4096
MOST_LINES = 20
GZIP, UTF16 = b"\x1f\x8b", (b"\xff\xfe", b"\xfe\xff")
# Characters that no text has: tabs, ends of lines, deletions and colours of a terminal are none.
CONTROL = re.compile(rb"[\x01-\x07\x0e-\x1a\x1c-\x1f]")
# A dictionary or a list of them at the beginning of a line, also where a name stands before it:
# ``history = {...}``.
_VALUE = re.compile(
    r"""^[ \t>]*(?:[A-Za-z_][\w.]*\s*[=:]\s*)?(?=\{\s*["'}]|\[\s*\{)""", re.MULTILINE
)


@dataclass
class Source:
    """The content of one file, decoded at most once however many readers look at it."""

    path: Path
    data: bytes
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.data.startswith(GZIP):
            self.data = _unpacked(self.data, self.path.name)
        zero = self.data.find(b"\0") if self._is_text_with_holes() else -1
        if zero >= 0:
            line = self.data.count(b"\n", 0, zero) + 1
            count = self.data.count(b"\0")
            self.problems.append(Problem(f"{count} zero bytes were left out", line))
            self.data = self.data.replace(b"\0", b"")

    def _is_text_with_holes(self) -> bool:
        """Whether zero bytes, as a full disk leaves them, stand in what is text otherwise."""
        if self.data.startswith(UTF16):
            return False
        head = self.data[:HEAD_LENGTH].replace(b"\0", b"")
        return bool(head.strip()) and not CONTROL.search(head)

    @cached_property
    def text(self) -> str:
        """The content as text: UTF-8 or UTF-16 with a byte order mark, else UTF-8, else Latin-1."""
        if self.data.startswith(UTF16):
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
        return b"\0" in self.data[:1024] and not self.data.startswith(UTF16)

    @cached_property
    def has_records(self) -> bool:
        """Whether one of the first lines is a record by itself: a dictionary of single values."""
        return any(read_record(line) for line in self.head.splitlines()[:MOST_LINES])

    @cached_property
    def json(self) -> Any:
        """The content as one JSON value or printed Python value, else None.

        What is damaged is read up to the damage, which becomes one of the `problems`.
        """
        start = None if self.is_binary else _VALUE.search(self.head)
        if start is None:
            return None
        at = len(self.text) - len(self.text.lstrip()) + start.end()
        try:
            return json.loads(self.text[at:])
        except ValueError:
            if self.has_records:
                return None
        value, problems = read_damaged(self.text, at)
        if not value:
            return None
        before = self.text[:at].strip().splitlines()
        if len(before) > 1 or (before and not before[0].endswith(("=", ":"))):
            problems.insert(0, Problem("the text before the first dictionary was left out", 1))
        self.problems += problems
        return value


def _unpacked(data: bytes, name: str) -> bytes:
    """Return what was compressed; of what takes more memory than a log does, nothing."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            unpacked = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{name}: compressed, and damaged: {error}") from error
    if len(unpacked) > MOST_BYTES:
        raise ValueError(
            f"{name}: more than {MOST_BYTES >> 20} MiB when unpacked; give a part of it, unpacked"
        )
    return unpacked


@dataclass(frozen=True)
class Reader:
    """A format: its name, how to recognise it by content, and how to read it."""

    name: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], Table]


def read_record(line: str) -> dict[str, Any] | None:
    """Return the dictionary of single values that a line is, in JSON or as Python prints it."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        record, problems = read_damaged(line)
        if problems:
            return None
    if not isinstance(record, dict) or all(isinstance(v, list) for v in record.values()):
        return None
    return record
