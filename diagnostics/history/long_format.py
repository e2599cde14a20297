"""Logs in long form: a column says which part of the data each row speaks of."""

from __future__ import annotations

import numpy as np

from diagnostics.history.column_roles import TRAINING, VALIDATION, is_axis, words
from diagnostics.history.table import Mask, Table

# So many different cells among the first are times, or names of something else.
SAMPLE, MOST_NAMES = 1000, 20


def split_phases(table: Table) -> None:
    """Make ``train/loss`` and ``val/loss`` of ``loss`` where a column such as ``phase`` tells them.

    The column has to name training and validation, and nothing else; it may be empty where
    nothing was measured.
    """
    for name, cells in list(table.text.items()):
        meaning = {cell: " ".join(words(cell)) for cell in set(cells[:SAMPLE])}
        if len(meaning) > MOST_NAMES:
            continue
        meaning |= {cell: " ".join(words(cell)) for cell in set(cells) - set(meaning)}
        said = np.array([meaning[cell] for cell in cells])
        rows = {"train": np.isin(said, list(TRAINING)), "val": np.isin(said, list(VALIDATION))}
        known = rows["train"] | rows["val"] | (said == "")
        if all(mask.any() for mask in rows.values()) and known.all():
            _split(table, rows)
            table.notes.append(f"rows told apart by {name!r}")
            return


def _split(table: Table, rows: dict[str, Mask]) -> None:
    """Two columns for each that was logged for both."""
    for column in [name for name in table.columns if not is_axis(name)]:
        values, blank = table.columns.pop(column), table.blank.pop(column)
        for split, mask in rows.items():
            if not (blank | ~mask).all():
                kept = np.where(mask, values, np.nan)
                table.add(f"{split}/{column}", kept, blank | ~mask)
