"""Readers of training logs, one module for each format, chosen by content."""

from __future__ import annotations

from pathlib import Path

from diagnostics.readers import (
    boosting_json,
    delimited,
    keras_json,
    mlflow,
    records,
    tensorboard,
    text_log,
    trainer_state,
    wandb,
)
from diagnostics.readers.folder import read_folder
from diagnostics.readers.reader import Reader
from diagnostics.readers.source import Source
from diagnostics.table import Table

# The first that recognises a file reads it: special formats before general ones.
READERS: list[Reader] = [
    trainer_state.READER,
    keras_json.READER,
    boosting_json.READER,
    records.LIST_READER,
    records.LINES_READER,
    tensorboard.READER,
    mlflow.READER,
    text_log.READER,
    wandb.READER,
    delimited.READER,
]


def read_table(path: Path) -> Table:
    """Return the content of a training log of whatever known format.

    Raises
    ------
    ValueError
        The file is empty, or in no known format; or a folder holds no log.
    """
    if path.is_dir():
        return read_folder(path, read_table)
    source = Source(path, path.read_bytes())
    if not source.data.strip():
        raise ValueError(f"{path.name}: the file is empty; expected a training log")
    for reader in READERS:
        if reader.recognises(source):
            try:
                table = reader.read(source)
            except ValueError as error:
                raise ValueError(f"{path.name}, read as {reader.name}: {error}") from error
            table.notes.insert(0, f"read as {reader.name}")
            return table
    known = ", ".join(reader.name for reader in READERS)
    start = "binary data" if source.is_binary else f"text starting {source.head[:40]!r}"
    raise ValueError(f"{path.name}: {start} is no known training log; known are {known}")


__all__ = ["READERS", "Reader", "read_table"]
