"""The table: what was answered right, of what was there to answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from benchmarks.field.judge import Row


def table(rows: Iterable[Row], halves: Sequence[str]) -> str:
    """Return the table, a column for each half."""
    rows = [row for row in rows if row.recognised is not None]
    columns = [[row for row in rows if row.half == half] for half in halves]
    if len(halves) > 1:
        halves, columns = [*halves, "both"], [*columns, rows]
    lines = ["| | " + " | ".join(halves) + " |", "| --- |" + " --- |" * len(halves)]
    for title, cell in LINES:
        lines.append(f"| {title} | " + " | ".join(map(cell, columns)) + " |")
    return "\n".join(lines)


def share(values: Iterable[bool | None]) -> str:
    """Return how many are true of those that were judged."""
    judged = [value for value in values if value is not None]
    if not judged:
        return "-"
    return f"{sum(judged)} of {len(judged)} ({100 * sum(judged) / len(judged):.1f} %)"


def _seconds(rows: Iterable[Row]) -> str:
    times = [row.seconds for row in rows if row.found and row.seconds is not None]
    return f"{median(times):.1f} and {max(times):.1f}" if times else "-"


# As found, an object is asked once for its own sake; its copies with slips say nothing new of it.
LINES = (
    ("recognised without help", lambda rows: share(r.recognised for r in rows if not r.slip)),
    ("raw exceptions", lambda rows: str(sum(r.raised for r in rows))),
    ("right code passes", lambda rows: share(r.passed for r in rows)),
    ("false alarms", lambda rows: share(r.alarm for r in rows)),
    ("wrong gradient found", lambda rows: share(r.found for r in rows)),
    ("... as published", lambda rows: share(r.found for r in rows if not r.slip)),
    ("right name first", lambda rows: share(r.named for r in rows)),
    ("... as published", lambda rows: share(r.named for r in rows if not r.slip)),
    ("right line told", lambda rows: share(r.told for r in rows)),
    ("... or it among three at most", lambda rows: share(r.placed for r in rows)),
    ("another line told", lambda rows: share(r.misled for r in rows)),
    ("seconds to a FAIL, median and most", _seconds),
)
