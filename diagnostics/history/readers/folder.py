"""A folder that a logger wrote: one run, in one file or in parts, or several runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from diagnostics.history.column_roles import TRAINING, VALIDATION, assign_roles, words
from diagnostics.history.table import Floats, Table

# What loggers call their one log, the likeliest first.
LOGS = (
    "metrics.csv",
    "results.csv",
    "trainer_state.json",
    "history.jsonl",
    "history.json",
    "history.csv",
)
# MLflow keeps one file for each metric in a folder of this name.
METRICS = "metrics"
EVENTS = ".tfevents."
MOST_FILES = 1000
# MLflow: experiment, run, metrics; Keras: run, validation.
DEEPEST = 4
AXES = ("epoch", "step")

ReadFile = Callable[[Path], Table]


def read_runs(path: Path, read_file: ReadFile) -> dict[str, Table]:
    """Return the runs found in a folder, by the names of their files or folders.

    Raises
    ------
    ValueError
        No log was found in it.
    """
    runs = _runs(path, read_file, DEEPEST)
    if not runs:
        raise ValueError(f"{path.name}: no training log in this folder; expected {', '.join(LOGS)}")
    return runs


def _runs(path: Path, read_file: ReadFile, depth: int) -> dict[str, Table]:
    """The runs of a folder, and of those in it down to some depth; none where it holds no log."""
    for name in LOGS:
        if (path / name).is_file():
            return {path.name: read_file(path / name)}
    left_out: list[str] = []
    parts = dict(_files(path, read_file, left_out))
    runs: dict[str, Table] = {}
    folders = [child for child in _visible(path) if child.is_dir()] if depth else []
    for folder in folders:
        try:
            found = _runs(folder, read_file, depth - 1)
        except ValueError as error:
            left_out.append(f"{folder.name} ({error})")
            continue
        if len(found) == 1 and (folder.name == METRICS or _split(folder.name)):
            parts[folder.name] = next(iter(found.values()))
        else:
            names = [folder.name] if len(found) == 1 else [f"{folder.name}/{n}" for n in found]
            runs |= dict(zip(names, found.values(), strict=True))
    if _belong_together(parts):
        name = Path(next(iter(parts))).stem if runs and len(parts) == 1 else path.name
        runs = {name: _joined(parts), **runs}
    else:
        runs = {Path(name).stem: table for name, table in parts.items()} | runs
    if left_out and runs:
        next(iter(runs.values())).left_out.append(f"no log, and left out: {', '.join(left_out)}")
    return runs


def _visible(path: Path) -> list[Path]:
    """What is in a folder, by name, without hidden things."""
    return sorted(child for child in path.iterdir() if not child.name.startswith("."))


def _files(path: Path, read_file: ReadFile, left_out: list[str]) -> Iterator[tuple[str, Table]]:
    """The logs among the files of a folder; event files of one folder are one log."""
    events = []
    for file in [child for child in _visible(path) if child.is_file()][:MOST_FILES]:
        try:
            table = read_file(file)
        except ValueError:
            table = Table()
        if not _roles(table):
            left_out.append(file.name)  # other things than logs lie in folders
        elif EVENTS in file.name:
            events.append(table)
        else:
            yield file.name, table
    if events:
        yield "events", _joined({str(number): table for number, table in enumerate(events)})


def _split(name: str) -> str | None:
    """``train`` or ``val`` where a file or folder is named after a part of the data."""
    named = set(words(Path(name).stem))
    if bool(named & TRAINING) == bool(named & VALIDATION):
        return None
    return "train" if named & TRAINING else "val"


def _belong_together(parts: Mapping[str, Table]) -> bool:
    """Whether these are parts of one run: no column twice, no two with losses of both sets."""
    columns = [name for part in _prefixed(parts) for name in part.columns if not _is_axis(name)]
    whole = [table for table in parts.values() if {"train_loss", "val_loss"} <= _roles(table)]
    return bool(parts) and len(columns) == len(set(columns)) and len(whole) < 2


def _roles(table: Table) -> set[str]:
    """What the columns of a table are."""
    counts = {name: int((~mask).sum()) for name, mask in table.blank.items()}
    return set(assign_roles(table.columns, counts))


def _is_axis(name: str) -> bool:
    return words(name) in ([axis] for axis in AXES)


def _prefixed(parts: Mapping[str, Table]) -> list[Table]:
    """The parts, with what their file names say in the names of their columns."""
    return [_prefix(table, _split(name)) for name, table in parts.items()]


def _prefix(table: Table, split: str | None) -> Table:
    """``loss`` as ``val/loss`` where the name does not say it already."""
    if split is None:
        return table
    renamed = Table(notes=table.notes, left_out=table.left_out, problems=table.problems)
    for name, values in table.columns.items():
        plain = _is_axis(name) or set(words(name)) & (TRAINING | VALIDATION)
        renamed.add(name if plain else f"{split}/{name}", values, table.blank[name])
    return renamed


def _joined(parts: Mapping[str, Table]) -> Table:
    """All columns by epoch, else by step; of two values for one place the later file's counts."""
    if len(parts) == 1:
        return _prefixed(parts)[0]
    tables = _prefixed(parts)
    axis = next((a for a in AXES if all(a in table.columns for table in tables)), "step")
    places = np.unique(np.concatenate([_places(table, axis) for table in tables]))
    notes = [f"{len(tables)} files joined by {axis}", *tables[0].notes]
    joined = Table(notes=notes, left_out=tables[0].left_out)
    joined.add(axis, places)
    for table in tables:
        rows = np.searchsorted(places, _places(table, axis))
        for name in table.columns:
            if name == axis:
                continue
            values = joined.columns.get(name, np.full(len(places), np.nan))
            blank = joined.blank.get(name, np.ones(len(places), bool))
            logged = ~table.blank[name]
            values[rows[logged]], blank[rows[logged]] = table.columns[name][logged], False
            joined.add(name, values, blank)
        joined.problems.extend(table.problems)
    return joined


def _places(table: Table, axis: str) -> Floats:
    """The epochs or steps of a table, else its row numbers."""
    return table.columns.get(axis, np.arange(table.length, dtype=np.float64))
