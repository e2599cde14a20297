"""The experiments, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding

Experiment = Callable[[Subject], Finding | None]


@dataclass(frozen=True)
class Check:
    """One experiment, and the findings that leave nothing for it to decide."""

    name: str
    experiment: Experiment
    unless: frozenset[str]
    needs: frozenset[str]

    @property
    def sentence(self) -> str:
        """What is done in the experiment: the first line of its docstring."""
        return (self.experiment.__doc__ or "").partition("\n")[0]


CHECKS: list[Check] = []


def check(
    *, unless: Iterable[str] = (), needs: Iterable[str] = ()
) -> Callable[[Experiment], Experiment]:
    """Register an experiment: a function from a subject to a finding or None.

    Parameters
    ----------
    unless
        Findings that leave nothing for it to decide.
    needs
        What has to be given for it to be made, of ``"model"`` (and not mere predictions),
        ``"train"``, ``"history"`` and ``"loss"``.
    """

    def add(experiment: Experiment) -> Experiment:
        name = experiment.__name__
        CHECKS.append(Check(name, experiment, frozenset(unless), frozenset(needs)))
        return experiment

    return add
