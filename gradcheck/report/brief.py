"""A report in brief: what a screen holds of it, for any number of tensors and causes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcheck.report.causes import causes, tensors_not_passed
from gradcheck.report.contract import contract_of, legend, note_lines
from gradcheck.report.data import PromiseStatus, TensorReport
from gradcheck.report.entries import worst_entries
from gradcheck.report.headline import summarize
from gradcheck.report.layout import GAP, LABEL_WIDTH, clipped, table_lines
from gradcheck.report.tables import entry_table, gradients_in_brief, point_table
from gradcheck.report.wording import elide, joined, wrapped

if TYPE_CHECKING:
    from gradcheck.report.outcome import Outcome

# A terminal opens with 24 or 25 lines.
MOST_LINES = 25

# Rows of the table of tensors, and of that of a tensor's worst entries: one of many shows nothing.
MOST_TENSORS = 12
MOST_POINTS = 6
FEWEST_ENTRIES, MOST_ENTRIES = 2, 3

# Sentences are cut, to so many lines, until the summary takes half of the screen; two lines are
# left of each, and three of the change, which is what the reader came for.
LINES = (5, 4, 3, 2)
FEWEST_OF_CHANGE = 3

# What else is wrong is said in one line each. With all others of two they are 17 lines at most.
ONE_LINE = ("or", "also", "more")

# Lines of a table besides its rows: an empty one, the caption, the headings.
TABLE = 3

MORE = "more: -v, in Python report.text(details=True)"


def to_brief_text(report: Outcome, width: int) -> str:
    """Return at most `MOST_LINES` lines: the summary, the tensors, remarks, the worst entries."""
    lines = _summary(report, width)
    rerun = ("rerun", f"seed={report.seed} gives the same; {MORE}")
    end = ["", *clipped(rerun, width, LINES[-1])]
    for part in (_points, _tensors, _remarks, _entries):
        lines += part(report, width, MOST_LINES - len(lines) - len(end))
    return "\n".join(elide(line, width) for line in lines + end)


def _summary(report: Outcome, width: int) -> list[str]:
    summary = summarize(report, brief=True)
    verdict = f"{summary.verdict}{GAP}"
    title = summary.title_within(width - len(verdict))
    indent = " " * LABEL_WIDTH
    for most in LINES:
        lines = wrapped(title, verdict, indent, width)
        for line in summary.lines:
            fewest = FEWEST_OF_CHANGE if line[0] == "change" else 1
            lines += clipped(line, width, 1 if line[0] in ONE_LINE else max(fewest, most))
        if len(lines) <= MOST_LINES // 2:
            break
    return lines


def _points(report: Outcome, width: int, room: int) -> list[str]:
    if not report.points or room <= TABLE:
        return []
    table = point_table(report, min(MOST_POINTS, room - TABLE))
    return ["", *table_lines(table, width)]


def _tensors(report: Outcome, width: int, room: int) -> list[str]:
    """Return the table of tensors, with as many rows as there is room for, and the rest counted."""
    for most in range(MOST_TENSORS, -1, -1):
        table, others = gradients_in_brief(report, most)
        lines = list(table_lines(table, width)) if table.rows else []
        lines += [others] if others else []
        if len(lines) < room:
            return ["", *lines] if lines else []
    return []


def _remarks(report: Outcome, width: int, room: int) -> list[str]:
    """Return the promises not kept and the notes, as far as there is room, and the rest counted."""
    told = tuple(text for _, text in summarize(report, brief=True).lines)
    remarks = [
        (label, text)
        for label, text in (*contract_of(report).lines, *note_lines(report))
        if label not in (PromiseStatus.PASSED, "rerun") and not text.endswith(told)
    ]
    for count in range(len(remarks), 0, -1):
        shown, left = remarks[:count], len(remarks) - count
        more = [("more", f"{left} more of the kind")] if left else []
        lines = [part for line in [*shown, *more] for part in clipped(line, width, LINES[-1])]
        if len(lines) < room:
            meaning = legend({label for label, _ in shown} - {PromiseStatus.FAILED})
            words = wrapped(meaning, "", "", width)
            return ["", *lines, *(words if len(lines) + len(words) < room else [])]
    return []


def _entries(report: Outcome, width: int, room: int) -> list[str]:
    """Return the worst entries of one tensor, the first one of the first cause."""
    found = next(((p, t) for p, t in _of_first_cause(report) if t.worst), None)
    most = min(MOST_ENTRIES, room - TABLE)
    if found is None or most < min(FEWEST_ENTRIES, len(worst_entries(found[1]))):
        return []
    path, tensor = found
    table = entry_table(tensor, joined(path, tensor.name), most).without("error bound")
    return ["", *table_lines(table, width)]


def _of_first_cause(report: Outcome) -> list[tuple[str, TensorReport]]:
    """Return the tensors that show the first cause; all that did not pass where none was found."""
    shown = tensors_not_passed(report)
    for cause in causes(report)[:1]:
        found = cause.attributions
        shown = [(p, t) for p, t in shown if any(a.path == p and a.shows(t) for a in found)]
    return shown
