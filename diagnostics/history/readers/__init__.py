"""Readers of training logs, one module for each format, chosen by content."""

from __future__ import annotations

from pathlib import Path

from diagnostics.history.readers import (
    delimited,
    folder,
    json_curves,
    mlflow,
    python_literals,
    records,
    tensorboard,
    text_log,
    wandb,
)
from diagnostics.history.readers.source import Reader, Source
from diagnostics.history.table import Table

# What a file that is damaged, or was never of the format that it resembles, makes a reader raise.
UNREADABLE = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError)

# The first that recognises a file reads it: special formats before general ones.
READERS: list[Reader] = [
    json_curves.TRAINER_STATE,
    json_curves.KERAS,
    json_curves.BOOSTING,
    records.LIST_READER,
    records.LINES_READER,
    tensorboard.READER,
    mlflow.READER,
    python_literals.READER,
    text_log.READER,
    wandb.READER,
    delimited.READER,
]


def read_table(path: Path) -> Table:
    """Return the content of a training log of whatever known format.

    Raises
    ------
    ValueError
        The file is empty, or in no known format; or a folder holds no log, or several.
    """
    if not path.is_dir():
        return read_file(path)
    runs = folder.read_runs(path, read_file)
    if len(runs) > 1:
        raise ValueError(
            f"{path.name} holds {len(runs)} runs: {', '.join(runs)}; give the path of one, "
            "or all of them to diagnostics.compare()"
        )
    return next(iter(runs.values()))


def read_runs(path: Path) -> dict[str, Table]:
    """Return the training logs of a file or folder, by the names of their runs."""
    if path.is_dir():
        return folder.read_runs(path, read_file)
    source = Source(path, _content(path))
    if wandb.READER.recognises(source):
        return wandb.read_runs(source)
    return {path.stem: _read(source)}


def read_file(path: Path) -> Table:
    """Return the content of one file in whatever known format."""
    return read_data(path, _content(path))


def _content(path: Path) -> bytes:
    """Return the bytes of a file; not of what never ends, such as a pipe or a device."""
    if path.exists() and not path.is_file():
        raise ValueError(f"{path.name}: no regular file; expected a training log")
    return path.read_bytes()


def read_data(path: Path, data: bytes) -> Table:
    """Return the content of a file of this name that holds these bytes."""
    return _read(Source(path, data))


def _read(source: Source) -> Table:
    """The content by the first reader that recognises it."""
    path = source.path
    if not source.data.strip():
        raise ValueError(f"{path.name}: the file is empty; expected a training log")
    for reader in READERS:
        told = path.name
        try:
            if not reader.recognises(source):
                continue
            told = f"{path.name}, read as {reader.name}"
            table = reader.read(source)
        except UNREADABLE as error:
            raise ValueError(f"{told}: {error}") from error
        table.notes.insert(0, f"read as {reader.name}")
        table.problems[:0] = source.problems
        return table
    known = ", ".join(reader.name for reader in READERS)
    start = "binary data" if source.is_binary else f"text starting {source.head[:40]!r}"
    raise ValueError(f"{path.name}: {start} is no known training log; known are {known}")


__all__ = ["READERS", "Reader", "read_data", "read_file", "read_runs", "read_table"]
