"""The tables of a report, as text cells; each format draws them its own way."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.report.data import TensorReport
from gradcheck.report.entries import wrong_mask
from gradcheck.report.headline import measured, tensors_not_passed, walk
from gradcheck.report.wording import (
    analytic_and_numerical,
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


def tables(report: Outcome) -> list[ReportTable]:
    """Return the tables of a report: parts, tensors, and the worst entries of what did not pass."""
    found = [part_table(report)] if report.parts else []
    for path, part in walk(report):
        if part.tensors and (part is report or not part.ok):
            found.append(tensor_table(part, path))
    return found + [
        entry_table(tensor, path) for path, tensor in tensors_not_passed(report) if tensor.worst
    ]


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
    alone = set(report.parts) == {"jvp"}
    how = "checked by itself" if alone else "at the activations that reach it"
    return ReportTable(f"parts, each {how}", headings, rows, words=3)


def tensor_table(report: Outcome, path: str = "") -> ReportTable:
    """One row for each tensor; the error bound and the resolution are relative, too."""
    rows = tuple(
        (
            printable(tensor.name),
            ROLES.get(tensor.role, tensor.role),
            shape_words(tensor.shape),
            tensor.dtype,
            str(tensor.verdict),
            *_errors(tensor),
        )
        for tensor in report.tensors.values()
    )
    headings = (
        *("tensor", "role", "shape", "dtype", "verdict"),
        *("relative error", "error bound", "resolution"),
    )
    where = f" of {printable(path)}" if path else ""
    return ReportTable(f"gradients{where}", headings, rows, words=5)


def _errors(tensor: TensorReport) -> Row:
    """Write error, bound and resolution; dashes where nothing was measured."""
    numbers = (tensor.relative_error, tensor.error_bound, tensor.resolution)
    measured = math.isfinite(tensor.error_bound) and tensor.error_bound > 0
    if tensor.resolution == math.inf and not measured:
        return ("-", "-", "-")
    return tuple("-" if number == math.inf else error_number(number) for number in numbers)


def entry_table(tensor: TensorReport, path: str = "") -> ReportTable:
    """One row for each of the worst entries."""
    shown = tensor.worst[:MOST_ENTRIES]
    rows = tuple(
        (
            index_words(entry.index),
            *analytic_and_numerical(entry),
            f"{entry.bound:.1g}",
            error_number(entry.ratio),
        )
        for entry in shown
    )
    caption = f"worst entries of {joined(path, tensor.name)}{_left_out(tensor, len(shown))}"
    headings = ("index", "analytic", "numerical", "error bound", "analytic / numerical")
    return ReportTable(caption, headings, rows, words=1)


def _left_out(tensor: TensorReport, shown: int) -> str:
    """Say how many wrong entries are not shown, as far as that is known."""
    wrong = wrong_mask(tensor)
    known = len(tensor.worst) if wrong is None else int(wrong.sum())
    if known > shown:
        return f", {known - shown} more not shown"
    return ", there may be more" if wrong is None and shown == MOST_ENTRIES else ""


def _largest(errors: Iterable[float]) -> str:
    return max(map(error_number, errors), key=float, default="-")
