"""Delimited text: comma, semicolon, tab, bar or blanks, as all CSV loggers write it."""

from __future__ import annotations

import csv
import io
import re

import numpy as np

from diagnostics.readers.reader import Reader
from diagnostics.readers.source import Source
from diagnostics.table import BLANKS, Problem, Table, parse_cells

DELIMITERS = (",", ";", "\t", "|")
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
    """Return the columns; a clean file takes the fast path, any other is read cell by cell."""
    header = header_of(source)
    if header is None:
        raise ValueError("no header line with column names")
    names, delimiter = header
    table = Table()
    fast = _read_clean(source.text, len(names), delimiter)
    if fast is not None:
        for name, values in zip(names, fast.T, strict=True):
            table.add(name, np.ascontiguousarray(values))
        return table
    _read_cells(source.text, names, delimiter, table)
    return table


def _read_clean(text: str, width: int, delimiter: str) -> np.ndarray | None:
    """All rows at once when every cell is a number, else None."""
    start = text.find("\n") + 1
    if start == 0 or '"' in text[:start] or not _is_content(text[: start - 1]):
        return None
    separator = None if delimiter == " " else delimiter
    try:
        values = np.loadtxt(
            io.StringIO(text[start:]), delimiter=separator, comments=None, ndmin=2
        )
    except ValueError:
        return None
    return values if values.shape[1] == width and len(values) else None


def _read_cells(text: str, names: list[str], delimiter: str, table: Table) -> None:
    """Row by row; what is damaged becomes a problem with its line."""
    width = len(names)
    rows = _rows(text, delimiter)
    lines = [number for number, row in enumerate(rows, start=1) if _is_row(row, names)]
    cells = [rows[number - 1] for number in lines]
    if not cells:
        raise ValueError(f"a header ({', '.join(names)}) but no rows below it")
    for index, row in enumerate(cells):
        if len(row) == width:
            continue
        if len(row) != width + 1 or row[-1].strip():  # else a delimiter at the end of each line
            table.problems.append(Problem(f"{len(row)} cells, expected {width}", lines[index]))
        cells[index] = (row + [""] * width)[:width]
    for name, column in zip(names, zip(*cells, strict=True), strict=True):
        table.add_cells(name, _decimal_points(column, delimiter), lines)


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """Every line of the text, split into cells."""
    if delimiter == " ":
        return [line.split() for line in text.splitlines()]
    # A stray quote or zero byte must not swallow the rest of the file.
    quoting = csv.QUOTE_MINIMAL if text.count('"') % 2 == 0 else csv.QUOTE_NONE
    return list(csv.reader(io.StringIO(text.replace("\0", "")), delimiter=delimiter, quoting=quoting))


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
