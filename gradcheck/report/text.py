"""A report as plain text, for terminals, logs and assertion messages."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from gradcheck.report.contract import Contract, contract_of, note_lines
from gradcheck.report.headline import Line, Summary, summarize
from gradcheck.report.tables import ReportTable, Row, tables
from gradcheck.report.wording import elide, printable, wrapped

if TYPE_CHECKING:
    from rich.console import Console

    from gradcheck.report.outcome import Outcome

LABEL_WIDTH = 8
GAP = "  "
# Names are shortened to no less than this, even where the table then grows too wide.
NARROWEST_NAME = 8

# SGR codes of ECMA-48: bold with red, yellow and green.
COLOURS = {"FAIL": "1;31", "FAILED": "1;31", "UNDECIDED": "1;33", "PASS": "1;32"}


def to_text(report: Outcome, width: int = 88, color: bool = False) -> str:
    """Return the report as text.

    Parameters
    ----------
    report
        What to show. Its first five lines say what is wrong, where, how sure that is and what to
        change.
    width
        Columns to fill. Sentences are wrapped, long names shortened in their middle.
    color
        Whether to colour the verdicts with terminal escapes.
    """
    sections = [
        _headline(summarize(report), width),
        *("\n".join(_table(table, width)) for table in tables(report)),
        *_contract(contract_of(report), width),
        "\n".join(_labelled(note_lines(report), width)),
    ]
    text = "\n\n".join(sections)
    return _coloured(text) if color else text


def print_report(report: Outcome, console: Console) -> None:
    """Print the report as wide as the console, in colour where it can show it."""
    from rich.text import Text

    colourful = console.is_terminal and not console.no_color
    text = to_text(report, console.width, color=colourful)
    console.print(Text.from_ansi(text), highlight=False, soft_wrap=True)


def _headline(summary: Summary, width: int) -> str:
    indent = " " * LABEL_WIDTH
    title = f"{summary.verdict}{GAP}{summary.title}"
    lines = textwrap.wrap(title, width, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(chain(lines, _labelled(summary.lines, width)))


def _contract(contract: Contract, width: int) -> list[str]:
    if not contract.lines:
        return []
    legend = textwrap.wrap(f"({contract.legend})" if contract.legend else "", width)
    return ["\n".join(["contract", *_labelled(contract.lines, width), *legend])]


def _labelled(lines: Sequence[Line], width: int) -> Iterator[str]:
    """Yield each sentence behind its label, wrapped to hang beside it."""
    longest = max((len(label) + len(GAP) for label, _ in lines), default=0)
    label_width = max(LABEL_WIDTH, longest)
    for label, text in lines:
        first = f"{label:<{label_width}}"
        for paragraph in text.splitlines():
            sentence = printable(paragraph.expandtabs())
            yield from wrapped(sentence, first, " " * label_width, width)
            first = " " * label_width


def _table(table: ReportTable, width: int) -> Iterator[str]:
    """Yield caption, headings and rows: words to the left, numbers to the right."""
    rows = _fitted([table.headings, *table.rows], width)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield elide(table.caption, width)
    for row in rows:
        cells = [
            f"{cell:<{size}}" if column < table.words else f"{cell:>{size}}"
            for column, (cell, size) in enumerate(zip(row, widths, strict=True))
        ]
        yield GAP.join(cells).rstrip()


def _fitted(rows: list[Row], width: int) -> list[Row]:
    """Shorten the names in the first column until the rows fit."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    others = sum(widths[1:]) + len(GAP) * (len(widths) - 1)
    room = max(NARROWEST_NAME, width - others)
    return [(elide(row[0], room), *row[1:]) for row in rows]


def _coloured(text: str) -> str:
    def paint(word: re.Match[str]) -> str:
        return f"\x1b[{COLOURS[word[0]]}m{word[0]}\x1b[0m"

    return re.sub(rf"\b({'|'.join(COLOURS)})\b", paint, text)
