"""Rows of delimited text as numbers: whole blocks at once, the odd lines among them one by one.

A line is plain when it has as many cells as the header and holds nothing but what numbers are made
of, save in columns that hold text throughout, such as times; NumPy reads all plain lines of a block
at once, with NaN put where a cell is empty. The others are split and judged cell by cell.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from diagnostics.history.table import Floats, Mask, Problem, Table, parse_cells

# Lines read at once; a line that fools the test for plain lines slows down its block only.
BLOCK = 20_000
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*%?\s*")
_THOUSANDS = re.compile(r"\s*[-+]?\d{1,3}(,\d{3})+(\.\d*)?\s*")
_PLAIN = np.zeros(256, bool)
_PLAIN[list(b"0123456789+-.eE nNaAiIfF\n")] = True
_NEWLINE = ord("\n")
# A column is text where most of its cells are no numbers; that many tell.
SAMPLE = 50


@dataclass
class TextRows:
    """The rows of one file: numbers where a block was read at once, else cells with their line."""

    names: list[str]
    delimiter: str
    numbers: list[Floats] = field(default_factory=list)
    blank: list[Mask] = field(default_factory=list)
    at: list[np.ndarray] = field(default_factory=list)
    cells: list[Sequence[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    texts: dict[int, list[str]] = field(default_factory=dict)

    def add(self, lines: list[str], first: int) -> None:
        """Take some lines, the first of which has the index ``first`` in the file."""
        width = len(self.names)
        numbers = _numbers(lines, self.delimiter)
        if numbers is not None and numbers.shape == (len(lines), width):
            self.numbers.append(numbers)
            self.blank.append(np.zeros(numbers.shape, bool))
            self.at.append(np.arange(first, first + len(lines)))
            return
        fits, odd, empty = _cells(lines, self.delimiter, width)
        if not self.at:
            self.texts = {column: [] for column in _text_columns(lines, fits, odd, self.delimiter)}
        read = [column for column in range(width) if column not in self.texts]
        plain = fits & ~odd[:, read].any(axis=1) & ~empty.all(axis=1)
        numbers = _plain_numbers(lines, plain, empty, read, self.delimiter)
        if numbers is None:
            plain[:] = False
        else:
            self.numbers.append(numbers)
            self.blank.append(empty[plain])
            self.at.append(np.flatnonzero(plain) + first)
            self._keep_texts(lines, plain)
        rest = np.flatnonzero(~plain).tolist()
        for index, row in zip(rest, _split([lines[i] for i in rest], self.delimiter), strict=True):
            if _is_row(row, self.names):
                self.cells.append(row)
                self.lines.append(first + index + 1)

    def _keep_texts(self, lines: list[str], plain: Mask) -> None:
        """Keep the cells of the columns of text of some lines."""
        chosen = [lines[i] for i in np.flatnonzero(plain).tolist()] if self.texts else []
        for column, texts in self.texts.items():
            cells = (line.split(self.delimiter, column + 1)[column] for line in chosen)
            texts.extend(cell.strip('"') for cell in cells)

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
            if column in self.texts:
                all_texts = [*self.texts[column], *columns[column]]
                in_order = all_texts if order is None else [all_texts[i] for i in order.tolist()]
                table.text[name] = in_order
                continue
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
        """A row with as many cells as there are names; what is missing or left out is a problem."""
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


def _cells(lines: list[str], delimiter: str, width: int) -> tuple[Mask, Mask, Mask]:
    """Which lines have as many cells as the header, shape (lines,), and what is in the cells.

    Which of these hold what numbers are not made of, and which are empty, (lines, width).
    """
    data = np.frombuffer(("\n".join(lines) + "\n").encode("latin-1", "replace"), np.uint8)
    is_end = data == _NEWLINE
    is_mark = data == ord(delimiter)
    ends = np.flatnonzero(is_end)
    starts = np.r_[0, ends[:-1] + 1]
    fits = np.add.reduceat(is_mark, starts, dtype=np.int64) == width - 1
    odd, empty = np.zeros((2, len(lines), width), bool)
    # The length of a cell is the distance between the marks around it.
    inside = np.repeat(fits, ends - starts + 1)
    limits = np.flatnonzero((is_mark | is_end) & inside).reshape(-1, width)
    before = np.c_[starts[fits] - 1, limits[:, :-1]]
    empty[fits] = limits - before == 1
    strange = np.cumsum(~(_PLAIN[data] | is_mark), dtype=np.int32)
    odd[fits] = strange[limits] > np.where(before >= 0, strange[before], 0)
    return fits, odd, empty


def _text_columns(lines: list[str], fits: Mask, odd: Mask, delimiter: str) -> list[int]:
    """The columns of which most cells are no numbers, however these are written."""
    if not fits.any():
        return []
    likely = np.flatnonzero(odd[fits].mean(axis=0) > 0.5).tolist()
    sample = [lines[i].split(delimiter) for i in np.flatnonzero(fits)[:SAMPLE].tolist()]
    cells = {
        column: _without_commas([row[column].strip('"') for row in sample]) for column in likely
    }
    return [column for column in likely if len(parse_cells(cells[column])[2]) > len(sample) / 2]


def _plain_numbers(
    lines: list[str], plain: Mask, empty: Mask, columns: list[int], delimiter: str
) -> Floats | None:
    """The plain lines at once, NaN outside of some columns; None when a cell is no number."""
    if not plain.any() or not columns:
        return None
    chosen = lines if plain.all() else [lines[i] for i in np.flatnonzero(plain).tolist()]
    gaps = np.flatnonzero(empty[plain].any(axis=1)).tolist()
    if gaps:
        chosen = chosen.copy()
        filled = _filled("\n".join(chosen[i] for i in gaps), delimiter).split("\n")
        for i, line in zip(gaps, filled, strict=True):
            chosen[i] = line
    if len(columns) == empty.shape[1]:
        return _numbers(chosen, delimiter)
    read = _numbers(chosen, delimiter, columns)
    if read is None:
        return None
    numbers = np.full((len(read), empty.shape[1]), np.nan)
    numbers[:, columns] = read
    return numbers


def _numbers(lines: list[str], delimiter: str, columns: list[int] | None = None) -> Floats | None:
    """All cells, or those of some columns, None when one of them is no number, or there is none."""
    if not any(line.strip() for line in lines):
        return None
    try:
        return np.loadtxt(lines, delimiter=delimiter, comments=None, ndmin=2, usecols=columns)
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
