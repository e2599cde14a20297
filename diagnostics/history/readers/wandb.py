"""A panel exported from Weights & Biases: columns ``run - metric`` with ``__MIN`` and ``__MAX``."""

from __future__ import annotations

import numpy as np

from diagnostics.history.readers import delimited
from diagnostics.history.readers.source import Reader, Source
from diagnostics.history.table import Table

NAME = "Weights & Biases export"
_SEPARATOR = " - "


def _recognises(source: Source) -> bool:
    header = delimited.header_of(source)
    return header is not None and any(_SEPARATOR in n and n.endswith("__MIN") for n in header[0])


def read(source: Source) -> Table:
    """Return the run with the most values under plain metric names, other runs as they stand."""
    table = delimited.read(source)
    filled = {n: int((~mask).sum()) for n, mask in table.blank.items() if _SEPARATOR in n}
    if not filled:
        return table
    longest = _run_of(max(filled, key=lambda name: filled[name]))
    runs = {_run_of(name) for name in filled}
    plain = Table(text=table.text, notes=table.notes, problems=table.problems)
    for name, values in table.columns.items():
        owner, _, metric = name.rpartition(_SEPARATOR)
        plain.add(metric if owner == longest else name, values, table.blank[name])
    if len(runs) > 1:
        plain.notes.append(f"{len(runs)} runs in the file, the longest taken: {longest!r}")
    return plain


def read_runs(source: Source) -> dict[str, Table]:
    """Return every run by its name, each with the rows in which it logged something."""
    table = delimited.read(source)
    runs = dict.fromkeys(_run_of(name) for name in table.columns if _SEPARATOR in name)
    return {run: _one_run(table, run) for run in runs}


def _one_run(table: Table, run: str) -> Table:
    """The columns of one run, and those of all, such as the step."""
    own = {n: n.removeprefix(run + _SEPARATOR) for n in table.columns if _run_of(n) in (run, "")}
    logged = [~table.blank[name] for name in own if _run_of(name) == run]
    rows = np.logical_or.reduce(logged)
    problems = [p for p in table.problems if p.column is None or p.column in own]
    plain = Table(notes=[f"read as {NAME}"], problems=problems)
    for name, metric in own.items():
        plain.add(metric, table.columns[name][rows], table.blank[name][rows])
    return plain


def _run_of(name: str) -> str:
    """The run that a column belongs to, empty for those of all runs."""
    return name.rpartition(_SEPARATOR)[0]


READER = Reader(NAME, _recognises, read)
