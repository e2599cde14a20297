"""Which matches are told, in which order: simplest first, causes first, once for all tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gradcheck.explain.broken_promises import CONSEQUENCES
from gradcheck.explain.catalogue import Bug, Trait
from gradcheck.explain.match import Match
from gradcheck.report.data import Explanation, TensorReport

# Explanations that cost this much more than the best are not worth reading beside it.
COST_OF_TIE = 0.15

# What matches as well, but takes more words, gets this share of the other's confidence.
SECOND = 0.4

Explained = tuple[Explanation, ...]

# What holds together if one hypothesis is right: the explanations of all that it takes to be wrong.
Alternative = list[Explanation]


def simplest(name: str, matches: Sequence[Match]) -> list[Alternative]:
    """Return the matches that are as short as any, best first, those of the same bugs once."""
    ordered = sorted(matches, key=lambda match: match.cost)
    ties: dict[tuple[Bug, ...], Match] = {}
    for match in ordered:
        if match.cost <= ordered[0].cost + COST_OF_TIE:
            ties.setdefault(match.codes, match)
    return [match.explanations(name, len(ties)) for match in ties.values()]


def joined(whole: list[Alternative], steps: list[Alternative]) -> list[Alternative]:
    """Return what the tensor seen whole tells, and what single steps of the forward tell.

    The whole comes first, being the shorter, unless it tells of a derivative somewhere: then the
    step says where.
    """
    somewhere = bool(whole) and all(Trait.SOMEWHERE in Bug(e.code).traits for e in whole[0])
    first, second = (steps, whole) if somewhere and steps else (whole, steps)
    if not first:
        return second
    named = {e.code for alternative in first for e in alternative}
    sure = min(e.confidence for alternative in first for e in alternative)
    others = [other for other in second if not named & {e.code for e in other}]
    return first + [[replace(e, confidence=SECOND * sure) for e in other] for other in others]


def agree(alternatives: Mapping[str, Sequence[Sequence[Explanation]]]) -> dict[str, Explained]:
    """Choose, for every tensor, the alternative that explains most of the other tensors too.

    A bug in one place often spoils several tensors, and leaves in each of them several
    hypotheses that fit equally; the one they share is the likelier.

    Returns
    -------
    dict
        By tensor, the explanations chosen; rivals that are as likely follow them.
    """
    votes: Counter[str] = Counter()
    for choices in alternatives.values():
        for code in {explanation.code for choice in choices for explanation in choice}:
            votes[code] += 1
    chosen = {}
    for name, choices in alternatives.items():
        support = [min(votes[e.code] for e in choice) for choice in choices]
        kept = [c for c, s in zip(choices, support, strict=True) if s == max(support)]
        named: dict[str, Explanation] = {}
        for number, choice in enumerate(kept):
            for explanation in choice:
                sure = min(1.0, explanation.confidence * len(choices) / len(kept))
                rests_on = replace(explanation.support, alternative=number, rivals=len(kept) - 1)
                told = replace(explanation, confidence=sure, support=rests_on)
                named.setdefault(explanation.code, told)
        chosen[name] = tuple(named.values())
    return chosen


def tell(causes: Sequence[Explanation], reports: Mapping[str, TensorReport]) -> list[Explanation]:
    """Merge the contract's causes with the tensors' explanations, best first."""
    by_code: dict[str, list[Explanation]] = {}
    for explanation in (e for report in reports.values() for e in report.explanations):
        by_code.setdefault(explanation.code, []).append(explanation)
    kept = [
        cause
        for cause in causes
        if not Bug(cause.code).implied_by & by_code.keys()
        and not (by_code.keys() - {Bug.UNEXPLAINED} and cause.support.promise in CONSEQUENCES)
    ]
    merged = [_merge(group) for group in by_code.values()]
    return [*kept, *sorted(merged, key=lambda e: -e.confidence)]


def _merge(group: Sequence[Explanation]) -> Explanation:
    """Say once what was found in several tensors."""
    first = max(group, key=lambda e: round(e.confidence, 2))
    return replace(first, tensors=tuple(name for e in group for name in e.tensors))
