"""Whether the list says the truth about its objects, and where their bugs stand."""

from __future__ import annotations

from benchmarks.field.item import Item
from benchmarks.field.processes import run


def disagreement(python: str, source: str, item: Item) -> str:
    """Return in words where central differences, or the lines of a bug, contradict the list."""
    found = run(python, "compare", source, item.name)
    if "broken" in found:
        return str(found["broken"])
    if found["truth"] != item.truth and item.truth != "undecidable":
        return f"listed as {item.truth}, measured {found['truth']}, error {found['error']}"
    if item.line and not lines_of_bug(python, source, item.name):
        return f"no line has {item.line!r}"
    return ""


def lines_of_bug(python: str, source: str, name: str) -> tuple[tuple[str, int], ...]:
    """Return file and line of each place where the bug of an object can be corrected."""
    found = run(python, "lines", source, name)
    return tuple((file, line) for file, line in found.get("lines", ()))
