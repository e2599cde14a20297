"""From the rows of a log to one row per epoch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from diagnostics.history.row_groups import Labels, count_rows, part_of_rows
from diagnostics.history.table import Floats, Mask, Table

# The roles by which rows of training and of validation are told apart.
MEASURED = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")

# A log whose epoch goes back more often than this share of its rows is unordered, not resumed.
UNORDERED = 0.25
# So many restarts are listed one by one.
MOST_LISTED = 5


@dataclass
class EpochRows:
    """Columns along one rising axis."""

    axis: str
    position: Floats
    columns: dict[str, Floats]
    blank: dict[str, Mask]
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def keep(self, index: np.ndarray) -> None:
        """Keep only these rows, in this order."""
        self.position = self.position[index]
        self.columns = {name: values[index] for name, values in self.columns.items()}
        self.blank = {name: mask[index] for name, mask in self.blank.items()}


def assemble(table: Table, mapping: dict[str, str]) -> EpochRows:
    """Return rows in order, each epoch once, training and validation side by side."""
    rows = _on_axis(table, mapping)
    _order(rows, mapping)
    _merge_equal(rows)
    _align_to_validation(rows, mapping)
    return rows


def _on_axis(table: Table, mapping: dict[str, str]) -> EpochRows:
    """Choose the axis: epoch if logged, else step, else the row number."""
    columns, blank = dict(table.columns), dict(table.blank)
    for axis in ("epoch", "step"):
        name = mapping.get(axis)
        if name is None or not np.isfinite(columns[name]).any():
            continue
        rows = EpochRows(axis, columns[name], columns, blank)
        known = np.isfinite(rows.position)
        if not known.all():
            rows.left_out.append(f"{int((~known).sum())} rows without {axis} left out")
            rows.keep(np.flatnonzero(known))
        return rows
    return _counted(columns, blank, mapping)


def _counted(
    columns: dict[str, Floats], blank: dict[str, Mask], mapping: dict[str, str]
) -> EpochRows:
    """Rows without an axis: by their number, training and validation each on its own."""
    length = len(next(iter(columns.values())))
    position = count_rows(part_of_rows(blank, _measured(mapping)))
    if position is None:
        return EpochRows("epoch", np.arange(length, dtype=np.float64), columns, blank)
    rows = EpochRows("epoch", position, columns, blank)
    rows.notes.append("rows of training and of validation counted each on their own")
    rows.keep(np.argsort(position, kind="stable"))
    return rows


def _measured(mapping: dict[str, str]) -> list[str]:
    """The columns that hold curves."""
    return [mapping[role] for role in MEASURED if role in mapping]


def _order(rows: EpochRows, mapping: dict[str, str]) -> None:
    """Undo restarts: of a resumed run the last word counts, of several runs the last run."""
    back = np.flatnonzero(np.diff(rows.position) < 0) + 1
    if len(back) == 0:
        return
    if len(back) > max(2, UNORDERED * len(rows.position)):
        rows.notes.append(f"rows sorted by {rows.axis}")
        rows.keep(np.argsort(rows.position, kind="stable"))
        return
    parts = _parts_one_after_the_other(rows, mapping, back)
    kept = [part[_last_word(rows, part)] for part in parts]
    if len(parts) > 1:
        rows.notes.append(f"rows that log other columns put beside each other by {rows.axis}")
    index = np.concatenate(kept)
    rows.keep(index[np.argsort(rows.position[index], kind="stable")])


def _parts_one_after_the_other(
    rows: EpochRows, mapping: dict[str, str], back: Labels
) -> list[Labels]:
    """Row numbers of all training and then of all validation, or the like; else all rows."""
    parts = part_of_rows(rows.blank, _measured(mapping))
    changes = np.flatnonzero(np.diff(parts)) + 1
    if len(changes) == 0 or not np.isin(changes, back).all():
        return [np.arange(len(parts))]
    return [np.flatnonzero(parts == part) for part in np.unique(parts).tolist()]


def _last_word(rows: EpochRows, part: Labels) -> Mask:
    """Which of some rows count: those that the log never goes back to or before; say so."""
    position = rows.position[part]
    back = np.flatnonzero(np.diff(position) < 0) + 1
    if len(back) == 0:
        return np.ones(len(part), bool)
    restarted = position[back]
    anew = restarted <= np.minimum.accumulate(position)[back - 1]
    if anew.any():
        at = restarted[anew][-1]
        rows.notes.append(f"{rows.axis} starts again at {at:g}: only the last run is kept")
    if not anew.all():
        rows.notes.append(_resumed(rows.axis, restarted[~anew]))
    restarts = np.full(len(position), np.inf)
    restarts[back - 1] = restarted
    lowest_to_come = np.minimum.accumulate(restarts[::-1])[::-1]
    return np.asarray(position < lowest_to_come)


def _resumed(axis: str, places: Floats) -> str:
    """Where a run was resumed, in words."""
    shown = ", ".join(f"{place:g}" for place in places[:MOST_LISTED])
    more = f" and {len(places) - MOST_LISTED} times more" if len(places) > MOST_LISTED else ""
    return f"run resumed at {axis} {shown}{more}: the later values are kept"


def _merge_equal(rows: EpochRows) -> None:
    """Make one row of the rows of one epoch: means of batches, else the last value logged."""
    starts = np.flatnonzero(np.r_[True, np.diff(rows.position) > 0])
    if len(starts) == len(rows.position):
        return
    merged_columns, merged_blank = {}, {}
    for name, values in rows.columns.items():
        logged = ~rows.blank[name]
        counts = np.add.reduceat(logged, starts, dtype=np.int64)
        if (counts > 0).any() and np.median(counts[counts > 0]) > 1:  # in a typical epoch
            merged = _means(values, logged, starts)
        else:
            index = np.where(logged, np.arange(len(values)), -1)
            merged = values[np.maximum.reduceat(index, starts)]
        merged_columns[name] = np.where(counts > 0, merged, np.nan)
        merged_blank[name] = counts == 0
    rows.notes.append(
        f"{len(rows.position)} rows merged into {len(starts)}, one for each {rows.axis}"
    )
    rows.position = rows.position[starts]
    rows.columns, rows.blank = merged_columns, merged_blank


def _means(values: Floats, logged: Mask, starts: Labels) -> Floats:
    """Means of what was logged from each start to the next, NaN where there was nothing."""
    counts = np.add.reduceat(logged, starts, dtype=np.int64)
    sums = np.add.reduceat(np.where(logged, values, 0.0), starts)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _align_to_validation(rows: EpochRows, mapping: dict[str, str]) -> None:
    """Bring training values logged between two validations to the later of the two, as means."""
    losses = [mapping[role] for role in ("train_loss", "val_loss") if role in mapping]
    if len(losses) < 2:
        return
    train, val = (~rows.blank[name] for name in losses)
    if val.sum() < 2 or (train & val).sum() >= 0.5 * val.sum():
        return
    anchors = np.flatnonzero(val)
    starts = np.r_[0, anchors[:-1] + 1]
    end = anchors[-1] + 1
    for name, values in rows.columns.items():
        rows.columns[name] = _means(values[:end], ~rows.blank[name][:end], starts)
        rows.blank[name] = ~np.logical_or.reduceat(~rows.blank[name][:end], starts)
    rows.position = rows.position[anchors]
    rows.notes.append(f"training values averaged between the {len(anchors)} validations")
