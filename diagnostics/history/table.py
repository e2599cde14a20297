"""What a reader hands over: numbers by column name, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# A cell holding one of these was not logged. "nan" is not among them: it was logged, as NaN.
BLANKS = frozenset({"", "na", "n/a", "none", "null", "-", "no log"})
# Of a longer column so many cells, evenly spread, tell whether it holds numbers or text.
SAMPLE = 1000


@dataclass(frozen=True)
class Problem:
    """Something that could not be read: where, and what stands there."""

    message: str
    line: int | None = None
    column: str | None = None
    position: int | None = None

    def __str__(self) -> str:
        where = [f"line {self.line}"] if self.line is not None else []
        where += [f"column {self.column!r}"] if self.column is not None else []
        where += [f"character {self.position}"] if self.position is not None else []
        return f"{', '.join(where)}: {self.message}" if where else self.message


@dataclass
class Table:
    """Columns of equal length.

    Parameters
    ----------
    columns
        Numbers by column name, NaN where blank, damaged or logged as NaN.
    blank
        For each column, where nothing usable was logged.
    text
        Columns that do not hold numbers, as they stand.
    notes
        What the reader decided, for the user to see.
    left_out
        What the reader left out, for the user to see.
    problems
        What the reader could not read.
    """

    columns: dict[str, Floats] = field(default_factory=dict)
    blank: dict[str, Mask] = field(default_factory=dict)
    text: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Number of rows."""
        columns: list[Any] = [*self.columns.values(), *self.text.values()]
        return len(columns[0]) if columns else 0

    def add(self, name: str, values: Floats, blank: Mask | None = None) -> None:
        """Add one column; without ``blank`` every cell counts as logged."""
        self.columns[name] = values
        self.blank[name] = np.zeros(len(values), bool) if blank is None else blank

    def add_cells(
        self, name: str, cells: Sequence[Any], lines: Sequence[int] | None = None
    ) -> None:
        """Add one column of raw cells: texts, numbers or None.

        A column in which fewer than half of the cells are numbers is kept as text. Otherwise
        each cell that is no number becomes a problem, with its line.
        """
        lines = range(1, len(cells) + 1) if lines is None else lines
        sample = cells[:: 1 + len(cells) // SAMPLE]
        _, blank, damaged = parse_cells(sample)
        if damaged and len(damaged) > (len(sample) - blank.sum()) / 2:
            self.text[name] = ["" if cell is None else str(cell) for cell in cells]
            return
        values, blank, damaged = parse_cells(cells)
        for index in damaged:
            self.problems.append(Problem(f"{cells[index]!r} is not a number", lines[index], name))
        blank[damaged] = True
        self.add(name, values, blank)


def parse_cells(cells: Sequence[Any]) -> tuple[Floats, Mask, list[int]]:
    """Return the cells as numbers, which were blank, and the indices of what is no number."""
    try:
        values = np.array(cells, dtype=np.float64)
        if values.ndim == 1 and not any(cell is None for cell in cells):
            return values, np.zeros(len(values), bool), []
    except (ValueError, TypeError):
        pass
    values, blank, damaged = np.full(len(cells), np.nan), np.zeros(len(cells), bool), []
    for index, cell in enumerate(cells):
        if cell is None or (isinstance(cell, str) and cell.strip().lower() in BLANKS):
            blank[index] = True
            continue
        try:
            values[index] = _number(cell)
        except (ValueError, TypeError):
            damaged.append(index)
    return values, blank, damaged


def _number(cell: Any) -> float:
    """One cell as a number: 0.5, "0.5", "50 %", "true", a one-element list or array."""
    if not isinstance(cell, str):
        return float(np.asarray(cell).reshape(()).item())
    try:
        return float(cell)
    except ValueError:
        text = cell.strip().lower()
        if text.endswith("%"):
            return float(text[:-1]) / 100
        if text in ("true", "false"):
            return float(text == "true")
        raise


def from_records(records: Iterable[Mapping[str, Any]], lines: Sequence[int] | None = None) -> Table:
    """Return the table of a list of dictionaries; a key missing from one is a blank cell."""
    records = list(records)
    names = list(dict.fromkeys(str(name) for record in records for name in record))
    table = Table()
    for name in names:
        table.add_cells(name, [record.get(name) for record in records], lines)
    return table


def from_columns(columns: Mapping[str, Any]) -> Table:
    """Return the table of a dictionary of sequences, which may differ in length.

    A shorter column whose length divides the longest was logged every k-th row (``validation_freq``
    in Keras); any other shorter column is taken to have stopped early. Both are noted.
    """
    table = Table()
    lists = {str(name): _as_list(values) for name, values in columns.items()}
    length = max((len(values) for values in lists.values()), default=0)
    for name, values in lists.items():
        if not values or len(values) == length:
            padded = values or [None] * length
        elif length % len(values) == 0 and len(values) > 1:
            every = length // len(values)
            padded = [None] * length
            padded[every - 1 :: every] = values
            table.notes.append(f"{name!r} was logged every {every} rows")
        else:
            padded = values + [None] * (length - len(values))
            table.notes.append(f"{name!r} has {len(values)} of {length} rows")
        table.add_cells(name, padded)
    return table


def _as_list(values: Any) -> list[Any]:
    """A sequence, array or {"0": value} mapping as a list; a lone number as a list of one."""
    if isinstance(values, Mapping):
        return list(values.values())
    if isinstance(values, str) or not hasattr(values, "__len__"):
        return [values]
    return list(values)
