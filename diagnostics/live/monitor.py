"""Reports a finding once, as soon as enough epochs show it."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any, Literal

import numpy as np

from diagnostics.diagnosis import diagnose
from diagnostics.finding import Finding, Severity
from diagnostics.history.history import CURVES, History
from diagnostics.live.alpha_spending import looks, sightings_needed
from diagnostics.report.report import DiagnosisReport
from gradcheck_arguments import Several, checked

# Reported at the first sight: a value that is not finite needs no statistics.
AT_ONCE = "exploding_or_nan"
# Looks missed before a run was met are made up for, the last ones only.
MOST_LOOKS_AT_ONCE = 8


class TrainingWarning(UserWarning):
    """Something is wrong with a run that is going on."""


class Monitor:
    """Judges a run while it goes on; a callback for training loops that hand over records.

    Parameters
    ----------
    classes, samples, mute
        As in `diagnostics.diagnose`.
    columns
        Role to column name, as in `History.read`.
    severity
        The least severity that is reported: ``"problem"``, ``"warning"`` or ``"info"``.
    tell
        Called with each finding; by default a `TrainingWarning` is issued.

    Notes
    -----
    A finding is reported once, and only after it was seen at several looks in a row, each with a
    window of new epochs, so that looking often does not raise false alarms: see
    `diagnostics.live.alpha_spending`. A loss that is NaN or infinite is reported at once.

    Examples
    --------
    >>> found = []
    >>> monitor = Monitor(tell=found.append)
    >>> for epoch in range(3):
    ...     monitor({"epoch": epoch, "loss": float("nan") if epoch == 2 else 1.0})
    >>> [finding.code for finding in found]
    ['exploding_or_nan']
    """

    @checked
    def __init__(
        self,
        *,
        classes: Several | None = None,
        samples: Several | None = None,
        mute: Collection[str] = (),
        columns: Mapping[str, str] | None = None,
        severity: Literal["problem", "warning", "info"] = "warning",
        tell: Callable[[Finding], None] | None = None,
    ) -> None:
        self.records: list[dict[str, Any]] = []
        self._report = partial(diagnose, classes=classes, samples=samples, mute=tuple(mute))
        self._columns = columns
        self._rank = Severity(severity).rank
        self._tell = warn if tell is None else tell
        self._report(History.from_dict({"loss": [1.0]}))  # refuses wrong options now, not later
        self._can_judge = True
        self._begin()

    def _begin(self) -> None:
        self._reported: set[str] = set()
        self._seen: dict[str, int] = {}
        self._looks = enumerate(looks(), start=1)
        self._next = next(self._looks)
        self._rows = 0
        self._start: float | None = None

    @checked
    def __call__(self, record: Mapping[str, Any]) -> None:
        """Take the record of one epoch; what becomes certain by it is reported."""
        self.records.append(dict(record))
        breaks_down = AT_ONCE not in self._reported and not _finite(record)
        if self._can_judge and (breaks_down or len(self.records) >= self._next[1]):
            try:
                self.look(History.from_records(self.records, columns=self._columns))
            except ValueError as error:  # no loss among the records: training goes on
                self._can_judge = False
                _warn(f"this run cannot be judged: {error}", "epoch", len(self.records))

    @checked
    def look(self, history: History) -> list[Finding]:
        """Judge a run as far as it has come, and return what is certain only now.

        A history that starts with another loss than the last one is a new run.
        """
        start = _start(history)
        if start != self._start:
            self._begin()
            self._start = start
        # A run that was resumed may have gone back.
        new_rows = slice(min(self._rows, len(history)), len(history))
        self._rows = len(history)
        certain = dict(self._certain(history))
        # Whether a value logged in these rows is NaN or infinite.
        if any(history.not_finite(role)[new_rows].any() for role in CURVES):
            report = self._report(history)
            certain |= {
                finding.code: finding for finding in report.findings if finding.code == AT_ONCE
            }
        new = [finding for code, finding in certain.items() if code not in self._reported]
        self._reported |= set(certain)
        for finding in new:
            self._tell(finding)
        return new

    @property
    def report(self) -> DiagnosisReport:
        """The diagnosis of all epochs so far."""
        return self._report(History.from_records(self.records, columns=self._columns))

    def _certain(self, history: History) -> Iterator[tuple[str, Finding]]:
        """The findings seen often enough, after every look that is due."""
        due: deque[tuple[int, int]] = deque(maxlen=MOST_LOOKS_AT_ONCE)
        while self._next[1] <= len(history):
            due.append(self._next)
            self._next = next(self._looks)
        for number, rows in due:
            found = [
                f
                for f in self._report(history.head(rows)).findings
                if f.severity.rank <= self._rank
            ]
            self._seen = {f.code: self._seen.get(f.code, 0) + 1 for f in found}
            needed = sightings_needed(number)
            yield from ((f.code, f) for f in found if self._seen[f.code] >= needed)


def warn(finding: Finding) -> None:
    """Issue a finding as a `TrainingWarning`, placed in the run and not in a source file."""
    _warn(str(finding), finding.axis, int(finding.epochs[1]) if finding.epochs else 0)


def _warn(text: str, axis: str, row: int) -> None:
    warnings.warn_explicit(text, TrainingWarning, f"training {axis}", row)


def _finite(record: Mapping[str, Any]) -> bool:
    """Whether no number of a record is NaN or infinite."""
    numbers = (value for value in record.values() if isinstance(value, (float, np.floating)))
    return all(np.isfinite(value) for value in numbers)


def _start(history: History) -> float | None:
    """The first number of the first curve, by which runs are told apart."""
    curve = next(history.columns[history.mapping[r]] for r in CURVES if r in history.mapping)
    return next(iter(curve[np.isfinite(curve)].tolist()), None)
