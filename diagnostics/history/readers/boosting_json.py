"""Evaluation results of gradient boosting: a dictionary of curves for each data set."""

from __future__ import annotations

from diagnostics.history.nested_dicts import curves_in, flattened
from diagnostics.history.readers.reader import Reader
from diagnostics.history.readers.source import Source
from diagnostics.history.table import Table, from_columns


def read(source: Source) -> Table:
    """Return columns ``<set>_<metric>``; unnamed sets are training first, validation last."""
    columns, notes = flattened(curves_in(source.json))
    table = from_columns(columns)
    table.notes.extend(notes)
    return table


READER = Reader("evaluation results (JSON)", lambda source: bool(curves_in(source.json)), read)
