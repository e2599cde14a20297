"""Runs every tool on one trained network, and collects what they find without knowing it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from diagnostics import DiagnosisReport as Diagnosis
from diagnostics import History, investigate
from gradcheck.properties import SuiteReport, run_properties
from gradcheck.properties.property import BAD
from gradcheck.report.report import Report
from gradcheck.training.check_update import check_update
from network import QuestionNetwork

# Samples of the batch on which one training step is examined.
STEP_SAMPLES = 32

# A line has room for so many names of one fault.
MOST_CODES = 2

# Where a remedy may be cut without losing its sense: its code and its alternatives follow.
CLAUSE_END = re.compile(r"[:;] |, or ")

# What each faulty part of the network would show as, in the codes of the tools.
SIGNS = {
    "softmax": {"samples_mixed", "evaluation_bug"},
    "bias": {"summed_to_scalar", "last_sample_only"},
    "output_error": {"gradient_of_other_loss"},
    "loss": {
        "certain_and_wrong_stays_finite",
        "impossible_other_class_costs_nothing",
        "single_prediction_is_a_batch_of_one",
        "zero_at_the_target",
    },
}


@dataclass(frozen=True)
class Sighting:
    """What one tool found of one fault: its name, where, by which measurement, the remedy."""

    code: str
    what: str
    where: str
    evidence: str
    change: str
    tensors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fault:
    """One fault: all sightings of the same ``part`` of the network, by its name in `SIGNS`."""

    part: str
    sightings: tuple[Sighting, ...]

    @property
    def title(self) -> str:
        """The tools' names for it."""
        return ", ".join(dict.fromkeys(sighting.code for sighting in self.sightings))

    @property
    def place(self) -> str:
        """Where it is: the parameters with a wrong gradient, or the part of the network."""
        first = self.sightings[0]
        if not first.tensors:
            return first.where
        names = dict.fromkeys(name for sighting in self.sightings for name in sighting.tensors)
        return ", ".join(names)

    def line(self, number: int, columns: int) -> str:
        """Return its number, names, place and remedy in one line of at most so many columns."""
        codes = list(dict.fromkeys(sighting.code for sighting in self.sightings))
        title = self.title if len(codes) <= MOST_CODES else f"{codes[0]} and {len(codes) - 1} more"
        start = f"{number}  {title} in {self.place}: "
        remedies = {s.change.casefold(): s.change.partition("  #")[0] for s in self.sightings}
        return _fitting(start + "; ".join(remedies.values()), columns, len(start))

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yield what, where, evidence and change, each sighting after the other."""
        for sighting in self.sightings:
            yield "what", sighting.what
            yield "where", sighting.where
            yield "evidence", sighting.evidence
        for change in dict.fromkeys(sighting.change for sighting in self.sightings):
            yield "change", change


def _fitting(text: str, columns: int, start: int) -> str:
    """Shorten to so many columns, where a clause after ``start`` ends, else between words."""
    if len(text) <= columns:
        return text
    ends = [match.start() for match in CLAUSE_END.finditer(text, start)]
    fitting = [end for end in ends if end <= columns]
    return text[: fitting[-1]] if fitting else textwrap.shorten(text, columns, placeholder=" ...")


@dataclass(frozen=True)
class Examination:
    """What the tools found out about one network.

    Attributes
    ----------
    history
        The run that led to it.
    update
        What its training step descends.
    diagnosis
        What experiments on its predictions show.
    loss
        The properties of its loss.
    """

    history: History
    update: Report
    diagnosis: Diagnosis
    loss: SuiteReport

    @property
    def faults(self) -> list[Fault]:
        """Every fault found, sightings of the same part of the network together."""
        groups: dict[str, list[Sighting]] = {}
        for sighting in (*self._of_evaluation(), *self._of_update(), *self._of_loss()):
            part = next((p for p, signs in SIGNS.items() if sighting.code in signs), sighting.code)
            groups.setdefault(part, []).append(sighting)
        return [Fault(part, tuple(group)) for part, group in groups.items()]

    @property
    def parts(self) -> set[str]:
        """The parts of the network in which the faults are, by the names in `SIGNS`."""
        return {fault.part for fault in self.faults}

    def _of_update(self) -> Iterator[Sighting]:
        for e in self.update.explanations:
            where, tensors = f"the gradients of {e.tensor}", e.tensors
            yield Sighting(e.code, e.message, where, e.evidence, e.fix, tensors)

    def _of_evaluation(self) -> Iterator[Sighting]:
        for finding in self.diagnosis.findings:
            if finding.code == "evaluation_bug":
                yield Sighting(
                    finding.code,
                    finding.message,
                    "predict on a batch",
                    ", ".join(finding.evidence_texts()[:4]),
                    finding.next_steps[0] if finding.next_steps else "",
                )

    def _of_loss(self) -> Iterator[Sighting]:
        for result in self.loss.results:
            if result.status in BAD:
                yield Sighting(
                    result.name,
                    result.headline,
                    "the loss",
                    result.counterexample or "see the report",
                    result.parts.get("perhaps", ""),
                )


def examine(
    network: QuestionNetwork,
    fresh: QuestionNetwork,
    train: tuple[Any, Any],
    validation: tuple[Any, Any],
    history: History,
) -> Examination:
    """Examine a trained network, and one step of a ``fresh`` one like it.

    A step from the initial weights is the clearest: no unit is dead and no probability zero yet.
    """
    X, y = train[0][:STEP_SAMPLES].astype(np.float64), train[1][:STEP_SAMPLES]
    step: Callable[[], None] = lambda: fresh.train(X, y)  # noqa: E731 (a name for the report)
    step.__qualname__ = "train(X, y)"
    update = check_update(
        step,
        fresh.params,
        lambda: fresh.loss(fresh.predict(X), y),
        learning_rate=fresh.learning_rate,
        predict=fresh.predict,
        inputs=X,
        targets=y,
    )
    diagnosis = investigate(network.predict, *validation, history=history)
    loss = run_properties("loss", network.loss, examples=50)
    return Examination(history, update, diagnosis, loss)
