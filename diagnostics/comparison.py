"""Several runs side by side: one report for each, and a table of them all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from diagnostics.diagnosis import diagnose
from diagnostics.finding import Severity
from diagnostics.history.history import History, as_history
from diagnostics.report import formats
from diagnostics.report.report import DiagnosisReport
from gradcheck_arguments import Several, checked

HEADER = ("run", "rows", "lowest loss", "highest accuracy", "first finding")


@dataclass(frozen=True)
class Comparison(formats.Document):
    """Reports by the names of their runs.

    Parameters
    ----------
    reports
        One report for each run that could be read.
    unread
        Why the others could not be read.
    """

    reports: Mapping[str, DiagnosisReport]
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing of severity ``problem`` was found in any run."""
        return all(report.ok for report in self.reports.values())

    def __repr__(self) -> str:
        runs = "; ".join(f"{name}: {report.headline}" for name, report in self.reports.items())
        return f"<Comparison {'ok' if self.ok else 'PROBLEM'}  {runs}>"

    @property
    def histories(self) -> dict[str, History]:
        """The runs by name."""
        return {name: r.history for name, r in self.reports.items() if r.history is not None}

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The table's cells below `HEADER`, one row for each run."""
        return [(name, *_summary(report)) for name, report in self.reports.items()]

    def __getitem__(self, name: str) -> DiagnosisReport:
        return self.reports[name]

    def __str__(self) -> str:
        table = [HEADER, *self.rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        lost = [f"not read: {name}: {why}" for name, why in self.unread.items()]
        for name, run in self.histories.items():
            lost += [f"{name}: {text}" for text in run.left_out]
            if run.problems:
                lost.append(f"{name}: {len(run.problems)} places not read, first {run.problems[0]}")
        found = [
            f"{name}\n{report.primary}"
            for name, report in self.reports.items()
            if report.primary is not None and report.primary.severity is not Severity.INFO
        ]
        return "\n\n".join(["\n".join([*lines, *lost]), *found])

    def to_dict(self) -> dict[str, Any]:
        """Return plain values only, ready for JSON."""
        runs = {name: report.to_dict() for name, report in self.reports.items()}
        return {"ok": self.ok, "runs": runs, "unread": dict(self.unread)}

    def _to_html(self) -> str:
        """One self-contained page: the table of the runs, their picture, their findings."""
        picture = formats.inline(self._to_image("svg"))
        page = formats.template("comparison.html.j2")
        return page.render(comparison=self, header=HEADER, picture=picture)

    def _to_image(self, file_format: str) -> bytes:
        """The runs side by side with their findings, as PNG or SVG."""
        from diagnostics.report.plots import compare_histories

        findings = {name: report.findings for name, report in self.reports.items()}
        return formats.figure_to_bytes(compare_histories(self.histories, findings), file_format)


@checked
def compare(
    runs: str | Path | Mapping[str, Any] | Iterable[str | Path],
    *,
    classes: Several | None = None,
    samples: Several | None = None,
    mute: Collection[str] = (),
    columns: Mapping[str, str] | None = None,
) -> Comparison:
    """Diagnose several runs.

    Parameters
    ----------
    runs
        A folder, several paths, or a mapping of names to whatever `diagnose` takes.
    classes, samples, mute
        As in `diagnose`.
    columns
        Role to column name, as in `History.read`.

    Returns
    -------
    Comparison
        The runs in the order given; those of a folder by name.

    Raises
    ------
    ValueError
        No run could be read.

    Examples
    --------
    >>> both = compare({"a": {"loss": [2.3, 1.1]}, "b": {"loss": [2.3, float("nan")]}})
    >>> both["b"].primary.code
    'exploding_or_nan'
    """
    unread: dict[str, str] = {}
    if isinstance(runs, Mapping):
        histories = {str(name): as_history(run) for name, run in runs.items()}
    else:
        paths = [runs] if isinstance(runs, (str, Path)) else runs
        histories = _read_all([Path(path) for path in paths], columns, unread)
    if not histories:
        raise ValueError("; ".join(f"{name}: {why}" for name, why in unread.items()) or "no runs")
    reports = {
        name: diagnose(history, classes=classes, samples=samples, mute=mute)
        for name, history in histories.items()
    }
    return Comparison(reports, unread)


def _read_all(
    paths: list[Path], columns: Mapping[str, str] | None, unread: dict[str, str]
) -> dict[str, History]:
    """All runs that can be read, by name; the others go into ``unread``."""
    from diagnostics.history.readers import read_runs

    histories = {}
    for path in paths:
        try:
            tables = read_runs(path)
        except ValueError as error:
            unread[path.name] = str(error)
            continue
        for name, table in tables.items():
            # Files of one name in several folders are told apart by their paths.
            key = name if len(paths) == 1 or name not in histories else str(path)
            try:
                histories[key] = History.from_table(table, columns=columns)
            except ValueError as error:
                unread[key] = str(error)
    return histories


def _summary(report: DiagnosisReport) -> tuple[str, ...]:
    """Rows, best loss, best accuracy and first finding of a run."""
    history = report.history
    if history is None:
        return ("", "", "", "")
    loss = _best(history, "loss", np.nanargmin)
    accuracy = _best(history, "accuracy", np.nanargmax)
    muted = f"none (muted: {', '.join(report.muted)})" if report.muted else "none"
    return str(len(history)), loss, accuracy, report.primary.code if report.primary else muted


def _best(history: History, metric: str, choose: Any) -> str:
    """The best value of the validation (else training) curve, and where."""
    for split in ("val", "train"):
        values = history.curve(f"{split}_{metric}")
        if values is not None and np.isfinite(values).any():
            best = int(choose(np.where(np.isfinite(values), values, np.nan)))
            where = f"{values[best]:.4g} at {history.epochs[best]:g}"
            return where if split == "val" else f"{where} (training)"
    return ""
