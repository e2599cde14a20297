"""All explanations of a report as one list: causes first, once for all tensors that show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gradcheck.explain.catalogue import Bug
from gradcheck.report.data import Explanation, TensorReport

Explained = tuple[Explanation, ...]


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
    for report in reports.values():
        for explanation in report.explanations:
            by_code.setdefault(explanation.code, []).append(explanation)
    kept = [cause for cause in causes if not Bug(cause.code).implied_by & by_code.keys()]
    merged = [_merge(group) for group in by_code.values()]
    merged.sort(key=lambda e: -e.confidence)
    return [*kept, *merged]


def _merge(group: Sequence[Explanation]) -> Explanation:
    """Say once what was found in several tensors."""
    first = max(group, key=lambda e: round(e.confidence, 2))
    if len(group) == 1:
        return first
    return replace(first, tensors=tuple(name for e in group for name in e.tensors))
