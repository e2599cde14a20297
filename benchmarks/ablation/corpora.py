"""The cases on which a part is left out or moved, each with the answer that it gets."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import gradcheck
from benchmarks import investigation, mutants, regressions
from benchmarks.corpus import cases as layers
from benchmarks.diagnosis import LOGGED, by_role
from benchmarks.runs.store import read
from diagnostics import History, diagnose, investigate
from gradcheck.explain import explanation_steps
from gradcheck.explain.source.repair import Repairs

NUMBER = re.compile(r"\d[\d_]*(\.\d+)?(e[+-]?\d+)?")
VERDICT = re.compile(r"\b(PASS(?:ED)?|FAIL(?:ED)?|UNDECIDED|ERRORED|SKIPPED|\w+Error)\b")

REPAIRS = explanation_steps.repairs
LOGS = frozenset({".txt", ".log", ".csv", ".tsv"})


@dataclass(frozen=True)
class Answer:
    """What was said about a case: nothing in it depends on the last digits."""

    verdict: str | tuple[str, ...]
    first: str = ""
    others: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    def changes(self, other: Answer) -> tuple[str, ...]:
        """Return which of its parts are not those of another answer."""
        parts = ("verdict", "first", "others", "lines")
        return tuple(p for p in parts if getattr(self, p) != getattr(other, p))


@dataclass(frozen=True)
class Case:
    """A case by its name, and how it is answered."""

    name: str
    answer: Callable[[], Answer]


def corpora(shared: Path | None, count: int) -> dict[str, Callable[[], Iterator[Case]]]:
    """Return all corpora by name: ``count`` mutants, and scripts outside where they are given."""
    found: dict[str, Callable[[], Iterator[Case]]] = {
        "layers": partial(_layers, repair=False),
        "repairs": partial(_layers, repair=True),
        "mutants": lambda: (
            Case(f"mutant {m.case.name}", partial(_check, m.case, repair=True))
            for m in mutants.mutants(count)
        ),
        "runs": _runs,
        "models": _models,
    }
    if shared is not None:
        found["scripts"] = partial(_scripts, shared)
    return found


def _layers(*, repair: bool) -> Iterator[Case]:
    """Yield the layers: without the search for the line, which takes most time; or with it."""
    for case in layers():
        if case.wrong or not repair:
            yield Case(case.name + " +" * repair, partial(_check, case, repair=repair))


def _check(case: Any, *, repair: bool) -> Answer:
    explanation_steps.repairs = REPAIRS if repair else lambda *_, **__: Repairs()
    target, inputs = case.make(0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        report = gradcheck.check(target, *inputs)
    codes = tuple(dict.fromkeys(e.code for e in report.explanations))
    lines = tuple(_words(e.fix) for e in report.explanations[:1])
    broken = tuple(n for n, p in report.contract.items() if p.verdict is not p.verdict.PASS)
    return Answer(str(report.verdict), codes[0] if codes else "", codes[1:] + broken, lines)


def _runs() -> Iterator[Case]:
    """Yield the runs, and the same with less in the log."""
    for run in read():
        yield Case(f"run {run.name}", partial(_findings, partial(diagnose, run.curves)))
    for run in read():
        curves = by_role(run.curves)
        for logged, wanted in list(LOGGED.items())[1:]:
            if set(wanted) <= set(curves):
                fewer = {name: curves[name] for name in wanted}
                ask = partial(diagnose, fewer)
                yield Case(f"run {run.name}, {logged}", partial(_findings, ask))


def _models() -> Iterator[Case]:
    for model in investigation.trained():
        for fault, _, predict, X, y, options in investigation.faulty(model):
            ask = partial(investigate, predict, X, y, **options)
            yield Case(f"{model.name}: {fault}", partial(_findings, ask))
        for form, predict, X, y in investigation.healthy(model):
            ask = partial(investigate, predict, X, y, train=model.train)
            yield Case(f"{model.name}: {form}", partial(_findings, ask))
    for regression in regressions.trained():
        everything = [(name, a) for name, _, a in regressions.faulty(regression)]
        for name, arguments in [*everything, *regressions.healthy(regression)]:
            ask = partial(investigate, **arguments)
            yield Case(f"{regression.name}: {name}", partial(_findings, ask))


def _findings(ask: Callable[[], Any]) -> Answer:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = ask().findings
    codes = tuple(f.code for f in found)
    severities = sorted({str(f.severity) for f in found})
    return Answer(tuple(severities), codes[0] if codes else "", codes[1:])


def _scripts(folder: Path) -> Iterator[Case]:
    """Yield scripts that print what they find, and logs that are read."""
    for path in sorted(folder.rglob("*.py")):
        yield Case(str(path.relative_to(folder)), partial(_printed, path))
    for path in sorted(p for p in folder.rglob("*") if p.suffix in LOGS):
        yield Case(str(path.relative_to(folder)), partial(_findings, partial(_read, path)))


def _read(path: Path) -> Any:
    return diagnose(History.read(path))


def _printed(path: Path) -> Answer:
    out = io.StringIO()
    sys.path.insert(0, str(path.parent))
    raised = ""
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
    ):
        try:
            runpy.run_path(str(path), run_name="__main__")
        except (Exception, SystemExit) as error:
            raised = type(error).__name__
    text = _words(out.getvalue())
    verdicts = (*VERDICT.findall(text), raised)
    return Answer(verdicts, lines=tuple(text.splitlines()))


def _words(text: str) -> str:
    """Return a text without its numbers and what is aligned by them."""
    return re.sub(r"[^\S\n]+|─+|-{2,}", " ", NUMBER.sub("#", text))
