"""A report as plain text, for terminals, logs and assertion messages."""

from __future__ import annotations

import re
import textwrap
from itertools import chain
from typing import TYPE_CHECKING

from gradcheck.report.brief import to_brief_text
from gradcheck.report.contract import Contract, contract_of, note_lines
from gradcheck.report.headline import Summary, summarize
from gradcheck.report.layout import GAP, LABEL_WIDTH, labelled, table_lines
from gradcheck.report.tables import tables
from gradcheck.report.wording import NARROWEST, PAGE, text_width

if TYPE_CHECKING:
    from rich.console import Console

    from gradcheck.report.outcome import Outcome

# SGR codes of ECMA-48: bold with red, yellow and green.
COLOURS = {"FAIL": "1;31", "FAILED": "1;31", "UNDECIDED": "1;33", "PASS": "1;32"}


def to_text(
    report: Outcome, width: int | None = None, color: bool = False, *, details: bool = False
) -> str:
    """Return the report as text.

    Parameters
    ----------
    report
        What to show. Its first five lines say what is wrong, where, how sure that is and what to
        change.
    width
        Columns to fill, at least `NARROWEST`; None for those of the terminal, `PAGE` where the text
        goes elsewhere. Sentences are wrapped, long names shortened in their middle.
    color
        Whether to colour the verdicts with terminal escapes.
    details
        Whether to show all: every tensor, part, cause with its evidence, promise and note, and the
        worst entries of what is wrong. Otherwise the text fits a screen.
    """
    width = text_width() if width is None else max(NARROWEST, width)
    text = _in_full(report, width) if details else to_brief_text(report, width)
    return _coloured(text) if color else text


def print_report(report: Outcome, console: Console, *, details: bool = False) -> None:
    """Print the report as wide as the console, in colour where it can show it."""
    from rich.text import Text

    colourful = console.is_terminal and not console.no_color
    width = console.width if console.is_terminal else PAGE
    text = to_text(report, width, color=colourful, details=details)
    console.print(Text.from_ansi(text), highlight=False, soft_wrap=True)


def _in_full(report: Outcome, width: int) -> str:
    sections = [
        _headline(summarize(report), width),
        *("\n".join(table_lines(table, width)) for table in tables(report)),
        *_contract(contract_of(report), width),
        "\n".join(labelled(note_lines(report), width)),
    ]
    return "\n\n".join(sections)


def _headline(summary: Summary, width: int) -> str:
    indent = " " * LABEL_WIDTH
    title = f"{summary.verdict}{GAP}{summary.title}"
    lines = textwrap.wrap(title, width, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(chain(lines, labelled(summary.lines, width)))


def _contract(contract: Contract, width: int) -> list[str]:
    if not contract.lines:
        return []
    legend = textwrap.wrap(contract.legend, width)
    return ["\n".join(["contract", *labelled(contract.lines, width), *legend])]


def _coloured(text: str) -> str:
    def paint(word: re.Match[str]) -> str:
        return f"\x1b[{COLOURS[word[0]]}m{word[0]}\x1b[0m"

    return re.sub(rf"\b({'|'.join(COLOURS)})\b", paint, text)
