"""Losses logged in parts only: their sum stands for the loss."""

from __future__ import annotations

import numpy as np

from diagnostics.history.column_roles import LOSS, TRAINING, VALIDATION, words
from diagnostics.history.table import Table


def add_totals(table: Table) -> None:
    """Add ``train/loss`` and ``val/loss`` to a table that has both only in the same parts.

    Detectors log ``train/box_loss``, ``train/cls_loss`` ... and the same for validation; the loss
    that is descended is their sum. Nothing is added where a plain loss is logged.
    """
    train, val = (_parts(table, split) for split in (TRAINING, VALIDATION))
    common = [part for part in train if part in val]
    if len(common) < 2 or () in train or () in val:
        return
    for name, parts in (("train/loss", train), ("val/loss", val)):
        columns = [parts[part] for part in common]
        blank = np.logical_or.reduce([table.blank[column] for column in columns])
        table.add(name, np.sum([table.columns[column] for column in columns], axis=0), blank)
        table.notes.append(f"{name!r} is the sum of {', '.join(columns)}")


def _parts(table: Table, split: set[str]) -> dict[tuple[str, ...], str]:
    """The losses of one split by what else their name says: ``("box",)`` for ``train/box_loss``."""
    found = {}
    for column in table.columns:
        parts = words(column)
        if set(parts) & split and set(parts) & LOSS:
            found[tuple(word for word in parts if word not in split | LOSS)] = column
    return found
