"""Explanations that hold at other failing inputs too.

At the smallest failing input, all zeros perhaps, nearly every bug predicts the same gradient. What
explains the failure has to explain others as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gradcheck.explain.catalogue import Bug, Trait
from gradcheck.hunt.example import Example, ExampleOutcome, HuntTrial
from gradcheck.report.data import TensorReports
from gradcheck.report.report import Report

# Failing inputs, besides the smallest, at which an explanation has to hold.
MOST_OTHERS = 2


def other_failures(trials: Sequence[HuntTrial], minimal: Example) -> list[Example]:
    """Return failing examples unlike each other: the first found, then one of another family."""
    failing = [
        t.example for t in trials if t.outcome is ExampleOutcome.FAIL and t.example is not minimal
    ]
    chosen: list[Example] = []
    for example in [*failing[:1], *reversed(failing)]:
        if example.family not in {other.family for other in chosen}:
            chosen.append(example)
    return chosen[:MOST_OTHERS]


def agreed(report: Report, others: Sequence[Report]) -> Report:
    """Return ``report`` with the explanations that all the other reports give.

    They are those of the first of the others, which has more entries to tell bugs apart; broken
    promises were seen at the smallest input itself.
    """
    if not others:
        return report
    shared = set.intersection(*({e.code for e in other.explanations} for other in others))
    of_contract = tuple(e for e in report.explanations if not e.tensors)
    # of what only describes the error the condition found by the hunt says more
    shared = {code for code in shared if Trait.DESCRIPTION not in Bug(code).traits}
    of_gradients = (e for e in others[0].explanations if e.tensors and e.code in shared)
    kept = (*of_contract, *of_gradients)
    parts = {
        name: agreed(part, [other.parts[name] for other in others if name in other.parts])
        for name, part in report.parts.items()
    }
    tensors = {
        name: replace(tensor, explanations=tuple(e for e in kept if name in e.tensors))
        for name, tensor in report.tensors.items()
    }
    return replace(report, explanations=kept, parts=parts, tensors=TensorReports(tensors))
