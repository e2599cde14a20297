"""Delimited text: comma, semicolon, tab, bar or blanks, as all CSV loggers write it."""

from __future__ import annotations

import csv
import io
import re

import numpy as np

from diagnostics.readers.reader import Reader
from diagnostics.readers.source import Source
from diagnostics.table import BLANKS, Floats, Problem, Table, concatenate, parse_cells

DELIMITERS = (",", ";", "\t", "|")
# Lines read at once: damage costs the slow path for its block only.
BLOCK = 20_000
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*")


def header_of(source: Source) -> tuple[list[str], str] | None:
    """Return the column names and the delimiter, None when the text has no header."""
    if source.is_binary:
        return None
    line = next((line for line in io.StringIO(source.text) if _is_content(line)), "").rstrip("\r\n")
    delimiter = max(DELIMITERS, key=line.count)
    if line.count(delimiter) == 0:
        delimiter = " " if len(line.split()) > 1 else ","
    cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    names = [cell.strip() for cell in cells]
    has_number = any(_is_number(name) for name in names)
    has_name = any(re.search(r"[A-Za-z]", name) for name in names)
    return (_unique(names), delimiter) if has_name and not has_number else None


def read(source: Source) -> Table:
    """Return the columns; a block of lines without damage takes the fast path.

    Raises
    ------
    ValueError
        There is a header but nothing below it.
    """
    header = header_of(source)
    if header is None:
        raise ValueError("no header line with column names")
    names, delimiter = header
    lines = source.text.replace("\0", "").splitlines()
    start = next(number for number, line in enumerate(lines) if _is_content(line)) + 1
    blocks = (
        _read_block(lines[first : first + BLOCK], first, names, delimiter)
        for first in range(start, len(lines), BLOCK)
    )
    tables = [block for block in blocks if block is not None]
    if not tables:
        raise ValueError(f"a header ({', '.join(names)}) but no rows below it")
    return concatenate(tables)


def _read_block(lines: list[str], first: int, names: list[str], delimiter: str) -> Table | None:
    """Some lines as a table, None when no row is among them."""
    if not any(lines):
        return None
    table = Table()
    numbers = _all_numbers(lines, delimiter)
    if numbers is None or numbers.shape[1] != len(names):
        return _read_cells(lines, first, names, delimiter)
    for name, values in zip(names, numbers.T, strict=True):
        table.add(name, np.ascontiguousarray(values))
    return table


def _all_numbers(lines: list[str], delimiter: str) -> Floats | None:
    """All cells at once when every one is a number, else None."""
    separator = None if delimiter == " " else delimiter
    try:
        return np.loadtxt(lines, delimiter=separator, comments=None, ndmin=2)
    except ValueError:
        return None


def _read_cells(lines: list[str], first: int, names: list[str], delimiter: str) -> Table | None:
    """Row by row; what is damaged becomes a problem with its line."""
    width, table = len(names), Table()
    rows = [(n, r) for n, r in enumerate(_split(lines, delimiter), first + 1) if _is_row(r, names)]
    if not rows:
        return None
    cells = []
    for number, row in rows:
        # A delimiter at the end of each line is no cell.
        if len(row) != width and (len(row) != width + 1 or row[-1].strip()):
            table.problems.append(Problem(f"{len(row)} cells, expected {width}", number))
        cells.append((row + [""] * width)[:width])
    numbers = [number for number, _ in rows]
    for name, column in zip(names, zip(*cells, strict=True), strict=True):
        table.add_cells(name, _decimal_points(column, delimiter), numbers)
    return table


def _split(lines: list[str], delimiter: str) -> list[list[str]]:
    """Each line as cells."""
    if delimiter == " ":
        return [line.split() for line in lines]
    # A stray quote must not swallow the rest of the file.
    balanced = sum(line.count('"') for line in lines) % 2 == 0
    if balanced:
        return list(csv.reader(lines, delimiter=delimiter))
    return list(csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE))


def _is_row(row: list[str], names: list[str]) -> bool:
    """Whether a line holds values: not empty, no comment, not the header over again."""
    if not any(row) or row[0].lstrip().startswith("#"):
        return False
    return row[0].strip() != names[0] or [cell.strip() for cell in row] != names


def _decimal_points(column: tuple[str, ...], delimiter: str) -> tuple[str, ...]:
    """``0,5`` as ``0.5`` where the comma does not separate cells."""
    if delimiter == "," or not any(_DECIMAL_COMMA.fullmatch(cell) for cell in column):
        return column
    return tuple(c.replace(",", ".") if _DECIMAL_COMMA.fullmatch(c) else c for c in column)


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _is_number(cell: str) -> bool:
    _, blank, damaged = parse_cells([cell])
    return cell.strip().lower() not in BLANKS and not blank[0] and not damaged


def _unique(names: list[str]) -> list[str]:
    """Number the repetitions of a name."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}.{seen[name] - 1}")
    return unique


READER = Reader("delimited text (CSV)", lambda source: header_of(source) is not None, read)
