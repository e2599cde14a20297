"""A training run as curves: loss and accuracy, training and validation, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from diagnostics.history import table as tables
from diagnostics.history.align_rows import EpochRows, assemble
from diagnostics.history.column_roles import Roles, assign_roles, rivals
from diagnostics.history.framework_objects import curves_of
from diagnostics.history.long_format import split_phases
from diagnostics.history.loss_components import add_totals
from diagnostics.history.missing_values import tail_of_nan, take_nan_as_blank
from diagnostics.history.nested_dicts import curves_in, flattened
from diagnostics.history.table import Floats, Mask, Problem, Table
from gradcheck_arguments import NonNegativeInt, checked

CURVES = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")

# An accuracy above this is a percentage: no fraction exceeds 1, save by rounding.
PERCENT = 1.5
# So many columns are named in a note.
MOST_NAMED = 3


@dataclass(frozen=True)
class History(Roles[Floats]):
    """The curves of one training run.

    Make one with `read`, `from_dict`, `from_records` or `from_table`.

    Parameters
    ----------
    epochs : ndarray, shape (n,)
        Position of each row, as logged and rising; the row number where no epoch was logged.
    columns
        Every numeric column by its own name, shape (n,), NaN where nothing was logged.
    mapping
        Which column plays which role, as in ``{"val_loss": "valid_loss"}``.
    blank
        For each column, where nothing was logged: tells "no value" from "the value NaN".
    axis
        ``"epoch"`` or ``"step"``: what `epochs` counts.
    text
        Columns that hold no numbers, untouched.
    notes
        Decisions taken while reading.
    left_out
        Those of them by which something was left out.
    problems
        What could not be read, with line and column.
    """

    epochs: Floats
    columns: Mapping[str, Floats]
    mapping: Mapping[str, str]
    blank: Mapping[str, Mask]
    axis: str = "epoch"
    text: Mapping[str, list[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @classmethod
    @checked
    def read(cls, path: str | Path, *, columns: Mapping[str, str] | None = None) -> History:
        """Read a training log; its format is recognised by its content.

        Parameters
        ----------
        path
            File, or folder of a logger that writes folders.
        columns
            Role to column name, where the choice made from the names would be wrong:
            ``{"val_loss": "my_col"}``.

        Returns
        -------
        History
            With `notes` on what was decided and `problems` on what could not be read.

        Raises
        ------
        ValueError
            Nothing usable was found; the message says what was, and what is needed.
        """
        from diagnostics.history.readers import read_table

        table = read_table(Path(path))
        try:
            return cls.from_table(table, columns=columns)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{Path(path).name}: {error}") from error

    @classmethod
    @checked
    def from_records(
        cls, records: Iterable[Mapping[str, Any]], *, columns: Mapping[str, str] | None = None
    ) -> History:
        """Build from one dictionary for each row; keys may be missing."""
        return cls.from_table(tables.from_records(records), columns=columns)

    @classmethod
    @checked
    def from_dict(cls, data: Any, *, columns: Mapping[str, str] | None = None) -> History:
        """Build from a dictionary of sequences, or a data frame.

        Parameters
        ----------
        data
            Mapping of name to values, such as Keras's ``history.history``; one for each data set,
            such as XGBoost's ``evals_result``; or anything with ``columns`` and ``data[name]``,
            such as a pandas or polars data frame.
        columns
            Role to column name, as in `read`.
        """
        is_frame = not isinstance(data, Mapping)
        if is_frame:
            if not hasattr(data, "columns"):
                raise ValueError(
                    f"data: expected a mapping or a data frame, got {type(data).__name__}: "
                    "pass {'loss': [...], 'val_loss': [...]}"
                )
            data = {str(name): np.asarray(data[name]) for name in data.columns}
        nested = curves_in(data)
        curves, notes = flattened(nested) if nested else (data, [])
        table = tables.from_columns(curves)
        table.notes.extend(notes)
        if is_frame:
            take_nan_as_blank(table, always=True)
        return cls.from_table(table, columns=columns)

    @classmethod
    @checked
    def from_table(cls, table: Table, *, columns: Mapping[str, str] | None = None) -> History:
        """Build from what a reader handed over."""
        if table.length == 0 and table.columns:
            raise ValueError(f"the columns {', '.join(map(repr, table.columns))} hold no values")
        split_phases(table)
        take_nan_as_blank(table)
        add_totals(table)
        counts = {name: int((~table.blank[name]).sum()) for name in table.columns}
        mapping = assign_roles(table.columns, counts, columns)
        _require_curves(table, mapping)
        rows = assemble(table, mapping)
        others = rivals(table.columns, counts, mapping)
        choices = [
            f"{mapping[role]!r} taken as {role}, which could be {_listed(names)} as well"
            for role, names in others.items()
            if role in CURVES
        ]
        left_out = table.left_out + rows.left_out
        notes = table.notes + choices + left_out + rows.notes + _scale_percentages(rows, mapping)
        return cls(
            epochs=rows.position,
            columns=rows.columns,
            mapping=mapping,
            blank=rows.blank,
            axis=rows.axis,
            text=table.text,
            notes=tuple(notes),
            left_out=tuple(left_out),
            problems=tuple(table.problems),
        )

    @checked
    def curve(self, role: str) -> Floats | None:
        """Return the values that play a role, None when no column does."""
        name = self.mapping.get(role)
        return None if name is None else self.columns[name]

    @checked
    def logged(self, role: str) -> Mask:
        """Return where a value was logged for this role, be it finite or not, shape (n,)."""
        name = self.mapping[role]
        return ~self.blank[name] | tail_of_nan(self.columns[name], self.blank[name])

    @checked
    def not_finite(self, role: str) -> Mask:
        """Return where NaN or infinity was logged for this role, shape (n,); nowhere without it."""
        values = self.curve(role)
        if values is None:
            return np.zeros(len(self), bool)
        return np.asarray(self.logged(role) & ~np.isfinite(values))

    @checked
    def head(self, rows: NonNegativeInt) -> History:
        """Return the run as it was after so many rows."""
        return replace(
            self,
            epochs=self.epochs[:rows],
            columns={name: values[:rows] for name, values in self.columns.items()},
            blank={name: mask[:rows] for name, mask in self.blank.items()},
            text={name: cells[:rows] for name, cells in self.text.items()},
        )

    def summary(self) -> dict[str, Any]:
        """Return what was read and how, as plain values."""
        return {
            "epochs": len(self),
            "axis": self.axis,
            "mapping": dict(self.mapping),
            "other_columns": [name for name in self.columns if name not in self.mapping.values()],
            "notes": list(self.notes),
            "problems": [str(problem) for problem in self.problems],
        }

    def __len__(self) -> int:
        return len(self.epochs)

    def __repr__(self) -> str:
        roles = ", ".join(f"{role}={name!r}" for role, name in self.mapping.items())
        problems = f", {len(self.problems)} problems" if self.problems else ""
        span = f"{self.axis}s {self.epochs[0]:g} to {self.epochs[-1]:g}"
        return f"History({len(self)} rows, {span}; {roles}{problems})"


def as_history(data: Any) -> History:
    """Return a history from whatever holds one."""
    if isinstance(data, History):
        return data
    if isinstance(data, (str, Path)):
        return History.read(data)
    if not isinstance(data, Mapping) and not hasattr(data, "columns"):
        data = curves_of(data)
    if isinstance(data, Mapping) or hasattr(data, "columns"):
        return History.from_dict(data)
    given = type(data).__name__
    if isinstance(data, Iterable):
        records = list(data)
        if all(isinstance(record, Mapping) for record in records):
            return History.from_records(records)
        given = f"{given} of {type(records[0]).__name__}"
    raise TypeError(
        f"cannot read a history from {given}: give a path, a dictionary of curves, a data frame "
        "or a list of records, such as [{'epoch': 1, 'loss': 2.3}, ...]"
    )


def _listed(names: list[str]) -> str:
    """A few names, and how many more."""
    more = f" or {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(map(repr, names[:MOST_NAMED])) + more


def _require_curves(table: Table, mapping: Mapping[str, str]) -> None:
    """Refuse a table in which there is nothing to judge."""
    if any(role in mapping for role in CURVES):
        return
    if not table.columns:
        raise ValueError(
            "no numbers found: expected columns such as 'loss', 'val_loss', 'accuracy'"
        )
    raise ValueError(
        f"no loss or accuracy among the columns {', '.join(map(repr, table.columns))}: "
        "name one, as in columns={'val_loss': 'my_column'}"
    )


def _scale_percentages(rows: EpochRows, mapping: Mapping[str, str]) -> list[str]:
    """Turn accuracies given in per cent into fractions, in place; return notes.

    One log mostly has one unit: beside an accuracy in per cent another that never leaves 0 to 1
    is taken for a fraction only where that brings it nearer to the first.
    """
    names = [mapping[role] for role in ("train_accuracy", "val_accuracy") if role in mapping]
    values = [rows.columns[name] for name in names]
    sure = [PERCENT < np.nanmax(v, initial=-np.inf) <= 100 for v in values]
    levels = [float(np.median(v[np.isfinite(v)])) if np.isfinite(v).any() else 0.0 for v in values]
    notes = []
    for i, name in enumerate(names):
        beside = [levels[k] / 100 for k in range(len(names)) if k != i and sure[k]]
        small = np.nanmax(values[i], initial=-np.inf) <= PERCENT
        if sure[i] or (small and any(_nearer_in_per_cent(levels[i], level) for level in beside)):
            rows.columns[name] = values[i] / 100
            notes.append(f"{name!r} is in per cent: divided by 100")
    return notes


def _nearer_in_per_cent(level: float, other: float) -> bool:
    """Whether a hundredth of a level is nearer to another, by their ratio, than the level is."""
    if level <= 0 or other <= 0:
        return True
    return bool(abs(np.log(level / 100 / other)) < abs(np.log(level / other)))
