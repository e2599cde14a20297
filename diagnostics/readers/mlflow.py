"""A metric file of an MLflow file store: ``timestamp value step`` in each line."""

from __future__ import annotations

import re

import numpy as np

from diagnostics.readers.reader import Reader
from diagnostics.readers.source import Source
from diagnostics.table import Table

# Milliseconds since 1970 have 13 digits from 2001 to 2286.
_LINE = re.compile(r"\d{13} \S+ -?\d+")


def _recognises(source: Source) -> bool:
    return not source.is_binary and bool(_LINE.fullmatch(source.head.partition("\n")[0].strip()))


def read(source: Source) -> Table:
    """Return the metric, named as its file, by step."""
    rows = np.array([line.split() for line in source.text.splitlines() if line.strip()])
    values, steps = rows[:, 1].astype(np.float64), rows[:, 2].astype(np.float64)
    table = Table()
    # Without a step every line says 0: the order of the lines is all there is.
    table.add("step", steps if steps.any() else np.arange(len(values), dtype=np.float64))
    table.add(source.path.name, values)
    return table


READER = Reader("MLflow metric", _recognises, read)
