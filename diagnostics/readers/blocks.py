"""Rows of delimited text as numbers: whole blocks at once, the odd lines among them one by one.

A line is plain when it has as many cells as the header and holds nothing but what numbers are made
of; NumPy reads all plain lines of a block at once, with NaN put where a cell is empty. The others
are split and judged cell by cell.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from diagnostics.table import Floats, Mask, Problem, Table

# Lines read at once; a line that fools the test for plain lines slows down its block only.
BLOCK = 20_000
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*%?\s*")
_THOUSANDS = re.compile(r"\s*[-+]?\d{1,3}(,\d{3})+(\.\d*)?\s*")
_PLAIN = np.zeros(256, bool)
_PLAIN[list(b"0123456789+-.eE nNaAiIfF\n")] = True
_NEWLINE = ord("\n")


@dataclass
class Rows:
    """The rows of one file: numbers where a block was read at once, else cells with their line."""

    names: list[str]
    delimiter: str
    numbers: list[Floats] = field(default_factory=list)
    blank: list[Mask] = field(default_factory=list)
    at: list[np.ndarray] = field(default_factory=list)
    cells: list[Sequence[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def add(self, lines: list[str], first: int) -> None:
        """Take some lines, the first of which has the index ``first`` in the file."""
        width = len(self.names)
        numbers = _numbers(lines, self.delimiter)
        if numbers is not None and numbers.shape == (len(lines), width):
            self.numbers.append(numbers)
            self.blank.append(np.zeros(numbers.shape, bool))
            self.at.append(np.arange(first, first + len(lines)))
            return
        plain, empty = _plain_lines(lines, self.delimiter, width)
        numbers = _plain_numbers(lines, plain, empty, self.delimiter)
        if numbers is None:
            plain[:] = False
        else:
            self.numbers.append(numbers)
            self.blank.append(empty[plain])
            self.at.append(np.flatnonzero(plain) + first)
        odd = np.flatnonzero(~plain).tolist()
        for index, row in zip(odd, _split([lines[i] for i in odd], self.delimiter), strict=True):
            if _is_row(row, self.names):
                self.cells.append(row)
                self.lines.append(first + index + 1)

    def table(self) -> Table:
        """Return all rows in their order."""
        table = Table()
        self._name_excess(table)
        width = len(self.names)
        fitted = [self._fitted(*row, table) for row in zip(self.cells, self.lines, strict=True)]
        cells = [row for row in fitted if row is not None]
        lines = [line for row, line in zip(fitted, self.lines, strict=True) if row is not None]
        at = np.concatenate([*self.at, np.array(lines, int) - 1])
        order = np.argsort(at, kind="stable") if lines else None
        numbers = np.concatenate([np.empty((0, width)), *self.numbers])
        blank = np.concatenate([np.empty((0, width), bool), *self.blank])
        columns = list(zip(*cells, strict=True)) or [()] * width
        for column, name in enumerate(self.names):
            texts = _without_commas(columns[column])
            table.add_mixed(name, numbers[:, column], blank[:, column], texts, lines, order)
        return table

    def _name_excess(self, table: Table) -> None:
        """Put the names right where the header is shorter than the rows."""
        if self.at:
            return
        excess = [len(row) - len(self.names) for row in self.cells]
        usual = max(set(excess), key=excess.count)
        if usual < 1 or not any(row[-1].strip() for row in self.cells):
            return
        if usual > 1:
            wide = len(self.names) + usual
            raise ValueError(
                f"the header names {len(self.names)} columns, but the rows have {wide} cells: "
                "which is which cannot be told; mend the header, or commas that are of decimals"
            )
        table.notes.append("the first column has no name in the header")
        self.names = ["", *self.names]

    def _fitted(self, row: Sequence[str], line: int, table: Table) -> list[str] | None:
        """A row with as many cells as there are names; what is missing or left out is told."""
        width = len(self.names)
        cells = list(row)
        # A delimiter at the end of each line is no cell.
        if len(cells) == width + 1 and not cells[-1].strip():
            return cells[:width]
        if len(cells) < width:
            what = f"the line ends after {len(cells)} of {width} cells"
            table.problems.append(Problem(what, line, self.names[len(cells)]))
        elif len(cells) > width:
            what = f"{len(cells)} cells, expected {width}: {self.delimiter.join(cells)[:60]!r}"
            table.problems.append(Problem(f"{what} left out", line))
            return None
        return cells + [""] * (width - len(cells))


def _plain_lines(lines: list[str], delimiter: str, width: int) -> tuple[Mask, Mask]:
    """Which lines are plain, shape (lines,), and which of their cells are empty, (lines, width)."""
    data = np.frombuffer(("\n".join(lines) + "\n").encode("latin-1", "replace"), np.uint8)
    is_end = data == _NEWLINE
    is_mark = data == ord(delimiter)
    ends = np.flatnonzero(is_end)
    starts = np.r_[0, ends[:-1] + 1]
    odd = np.add.reduceat(~(_PLAIN[data] | is_mark), starts)
    marks = np.add.reduceat(is_mark, starts, dtype=np.int64)
    plain = (odd == 0) & (marks == width - 1)
    empty = np.zeros((len(lines), width), bool)
    # The length of a cell is the distance between the marks around it.
    inside = np.repeat(plain, ends - starts + 1)
    limits = np.flatnonzero((is_mark | is_end) & inside).reshape(-1, width)
    before = np.c_[starts[plain] - 1, limits[:, :-1]]
    empty[plain] = limits - before == 1
    plain &= ~empty.all(axis=1)
    return plain, empty


def _plain_numbers(lines: list[str], plain: Mask, empty: Mask, delimiter: str) -> Floats | None:
    """The cells of the plain lines at once, None when one of them is no number."""
    if not plain.any():
        return None
    chosen = lines if plain.all() else [lines[i] for i in np.flatnonzero(plain).tolist()]
    if empty[plain].any():
        chosen = _filled("\n".join(chosen), delimiter).split("\n")
    return _numbers(chosen, delimiter)


def _numbers(lines: list[str], delimiter: str) -> Floats | None:
    """All cells of some lines, None when one of them is no number, or there is none."""
    if not any(line.strip() for line in lines):
        return None
    try:
        return np.loadtxt(lines, delimiter=delimiter, comments=None, ndmin=2)
    except ValueError:
        return None


def _filled(text: str, delimiter: str) -> str:
    """Put NaN into empty cells; twice, for cells side by side share a delimiter."""
    for _ in range(2):
        text = text.replace(delimiter * 2, f"{delimiter}nan{delimiter}")
    text = text.replace(f"\n{delimiter}", f"\nnan{delimiter}")
    text = text.replace(f"{delimiter}\n", f"{delimiter}nan\n")
    start = "nan" if text.startswith(delimiter) else ""
    return start + text + ("nan" if text.endswith(delimiter) else "")


def _split(lines: list[str], delimiter: str) -> list[list[str]]:
    """Each line as cells."""
    if not any('"' in line for line in lines):
        return [line.split(delimiter) for line in lines]
    return [_unquoted(line, delimiter) for line in lines]


def _unquoted(line: str, delimiter: str) -> list[str]:
    """The cells of a line with quotes; a stray quote must not swallow the cells after it."""
    if line.count('"') % 2:
        return [cell.strip('"') for cell in line.split(delimiter)]
    return next(csv.reader([line], delimiter=delimiter), [])


def _is_row(row: Sequence[str], names: list[str]) -> bool:
    """Whether a line holds values: not empty, no comment, not the header over again."""
    if not any(cell.strip() for cell in row) or row[0].lstrip().startswith("#"):
        return False
    return row[0].strip() != names[0] or [cell.strip() for cell in row] != names


def _without_commas(column: Sequence[str]) -> Sequence[str]:
    """``0,5`` as ``0.5`` and ``1,234.5`` as ``1234.5``: no comma here separates cells."""
    if not any("," in cell for cell in column):
        return column
    return [_without_comma(cell) if "," in cell else cell for cell in column]


def _without_comma(cell: str) -> str:
    if _DECIMAL_COMMA.fullmatch(cell):
        return cell.replace(",", ".")
    return cell.replace(",", "") if _THOUSANDS.fullmatch(cell) else cell
