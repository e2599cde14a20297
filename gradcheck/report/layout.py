"""Lines of plain text: sentences behind their labels, and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradcheck.report.headline import Line
from gradcheck.report.tables import ReportTable, Row
from gradcheck.report.wording import elide, printable, wrapped

LABEL_WIDTH = 8
GAP = "  "
# Names are shortened to no less than this, even where the table then grows too wide.
NARROWEST_NAME = 8


def labelled(lines: Sequence[Line], width: int) -> Iterator[str]:
    """Yield each sentence behind its label, wrapped to hang beside it."""
    longest = max((len(label) + len(GAP) for label, _ in lines), default=0)
    label_width = max(LABEL_WIDTH, longest)
    for label, text in lines:
        first = f"{label:<{label_width}}"
        for paragraph in text.splitlines():
            sentence = printable(paragraph.expandtabs())
            yield from wrapped(sentence, first, " " * label_width, width)
            first = " " * label_width


def clipped(line: Line, width: int, most: int) -> list[str]:
    """Return at most so many lines of a sentence behind its label, cut where a clause ends."""
    label, text = line
    sentence, lines = text, list(labelled([line], width))
    while len(lines) > most and "; " in sentence:
        sentence = sentence.rpartition("; ")[0]
        lines = list(labelled([(label, f"{sentence}; …")], width))
    if len(lines) > most:
        lines = list(labelled([line], width))[:most]
        if len(lines[-1]) > width - len(" …"):
            lines[-1] = lines[-1].rpartition(" ")[0]
        lines[-1] += " …"
    return [elide(line, width) for line in lines]


def table_lines(table: ReportTable, width: int) -> Iterator[str]:
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
