"""A dictionary of curves in JSON: Keras's ``history.history``, a data frame, fitted attributes."""

from __future__ import annotations

from typing import Any

from diagnostics.history.readers.reader import Reader
from diagnostics.history.readers.source import Source
from diagnostics.history.table import Table, from_columns


def _is_curve(value: Any) -> bool:
    """A list of scalars, or ``{"0": scalar, ...}`` as pandas writes it."""
    if isinstance(value, dict):
        return bool(value) and all(str(key).isdigit() for key in value)
    return isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value)


def _recognises(source: Source) -> bool:
    content = source.json
    return isinstance(content, dict) and any(_is_curve(value) for value in content.values())


def read(source: Source) -> Table:
    """Return one column for each curve; single values beside the curves are left out."""
    return from_columns({k: v for k, v in source.json.items() if _is_curve(v)})


READER = Reader("dictionary of curves (JSON)", _recognises, read)
