"""``trainer_state.json`` of the Hugging Face Trainer."""

from __future__ import annotations

from diagnostics.history.readers.reader import Reader
from diagnostics.history.readers.source import Source
from diagnostics.history.table import Table, from_records


def _recognises(source: Source) -> bool:
    return isinstance(source.json, dict) and isinstance(source.json.get("log_history"), list)


def read(source: Source) -> Table:
    """Return one row for each logging step; the closing summary of the run is no step."""
    rows = [row for row in source.json["log_history"] if isinstance(row, dict)]
    return from_records(row for row in rows if "train_runtime" not in row)


READER = Reader("Hugging Face trainer_state.json", _recognises, read)
