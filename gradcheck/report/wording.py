"""How numbers, names and lists are written, the same in every format."""

from __future__ import annotations

import math
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence

from gradcheck.report.data import Entry

# Columns of a text that goes to no terminal, and of one that goes to a terminal narrower still.
PAGE = 100
NARROWEST = 60

# Arguments that a shortened signature names: enough to recognise a layer by.
MOST_ARGUMENTS = 4


def error_number(value: float) -> str:
    """Write an error to three significant digits: how large it is matters, not its digits."""
    return "0" if value == 0 else f"{value:.3g}"


def analytic_and_numerical(entry: Entry) -> tuple[str, str]:
    """Write both sides of an entry with as many digits as it takes to see them differ."""
    a, b, digits = entry.analytic, entry.numerical, 4
    gap, size = abs(a - b), max(abs(a), abs(b))
    if math.isfinite(gap) and gap > 0:
        # leading digits that a and b may share, log10(size / gap), and two that differ
        digits = min(17, max(4, math.ceil(math.log10(size / gap)) + 2))
    return f"{a:.{digits}g}", f"{b:.{digits}g}"


def confidence_words(confidence: float) -> str:
    """Write how sure an explanation is; no finite test is certain, so 100 % is not written."""
    if confidence <= 0:
        return "cause unknown"
    if confidence > 0.99:
        return "over 99 % sure"
    if confidence < 0.01:
        return "under 1 % sure"
    return f"{math.floor(100 * confidence)} % sure"


def index_words(index: Sequence[int]) -> str:
    """Write a position as NumPy would take it."""
    return f"[{', '.join(map(str, index)) or '()'}]"


def shape_words(shape: Sequence[int]) -> str:
    """Write a shape in few characters: ``784x300``; ``scalar`` for 0-d."""
    return "x".join(map(str, shape)) or "scalar"


def joined(path: str, name: str) -> str:
    """Write where in a network of parts ``name`` stands, on one line."""
    return printable(f"{path}.{name}" if path and name else path or name)


def printable(text: str) -> str:
    """Write ``text`` on one line, control characters as their escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def elide(text: str, width: int) -> str:
    """Shorten ``text`` to ``width`` characters by leaving out its middle."""
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[: width - 1 - head]}…{text[len(text) - head :]}"


def signature(target: str, room: int) -> str:
    """Shorten ``Dense(x[5, 4], W[4, 3], b[3])`` to ``room``: to its first arguments, or to none."""
    target = printable(target)
    if len(target) <= room:
        return target
    name, _, arguments = target.partition("(")
    if not arguments.endswith(")"):
        return elide(target, room)
    # a comma within brackets parts no arguments
    kept = re.split(r", (?![^\[]*\])", arguments[:-1])[:MOST_ARGUMENTS]
    while kept and len(f"{name}({', '.join(kept)}, …)") > room:
        kept.pop()
    return elide(f"{name}({', '.join([*kept, '…'])})", room)


def plural(count: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(names: Sequence[str], most: int = 4, longest: int = 40) -> str:
    """Write names as a sentence does; of more than ``most`` only the first, and how many more."""
    names = [elide(printable(name), longest) for name in names]
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def text_width() -> int:
    """Return the columns that a text fills: the terminal's, or `PAGE` where it goes elsewhere."""
    if not (sys.stdout and sys.stdout.isatty()):
        return PAGE
    return max(NARROWEST, shutil.get_terminal_size((PAGE, 0)).columns)


def wrapped(text: str, first: str, later: str, width: int | None) -> list[str]:
    """Return ``text`` behind ``first``, its further lines behind ``later``; one without width."""
    if width is None:
        return [first + text]
    return textwrap.wrap(
        text,
        max(width, len(later) + 20),
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
