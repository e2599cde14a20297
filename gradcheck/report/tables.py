"""The tables of a report, as text cells; each format draws them its own way."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradcheck.report.causes import measured, tensors_not_passed, walk
from gradcheck.report.data import TensorReport, Verdict
from gradcheck.report.entries import rounded_to_zero, wrong_mask
from gradcheck.report.headline import summarize
from gradcheck.report.wording import (
    analytic_and_numerical,
    elide,
    error_number,
    index_words,
    joined,
    printable,
    shape_words,
)

if TYPE_CHECKING:
    from gradcheck.report.outcome import Outcome

Row = tuple[str, ...]

ROLES = {"parameter": "param"}

TENSOR_HEADINGS = (
    *("tensor", "role", "shape", "dtype", "verdict"),
    *("relative error", "error bound", "resolution"),
)

# The order of the brief table, and how it counts what it leaves out.
WORDS = {Verdict.FAIL: "wrong", Verdict.UNDECIDED: "undecided", Verdict.PASS: "right"}
WORST_FIRST = list(WORDS)

# What a table says of a point is cut to so many characters.
LONGEST_FINDING = 40

# A table of worst entries shows so many; its caption says how many are left out.
MOST_ENTRIES = 8


@dataclass(frozen=True)
class ReportTable:
    """Cells with their headings.

    Attributes
    ----------
    caption
        What the rows are.
    headings, rows
        The first column holds names and may be shortened.
    words
        How many columns, from the left, hold words; the others hold numbers.
    """

    caption: str
    headings: Row
    rows: tuple[Row, ...]
    words: int

    def without(self, *headings: str) -> ReportTable:
        """Return the table without the columns of these headings."""
        kept = [column for column, heading in enumerate(self.headings) if heading not in headings]
        names, *rows = (
            tuple(row[column] for column in kept) for row in (self.headings, *self.rows)
        )
        words = sum(column < self.words for column in kept)
        return replace(self, headings=names, rows=tuple(rows), words=words)


def tables(report: Outcome) -> list[ReportTable]:
    """Return the tables of a report: parts, tensors, and the worst entries of what did not pass."""
    found = [point_table(report)] if report.points else []
    found += [part_table(report)] if report.parts else []
    for path, part in walk(report):
        if part.tensors and (part is report or not part.ok):
            found.append(tensor_table(part, path))
    wrong = {name: tensor for name, tensor in _every_tensor(report).items() if tensor.worst}
    return found + [entry_table(tensor, name) for name, tensor in wrong.items()]


def point_table(report: Outcome, most: int | None = None) -> ReportTable:
    """One row for each point, for ``most`` of them at most."""
    rows = tuple(
        (
            f"points[{n}]",
            str(point.verdict),
            "" if point.ok else elide(summarize(point, brief=True).found, LONGEST_FINDING),
            _largest(tensor.relative_error for tensor in measured(point)),
            _largest(tensor.resolution for tensor in measured(point)),
        )
        for n, point in list(report.points.items())[:most]
    )
    left = len(report.points) - len(rows)
    caption = f"points, the worst first{f', {left} more not shown' if left else ''}"
    return ReportTable(
        caption, ("point", "verdict", "found", "relative error", "resolution"), rows, words=3
    )


def part_table(report: Outcome) -> ReportTable:
    """One row for each part of a network."""
    rows = tuple(
        (
            printable(name),
            printable(part.target),
            str(part.verdict),
            _largest(tensor.relative_error for tensor in measured(part)),
            _largest(tensor.resolution for tensor in measured(part)),
        )
        for name, part in report.parts.items()
    )
    headings = ("part", "target", "verdict", "relative error", "resolution")
    alone = set(report.parts) <= {"jvp", "gradient", "hessian"}
    how = "checked by itself" if alone else "at the activations that reach it"
    return ReportTable(f"parts, each {how}", headings, rows, words=3)


def tensor_table(report: Outcome, path: str = "") -> ReportTable:
    """One row for each tensor; the error bound and the resolution are relative, too."""
    rows = tuple(_row(printable(tensor.name), tensor) for tensor in report.tensors.values())
    where = f" of {printable(path)}" if path else ""
    return ReportTable(f"gradients{where}", TENSOR_HEADINGS, rows, words=5)


def gradients_in_brief(report: Outcome, most: int) -> tuple[ReportTable, str]:
    """Return one table of all tensors, wrong ones first, and what is said of those left out.

    Parameters
    ----------
    report
        Whose tensors, those of its parts included.
    most
        How many rows the table has at most.
    """
    ordered = sorted(
        _every_tensor(report).items(), key=lambda item: WORST_FIRST.index(item[1].verdict)
    )
    rows = tuple(_row(name, tensor) for name, tensor in ordered[:most])
    table = ReportTable("gradients", TENSOR_HEADINGS, rows, words=5)
    counts = Counter(WORDS[tensor.verdict] for _, tensor in ordered[most:])
    numbers = ", ".join(f"{count} {word}" for word, count in counts.items())
    if len(counts) == 1:
        numbers = numbers.replace(" ", " more, ")
    elif counts:
        numbers = f"{counts.total()} more: {numbers}"
    return table.without("role", "error bound"), f"and {numbers}" if numbers else ""


def _every_tensor(report: Outcome) -> dict[str, TensorReport]:
    """Return all tensors by the paths to them, those that decide the verdict first.

    A tensor of a part is one of the whole, too: what decides stands for both.
    """
    found: dict[str, TensorReport] = {}
    of_parts = ((path, t) for path, part in walk(report) for t in part.tensors.values())
    for path, tensor in (*tensors_not_passed(report), *of_parts):
        found.setdefault(joined(path, tensor.name), tensor)
    return found


def _row(name: str, tensor: TensorReport) -> Row:
    role, verdict = ROLES.get(tensor.role, tensor.role), str(tensor.verdict)
    return (name, role, shape_words(tensor.shape), tensor.dtype, verdict, *_errors(tensor))


def _errors(tensor: TensorReport) -> Row:
    """Write error, bound and resolution; dashes where nothing was measured."""
    numbers = (tensor.relative_error, tensor.error_bound, tensor.resolution)
    measured = math.isfinite(tensor.error_bound) and tensor.error_bound > 0
    if tensor.resolution == math.inf and not measured:
        return ("-", "-", "-")
    return tuple("-" if number == math.inf else error_number(number) for number in numbers)


def entry_table(tensor: TensorReport, name: str, most: int = MOST_ENTRIES) -> ReportTable:
    """One row for each of the worst entries, ``most`` at most."""
    shown = rounded_to_zero(tensor)[:most]
    rows = tuple(
        (
            index_words(entry.index),
            *analytic_and_numerical(entry),
            f"{entry.bound:.1g}",
            error_number(entry.ratio) if entry.numerical else "-",
        )
        for entry in shown
    )
    what, left = name, _left_out(tensor, len(shown))
    if tensor.jacobian is not None and tensor.jacobian.worst:
        what, left = f"the Jacobian of {name}", ""
    caption = f"worst entries of {what}{left}"
    headings = ("index", "analytic", "numerical", "error bound", "analytic / numerical")
    return ReportTable(caption, headings, rows, words=1)


def _left_out(tensor: TensorReport, shown: int) -> str:
    """Say how many wrong entries are not shown, as far as that is known."""
    wrong = wrong_mask(tensor)
    known = len(tensor.worst) if wrong is None else int(wrong.sum())
    if known > shown:
        return f", {known - shown} more not shown"
    return ", there may be more" if wrong is None and known == MOST_ENTRIES else ""


def _largest(errors: Iterable[float]) -> str:
    return max(map(error_number, errors), key=float, default="-")
