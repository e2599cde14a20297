"""A folder that a logger wrote: one log in it, or one file for each metric or data set."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from diagnostics.table import Floats, Table

# What loggers call their one log, the likeliest first.
LOGS = ("metrics.csv", "results.csv", "trainer_state.json", "history.json", "history.csv")
SPLITS = ("**/*.tfevents.*", "metrics/*", "*")
MOST_FILES = 200


def read_folder(path: Path, read_file: Callable[[Path], Table]) -> Table:
    """Return the log found in a folder.

    Raises
    ------
    ValueError
        No log was found in it.
    """
    for name in LOGS:
        if (path / name).is_file():
            return read_file(path / name)
    for pattern in SPLITS:
        tables = list(_readable(sorted(path.glob(pattern))[:MOST_FILES], read_file))
        if tables:
            return _joined(tables)
    raise ValueError(f"{path.name}: no training log in this folder; expected {', '.join(LOGS)}")


def _readable(paths: Iterable[Path], read_file: Callable[[Path], Table]) -> Iterable[Table]:
    """The tables of those files that are logs."""
    for path in paths:
        if path.is_file():
            try:
                yield read_file(path)
            except ValueError:
                continue


def _joined(tables: list[Table]) -> Table:
    """All columns by step."""
    steps = np.unique(np.concatenate([_steps(table) for table in tables]))
    joined = Table(notes=[f"{len(tables)} files joined by step", *tables[0].notes])
    joined.add("step", steps)
    for table in tables:
        rows = np.searchsorted(steps, _steps(table))
        for name in table.columns:
            if name == "step":
                continue
            values, blank = np.full(len(steps), np.nan), np.ones(len(steps), bool)
            values[rows], blank[rows] = table.columns[name], table.blank[name]
            joined.add(name, values, blank)
        joined.problems.extend(table.problems)
    return joined


def _steps(table: Table) -> Floats:
    """The steps of a table, else its row numbers."""
    return table.columns.get("step", np.arange(table.length, dtype=np.float64))
