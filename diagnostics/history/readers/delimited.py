"""Delimited text: comma, semicolon, tab, bar or blanks, as all CSV loggers write it."""

from __future__ import annotations

import csv
import io
import re

from diagnostics.history.readers import printed_tables
from diagnostics.history.readers.source import Reader, Source
from diagnostics.history.table import BLANKS, Table, parse_cells

DELIMITERS = (",", ";", "\t", "|")
# The header is looked for in so many characters.
LONGEST_START = 100_000
# Blanks that separate, as patterns; they are made one tab each before the lines are split.
WIDE, NARROW = r"\s{2,}|\t", r"\s+"
_MARK = {WIDE: "\t", NARROW: "\t"}
# Lines that frame a table, in Markdown and on terminals, whose corners are all read as bars.
_RULE = re.compile(r"\s*[|+:=-][|+:=\s-]*")
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
    lines = _cleaned(text.splitlines(), delimiter)
    start = next(number for number, line in enumerate(lines) if _is_content(line)) + 1
    rows = printed_tables.TextRows(names, _MARK.get(delimiter, delimiter))
    for first in range(start, len(lines), printed_tables.BLOCK):
        rows.add(lines[first : first + printed_tables.BLOCK], first)
    if not rows.numbers and not rows.cells:
        raise ValueError(f"a header ({', '.join(names)}) but no rows below it")
    return rows.table()


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
