"""Labelled training runs diagnosed from their curves: ``python -m benchmarks.diagnosis``.

The runs are those of ``benchmarks.runs``, trained on real data with known faults; the rivals are
re-stated in ``benchmarks.rival_diagnoses``. Tables are printed in Markdown.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.rival_diagnoses import RIVALS
from benchmarks.runs.store import FRESH, HELD, OTHER, STRANGE, TUNED, UNSEEN, Curves, Labelled, read
from diagnostics import History, Severity, diagnose
from diagnostics.history.history import CURVES

OURS = "diagnostics"
# The same with warnings counted as alarms, which they are not meant to be.
LOUD = "diagnostics, warnings too"
LOGGED = {
    "all four curves": ("loss", "accuracy", "val_loss", "val_accuracy"),
    "no training accuracy": ("loss", "val_loss", "val_accuracy"),
    "losses only": ("loss", "val_loss"),
    "validation only": ("val_loss", "val_accuracy"),
    "training only": ("loss", "accuracy"),
}
# The parts of the corpus under the names that the tables give them.
PARTS = {part: part for part in (TUNED, HELD, FRESH, OTHER, UNSEEN)} | {STRANGE: "other styles"}


@dataclass(frozen=True)
class Verdict:
    """What a tool says about a run."""

    run: Labelled
    codes: tuple[str, ...]
    alarms: tuple[str, ...]

    @property
    def first(self) -> str:
        """The code that a user reads first."""
        return self.codes[0] if self.codes else "nothing"

    @property
    def right(self) -> bool:
        """Whether the cause is named first."""
        return self.first in self.run.codes


Verdicts = dict[str, list[Verdict]]


def ours(run: Labelled, severities: Collection[Severity] = (Severity.PROBLEM,)) -> Verdict:
    """Diagnose a run; alarms are findings of the severities given."""
    report = diagnose(run.curves)
    alarms = (f.code for f in report.findings if f.severity in severities)
    return Verdict(run, report.codes, tuple(alarms))


def theirs(rule: Callable[[Curves], list[str]]) -> Callable[[Labelled], Verdict]:
    """Diagnose by a re-stated rule; whatever it says is an alarm, for it has no remarks."""

    def verdict(run: Labelled) -> Verdict:
        curves = by_role(run.curves)
        codes = tuple(rule(curves)) if {"loss", "val_loss"} <= set(curves) else ()
        return Verdict(run, codes, tuple(c for c in codes if c != "train_validation_overlap"))

    return verdict


def by_role(curves: Curves) -> Curves:
    """Return curves under the names of Keras, which the rivals know, whatever they are called."""
    if {"loss", "val_loss"} <= set(curves):
        return curves
    history = History.from_dict(curves)
    roles = {name.replace("train_", ""): history.curve(name) for name in CURVES}
    return {name: values.tolist() for name, values in roles.items() if values is not None}


def share(part: int, whole: int) -> str:
    """Return a count out of a total, and the percentage."""
    return f"{part} / {whole} ({part / whole:.0%})" if whole else "-"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def by_tool(verdicts: Verdicts) -> str:
    """Causes named and false alarms, tool by tool and part by part."""
    rows = []
    for tool, said in verdicts.items():
        cells = [tool]
        for part in PARTS:
            told = [v for v in said if v.run.part == part and v.run.codes]
            cells.append(share(sum(v.right for v in told), len(told)))
        healthy = [v for v in said if v.run.healthy]
        cells.append(share(sum(bool(v.alarms) for v in healthy), len(healthy)))
        bugs = [v for v in said if v.run.injected == "evaluation_bug"]
        cells.append(share(sum("overfitting" in v.codes for v in bugs), len(bugs)))
        rows.append(cells)
    head = ["tool", *(f"cause named first: {name}" for name in PARTS.values()),
            "healthy runs with an alarm", "wrong evaluation called overfitting"]  # fmt: skip
    return table(head, rows)


def overfitting(verdicts: Verdicts) -> str:
    """Precision and recall of one finding, wherever the tool puts it; unclear runs left out."""
    rows = []
    for tool, said in verdicts.items():
        clear = [v for v in said if v.run.codes or v.run.healthy]
        fired = [v for v in clear if "overfitting" in v.codes]
        real = [v for v in clear if v.run.codes == ("overfitting",)]
        hits = sum("overfitting" in v.run.codes for v in fired)
        found = sum("overfitting" in v.codes for v in real)
        rows.append([tool, share(hits, len(fired)), share(found, len(real))])
    return table(["tool", "precision of `overfitting`", "recall"], rows)


def by_what_is_logged(runs: list[Labelled]) -> str:
    """The same runs with less in the log: what cannot be told from it must not be made up."""
    rows = []
    named = [(run, by_role(run.curves)) for run in runs]
    for name, wanted in LOGGED.items():
        said = [
            ours(replace(run, curves={k: v for k, v in curves.items() if k in wanted}))
            for run, curves in named
            if set(wanted) <= set(curves)
        ]
        told = [v for v in said if v.run.codes]
        wrong = [v for v in told if v.alarms and not set(v.alarms) & set(v.run.codes)]
        healthy = [v for v in said if v.run.healthy]
        rows.append([
            name,
            share(sum(v.right for v in told), len(told)),
            share(len(wrong), len(told)),
            share(sum(bool(v.alarms) for v in healthy), len(healthy)),
        ])  # fmt: skip
    head = ["logged", "cause named first", "another problem named", "problems on healthy runs"]
    return table(head, rows)


def by_cause(verdicts: Verdicts) -> str:
    """Share named first for each injected fault whose curves can tell."""
    causes = dict.fromkeys(v.run.cause for v in verdicts[OURS] if v.run.codes)
    rows = []
    for cause in sorted(causes):
        cells = [cause.replace("_", " ")]
        for said in verdicts.values():
            told = [v for v in said if v.run.cause == cause and v.run.codes]
            cells.append(f"{sum(v.right for v in told)} / {len(told)}")
        rows.append(cells)
    return table(["cause", *verdicts], rows)


def by_finding(said: list[Verdict]) -> str:
    """Precision, recall and false alarms of each of our findings."""
    codes = sorted({code for v in said for code in (*v.run.codes, *v.alarms)})
    rows = []
    for code in codes:
        named = [v for v in said if v.first == code]
        judged = [v for v in named if v.run.codes or v.run.healthy]
        real = [v for v in said if code in v.run.codes]
        alarms = sum(code in v.alarms for v in said if v.run.healthy)
        rows.append([
            f"`{code}`",
            share(sum(v.right for v in judged), len(judged)),
            share(sum(v.right for v in real), len(real)),
            str(alarms),
        ])  # fmt: skip
    head = ["finding", "right when named first", "runs with it named rightly",
            "problems on healthy runs"]  # fmt: skip
    return table(head, rows)


def everyone(runs: list[Labelled]) -> Verdicts:
    """What we and the rivals say about all runs."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the rivals' rules do not expect infinite losses
        rivals = {name: [theirs(rule)(run) for run in runs] for name, rule in RIVALS.items()}
    loud = [ours(run, (Severity.PROBLEM, Severity.WARNING)) for run in runs]
    return {OURS: [ours(run) for run in runs], LOUD: loud} | rivals


def counts(runs: list[Labelled]) -> str:
    """How many runs there are of each kind, in a sentence."""
    healthy = sum(run.healthy for run in runs)
    told = sum(bool(run.codes) for run in runs)
    return (
        f"{len(runs)} runs: {healthy} healthy, {told} with a fault that the curves can tell, "
        f"{len(runs) - healthy - told} with one that they cannot."
    )


def main() -> None:
    """Print all tables."""
    runs = read()
    verdicts = everyone(runs)
    quiet = {tool: said for tool, said in verdicts.items() if tool != LOUD}
    print(counts(runs))
    for text in (by_tool(verdicts), overfitting(quiet), by_cause(quiet)):
        print(f"\n{text}")
    print(f"\n{by_finding(verdicts[OURS])}")
    print(f"\n{by_what_is_logged(runs)}")


if __name__ == "__main__":
    main()
