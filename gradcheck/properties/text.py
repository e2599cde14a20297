"""Results as lines of text: a row in the table, all about a failure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gradcheck.properties.property import Result
from gradcheck.report.wording import wrapped

LABEL = 10
GAP = "  "


def status_width(statuses: Iterable[str]) -> int:
    """Return the columns that the status takes in a row."""
    return max((len(in_words(status)) for status in statuses), default=0)


def in_words(status: str) -> str:
    """Return a status in words."""
    return status.replace("_", " ")


def row(result: Result, widths: tuple[int, int], width: int | None = None) -> list[str]:
    """Return the lines of one result in the table.

    Parameters
    ----------
    result
        The outcome of a property.
    widths
        Columns of the status and of the name.
    width
        Columns of the screen; without it, everything stands on one line.
    """
    status, name = widths
    first = f"{in_words(result.status):<{status}}{GAP}{result.name:<{name}}".rstrip()
    detail = result.headline or f"{result.examples} input{'s' * (result.examples != 1)}"
    start = status + len(GAP) + name + len(GAP)
    if width is None or start + len(detail) <= width:
        return [f"{first:<{start}}{detail}"]
    # Where the sentence does not fit beside the name, it goes below.
    indent = " " * (status + len(GAP))
    return [first, *wrapped(detail, indent, indent, width)]


def failure_lines(
    headline: str, parts: Mapping[str, str], code: str, width: int | None = None
) -> Iterator[str]:
    """Yield the lines of a failure, all but its code wrapped to ``width``."""
    yield from wrapped(headline, "", "", width)
    for label, text in parts.items():
        yield from wrapped(text, f"{GAP}{label:<{LABEL}}", " " * (len(GAP) + LABEL), width)
    if code:
        # The code is to be pasted: it is not wrapped.
        yield f"{GAP}example"
        yield from (f"{GAP * 2}{line}".rstrip() for line in code.splitlines())
