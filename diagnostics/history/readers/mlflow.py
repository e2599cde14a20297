"""A metric file of an MLflow file store: ``timestamp value step`` in each line."""

from __future__ import annotations

import re

from diagnostics.history.readers.source import Reader, Source
from diagnostics.history.table import Table, from_records

# Milliseconds since 1970 have 13 digits from 2001 to 2286.
_LINE = re.compile(r"\d{13} \S+ -?\d+")


def _recognises(source: Source) -> bool:
    return not source.is_binary and bool(_LINE.fullmatch(source.head.partition("\n")[0].strip()))


def read(source: Source) -> Table:
    """Return the metric, named as its file, by step."""
    name, numbered = source.path.name, []
    for number, line in enumerate(source.text.splitlines(), start=1):
        cells = line.split()
        if cells:
            value, step = (*cells[1:3], "", "")[:2]
            numbered.append((number, {"step": step, name: value}))
    # Without a step every line says 0: the order of the lines is all there is.
    if all(row["step"] in ("0", "") for _, row in numbered):
        for row_number, (_, row) in enumerate(numbered):
            row["step"] = str(row_number)
    return from_records([row for _, row in numbered], [number for number, _ in numbered])


READER = Reader("MLflow metric", _recognises, read)
