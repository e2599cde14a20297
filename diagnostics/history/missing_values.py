"""Telling "no value here" from "the value NaN", where a log writes both alike."""

from __future__ import annotations

import numpy as np

from diagnostics.history.table import Floats, Mask, Table

# A loss that was NaN hardly ever comes back, let alone again and again: NaN in this share of the
# rows before the last number, in several places, stands for rows in which nothing was logged.
SHARE_OF_ROWS = 0.4
SEVERAL = 2


def take_nan_as_blank(table: Table, *, always: bool = False) -> None:
    """Mark NaN between numbers as not logged, where it comes too often to be a value; note it.

    With ``always``, as for data frames, which have nothing else to mark a missing value with,
    every NaN between numbers is marked.
    """
    _take_side_by_side(table)
    for name, values in table.columns.items():
        finite = np.flatnonzero(np.isfinite(values))
        last = int(finite[-1]) if len(finite) else 0
        between = np.isnan(values) & ~table.blank[name]
        between[last:] = False
        if not between.any():
            continue
        places = np.count_nonzero(np.diff(between.astype(np.int8)) == 1) + int(between[0])
        often = places >= SEVERAL and between.sum() >= SHARE_OF_ROWS * last
        if often or always:
            # After the last number too: `tail_of_nan` tells a gap from a breakdown there.
            table.blank[name] = table.blank[name] | np.isnan(values)
            table.notes.append(f"NaN between the values of {name!r} taken as not logged")


def _take_side_by_side(table: Table) -> None:
    """Mark NaN as not logged where two columns take turns: all rows of one, then of the other.

    A breakdown ends the other curves too; it is not where they begin.
    """
    spans = {name: np.flatnonzero(np.isfinite(values)) for name, values in table.columns.items()}
    for first, before in spans.items():
        for second, after in spans.items():
            if not len(before) or not len(after) or before[-1] >= after[0]:
                continue
            rest = np.arange(before[-1] + 1, len(table.columns[first]))
            start = np.arange(after[0])
            if not np.isfinite(table.columns[second][rest]).all():
                continue
            for name, rows in ((first, rest), (second, start)):
                where = rows[np.isnan(table.columns[name][rows]) & ~table.blank[name][rows]]
                if len(where):
                    table.blank[name] = table.blank[name].copy()
                    table.blank[name][where] = True
                    table.notes.append(f"NaN beside the values of {name!r} taken as not logged")


def tail_of_nan(values: Floats, blank: Mask) -> Mask:
    """Return the blank cells that must have been NaN: pandas writes NaN as a blank.

    A curve once NaN stays NaN, so that the blanks reach to the end of the log and outnumber any
    gap before; a single blank at the end may be a row cut short.
    """
    finite = np.flatnonzero(np.isfinite(values))
    tail = np.zeros(len(values), bool)
    if len(finite) == 0:
        return tail
    length = len(values) - 1 - finite[-1]
    longest_gap = np.diff(finite, prepend=-1).max() - 1
    if length > max(1, longest_gap):
        tail[finite[-1] + 1 :] = blank[finite[-1] + 1 :]
    return tail
