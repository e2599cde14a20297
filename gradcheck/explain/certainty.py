"""From what an explanation rests on to how sure it is: the only place where that is decided.

An explanation names a bug whose consequences, predicted number by number, are those observed. Three
things can still make it the wrong one, and each is weighed here:

- chance: hundreds of hypotheses are tried, and each number that is predicted tells them apart. Of
  numbers of which none is left over once some were fitted, or only one, nothing is ever sure;
- rivals: other explanations, as short, that predict the same numbers. They share the certainty;
- kind: different slips have the same consequences at one point. How often an explanation of a kind
  is the slip that was made cannot be derived; it is measured (``python -m benchmarks.calibration``)
  and stands in `RELIABILITY`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from gradcheck.report.data import Explanation, Support

# By kind of support: how often the explanation reported first was right on the first half of the
# layers of `benchmarks.calibration`, by Laplace's rule of succession, (right + 1) / (all + 2), so
# that few trials never make a certainty, rounded down. They were set before the tables of
# docs/certainty.md were made, which say how well they hold on either half.
RELIABILITY = {
    "change, the only one": 0.995,
    "change, one of several": 0.85,
    "change of the forward": 0.8,
    "place": 0.8,
    "pattern, the only one": 0.75,
    "pattern, one of several": 0.75,
    "whole, the only one": 0.8,
    "whole, one of several": 0.8,
    "step, the only one": 0.85,
    "step, one of several": 0.8,
    "description": 0.65,
    "promise": 0.85,
    "promise, of linearity": 0.6,
    "fact": 0.8,
}

# The number, as an alternative, of a change that was verified.
VERIFIED = -1

# What rests on one number is at most this sure: that number is a multiple of any other.
ONE_NUMBER = 0.5

# How sure what is of no kind with a figure of its own is at most.
UNKNOWN_KIND = 0.5

# What is less sure than this beside another explanation of the same tensor is not worth reading.
WORTH_READING = 0.01


def certainty(explanation: Explanation) -> float:
    """Return how sure an explanation is, were it the first of its tensor.

    Parameters
    ----------
    explanation
        Its confidence so far is the share of what it predicts that was not fitted, divided among
        the rivals that fit as well.

    Returns
    -------
    float
        In [0, 1].
    """
    support = explanation.support
    alone = min(1.0, explanation.confidence * (support.rivals + 1))
    sure = alone * RELIABILITY.get(kind_of(support), UNKNOWN_KIND)
    if support.numbers - support.fitted <= 1 and support.kind not in MEASURED:
        sure = min(sure, ONE_NUMBER)
    return sure


# Kinds that state what was measured, or what was verified at other points too: a single number of
# one point is not all that they rest on.
MEASURED = frozenset({"fact", "promise", "change", "change of the forward", "place"})


def kind_of(support: Support) -> str:
    """Return the kind of support by which reliability is measured."""
    if support.kind in ("change", "pattern", "whole", "step"):
        return f"{support.kind}, {'one of several' if support.rivals else 'the only one'}"
    if support.promise == "backward_linear":
        return "promise, of linearity"
    return support.kind


def settle(explanations: Sequence[Explanation]) -> list[Explanation]:
    """Return explanations with their certainties, those of alternatives at most 1 together.

    Parameters
    ----------
    explanations
        All of a report, the causes first. Those of a tensor that differ in
        ``support.alternative`` exclude each other; those of one number hold together.

    Returns
    -------
    list of Explanation
        In the same order, without alternatives that are too unlikely to be worth reading.
    """
    sure = [certainty(explanation) for explanation in explanations]
    of_tensor: dict[str, list[int]] = defaultdict(list)
    for position, explanation in enumerate(explanations):
        for name in explanation.tensors:
            of_tensor[name].append(position)
    limit = [1.0] * len(explanations)
    for positions in of_tensor.values():
        left = 1.0
        alternatives: dict[object, list[int]] = defaultdict(list)
        for position in positions:
            number = explanations[position].support.alternative
            alternatives[("alone", position) if number is None else number].append(position)
        changes = alternatives.pop(VERIFIED, [])  # others share what they leave
        left -= max((sure[p] for p in changes), default=0.0)
        if not changes and alternatives:
            first = alternatives.pop(next(iter(alternatives)))
            left -= max(sure[p] for p in first)
        wanted = sum(max(sure[p] for p in members) for members in alternatives.values())
        if wanted > left:
            for position in (p for members in alternatives.values() for p in members):
                limit[position] = min(limit[position], max(left, 0.0) / wanted)
    settled = [
        replace(explanation, confidence=s * most)
        for explanation, s, most in zip(explanations, sure, limit, strict=True)
    ]
    first_of = {positions[0] for positions in of_tensor.values()}
    return [
        explanation
        for position, explanation in enumerate(settled)
        if position in first_of
        or not explanation.tensors
        or explanation.confidence >= WORTH_READING
    ]
