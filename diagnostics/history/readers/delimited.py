"""Delimited text: comma, semicolon, tab, bar or blanks, as all CSV loggers write it."""

from __future__ import annotations

import csv
import io
import re

import numpy as np

from diagnostics.history.readers.source import Reader, Source
from diagnostics.history.table import BLANKS, Problem, Table, parse_cells

DELIMITERS = (",", ";", "\t", "|")
# The header is looked for in so many characters.
LONGEST_START = 100_000
# Blanks that separate, as patterns; they are made one tab each before the lines are split.
WIDE, NARROW = r"\s{2,}|\t", r"\s+"
_MARK = {WIDE: "\t", NARROW: "\t"}
# Lines that frame a table, in Markdown and on terminals, whose corners are all read as bars.
_RULE = re.compile(r"\s*[|+:=-][|+:=\s-]*")
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*%?\s*")
_THOUSANDS = re.compile(r"\s*[-+]?\d{1,3}(,\d{3})+(\.\d*)?\s*")
FRAMES = str.maketrans(
    dict.fromkeys("│┃┏┓┗┛┡┩┢┪┳┻╇╈╋┼├┤┌┐└┘┬┴╔╗╚╝╠╣╬║", "|") | dict.fromkeys("─━═", "-")
)


def header_of(source: Source) -> tuple[list[str], str] | None:
    """Return the column names and the delimiter, None when the text has no header."""
    if source.is_binary:
        return None
    lines = io.StringIO(source.text[:LONGEST_START].translate(FRAMES), newline=None)
    line = next((line for line in lines if _is_content(line)), "").rstrip("\n")
    delimiter = max(DELIMITERS, key=line.count)
    if line.count(delimiter) == 0:
        delimiter = _blanks(line)
    cells = next(csv.reader(_cleaned([line], delimiter), delimiter=_MARK.get(delimiter, delimiter)))
    names = [cell.strip() for cell in cells]
    has_number = any(_is_number(name) for name in names)
    has_name = any(re.search(r"[A-Za-z]", name) for name in names)
    if not has_name or has_number:
        return None
    # TensorBoard's download has the tag in the name of the file only.
    tag = source.path.stem if "Wall time" in names else "Value"
    return _unique([tag if name == "Value" else name for name in names]), delimiter


def read(source: Source) -> Table:
    """Return the columns.

    Raises
    ------
    ValueError
        There is a header but nothing below it.
    """
    header = header_of(source)
    if header is None:
        raise ValueError("no header line with column names")
    names, delimiter = header
    text = source.text.replace("\0", "") if "\0" in source.text else source.text
    if delimiter == "|":
        text = text.translate(FRAMES)
    mark = _MARK.get(delimiter, delimiter)
    lines = _cleaned(text.splitlines(), delimiter)
    start = next(number for number, line in enumerate(lines) if _is_content(line))
    rows = {
        number: line
        for number, line in enumerate(lines[start + 1 :], start + 2)
        if line.strip(f'"{mark} ') and not line.lstrip().startswith("#") and line != lines[start]
    }
    if not rows:
        raise ValueError(f"a header ({', '.join(names)}) but no rows below it")
    return _table(names, mark, rows)


def _table(names: list[str], mark: str, rows: dict[int, str]) -> Table:
    """The columns of the lines, which are given by their numbers."""
    table, lines, numbers = Table(), list(rows.values()), list(rows)
    try:  # a million lines at once, where all cells are numbers
        values = np.loadtxt(lines, delimiter=mark, comments=None, ndmin=2)
    except ValueError:
        values = np.empty((0, 0))
    if values.shape == (len(lines), len(names)):
        for column, name in enumerate(names):
            table.add(name, values[:, column])
        return table
    if all(line.count(mark) == len(names) - 1 and '"' not in line for line in lines):
        cells = mark.join(lines).split(mark)  # in a tenth of the time of a list for each line
    else:
        split = {number: _split(line, mark) for number, line in rows.items()}
        names = _completed(names, list(split.values()), table)
        fitted = {number: _fitted(row, names, mark, number, table) for number, row in split.items()}
        numbers = [number for number, row in fitted.items() if row]
        cells = [cell for row in fitted.values() for cell in row]
    for column, name in enumerate(names):
        own = cells[column :: len(names)]
        table.add_cells(name, [_without_comma(c) if "," in c else c for c in own], numbers)
    return table


def _split(line: str, mark: str) -> list[str]:
    """The cells of a line; a stray quote must not swallow the cells after it."""
    if '"' not in line:
        return line.split(mark)
    if line.count('"') % 2:
        return [cell.strip('"') for cell in line.split(mark)]
    return next(csv.reader([line], delimiter=mark))


def _completed(names: list[str], rows: list[list[str]], table: Table) -> list[str]:
    """The names, with one for the first column where the header is shorter than every row."""
    excess = [len(row) - len(names) for row in rows]
    usual = max(set(excess), key=excess.count)
    if 0 in excess or usual < 1 or not any(row[-1].strip() for row in rows):
        return names
    if usual > 1:
        raise ValueError(
            f"the header names {len(names)} columns, but the rows have {len(names) + usual} cells: "
            "which is which cannot be told; mend the header, or commas that are of decimals"
        )
    table.notes.append("the first column has no name in the header")
    return ["", *names]


def _fitted(row: list[str], names: list[str], mark: str, line: int, table: Table) -> list[str]:
    """A row with as many cells as there are names, none where there are more; else a problem."""
    width = len(names)
    # A delimiter at the end of each line is no cell.
    if len(row) == width + 1 and not row[-1].strip():
        return row[:width]
    if len(row) > width:
        what = f"{len(row)} cells, expected {width}: {mark.join(row)[:60]!r} left out"
        table.problems.append(Problem(what, line))
        return []
    if len(row) < width:
        what = f"the line ends after {len(row)} of {width} cells"
        table.problems.append(Problem(what, line, names[len(row)]))
    return row + [""] * (width - len(row))


def _without_comma(cell: str) -> str:
    """``0,5`` as ``0.5`` and ``1,234.5`` as ``1234.5``: no comma here separates cells."""
    if _DECIMAL_COMMA.fullmatch(cell):
        return cell.replace(",", ".")
    return cell.replace(",", "") if _THOUSANDS.fullmatch(cell) else cell


def _blanks(line: str) -> str:
    """Which blanks separate: two or more where names have single ones inside."""
    if len(re.split(WIDE, line.strip())) > 1:
        return WIDE
    return NARROW if len(line.split()) > 1 else ","


def _cleaned(lines: list[str], delimiter: str) -> list[str]:
    """Lines with one mark between cells: blanks become tabs, the frame of a table goes."""
    if delimiter in _MARK:
        pattern = re.compile(delimiter)
        return [pattern.sub("\t", line.strip()) for line in lines]
    if delimiter == "|":
        return ["" if _RULE.fullmatch(line) else line.strip().strip("|") for line in lines]
    return lines


def _is_content(line: str) -> bool:
    """Whether a line is neither empty nor a comment, nor tells Excel the delimiter."""
    if _RULE.fullmatch(line):
        return False
    return bool(line.strip()) and not line.lstrip().lower().startswith(("#", "sep="))


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
