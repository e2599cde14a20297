"""Curves in one JSON value: of Keras, of gradient boosting, of Hugging Face's Trainer."""

from __future__ import annotations

from typing import Any

from diagnostics.history.nested_dicts import curves_in, flattened
from diagnostics.history.readers.source import Reader, Source
from diagnostics.history.table import Table, from_columns, from_records


def _is_curve(value: Any) -> bool:
    """A list of scalars, or ``{"0": scalar, ...}`` as pandas writes it."""
    if isinstance(value, dict):
        return bool(value) and all(str(key).isdigit() for key in value)
    return isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value)


def _holds_curves(source: Source) -> bool:
    content = source.json
    return isinstance(content, dict) and any(_is_curve(value) for value in content.values())


def read_curves(source: Source) -> Table:
    """Return one column for each curve; single values beside the curves are left out."""
    return from_columns({k: v for k, v in source.json.items() if _is_curve(v)})


def read_evaluations(source: Source) -> Table:
    """Return columns ``<set>_<metric>``; unnamed sets are training first, validation last."""
    columns, notes = flattened(curves_in(source.json))
    table = from_columns(columns)
    table.notes.extend(notes)
    return table


def _holds_log(source: Source) -> bool:
    return isinstance(source.json, dict) and isinstance(source.json.get("log_history"), list)


def read_log(source: Source) -> Table:
    """Return one row for each logging step; the closing summary of the run is no step."""
    rows = [row for row in source.json["log_history"] if isinstance(row, dict)]
    return from_records(row for row in rows if "train_runtime" not in row)


KERAS = Reader("dictionary of curves (JSON)", _holds_curves, read_curves)
BOOSTING = Reader("evaluation results (JSON)", lambda s: bool(curves_in(s.json)), read_evaluations)
TRAINER_STATE = Reader("Hugging Face trainer_state.json", _holds_log, read_log)
