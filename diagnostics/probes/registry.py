"""The experiments, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from diagnostics.finding import Finding
from diagnostics.probes.subject import Subject

Experiment = Callable[[Subject], Finding | None]


@dataclass(frozen=True)
class Probe:
    """One experiment, and the findings that leave nothing for it to decide."""

    name: str
    experiment: Experiment
    unless: frozenset[str]


PROBES: list[Probe] = []


def probe(*, unless: Iterable[str] = ()) -> Callable[[Experiment], Experiment]:
    """Register an experiment: a function from a subject to a finding or None."""

    def add(experiment: Experiment) -> Experiment:
        PROBES.append(Probe(experiment.__name__, experiment, frozenset(unless)))
        return experiment

    return add
