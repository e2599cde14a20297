"""Lists by name, as a script holds or prints them: ``train_losses = [0.69, 0.5]``."""

from __future__ import annotations

import re

from diagnostics.history.readers.damaged_files import read_first
from diagnostics.history.readers.source import Reader, Source
from diagnostics.history.table import Table, from_columns

_ASSIGNMENT = re.compile(
    r"^[ \t>]*([A-Za-z_][\w ./()%-]{0,40}?)\s*[=:]\s*"
    r"(?=(?:[a-z.]*(?:array|tensor)\(\s*)?\[\s*[-+.\dnN][^\]\[]*,)",
    re.MULTILINE,
)


def _recognises(source: Source) -> bool:
    return not source.is_binary and _ASSIGNMENT.search(source.head) is not None


def read(source: Source) -> Table:
    """Return one column for each list of numbers."""
    columns, problems = {}, []
    for match in _ASSIGNMENT.finditer(source.text):
        columns[match[1].strip()], faults = read_first(source.text, match.end())
        problems += faults
    table = from_columns(columns)
    table.problems[:0] = problems
    return table


READER = Reader("lists by name", _recognises, read)
