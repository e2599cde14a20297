"""Explanations with the line to change, where a change was seen to mend what they explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gradcheck.explain.certainty import settle
from gradcheck.explain.source.repair import Repair
from gradcheck.report.data import Explanation, Support

# The number, as an alternative, of a change that was verified.
VERIFIED = -1

# Codes that say how the numbers look.
DESCRIPTIVE = frozenset(
    {
        "unexplained",
        "few_entries",
        "uniformly_inaccurate",
        "region_dependent",
        "sign_dependent",
        "samples_mixed",
        "constant_factor",
        "path_missing",
    }
)

# Codes of a change that do not say more than that: a factor, a term or a value is another one.
VAGUE = frozenset(
    {
        "clip_ignored",
        "derivative_at_wrong_point",
        "path_missing",
        "additive_term",
        "constant_factor",
        "factor_batch_size",
        "transposed",
        "slope_wrong",
        "activation_derivative_missing",
    }
)

# The same, of a tensor's sign or size: any cause is the better name.
CAUSELESS = frozenset({"unexplained", "sign_dependent"})

# A breach of the whole layer that comes with these: what leaves the cotangent out, rounds it, or
# makes a mask of it is not linear in it.
BROUGHT_WITH = {
    "upstream_ignored": "upstream_ignored",
    "wrong_mask": "upstream_ignored",
    "precision_lost": "upstream_ignored",
    "wrong_dtype": "upstream_ignored",
}

# What a bug looks like to one who knows the numbers alone: a penalty's share is a factor of no
# meaning, and beside a penalty so is the number of samples.
LOOKS_LIKE = {
    "additive_term": ("constant_factor",),
    "factor_batch_size": ("constant_factor", "additive_term"),
    "constant_factor": ("factor_two",),  # a factor that has a name in the code is no mere 2
    "mask_not_applied": ("slope_wrong",),
    "wrong_mask": ("derivative_at_wrong_point", "wrong_index"),
    "sign_flipped": ("additive_term",),
}

# An explanation that is less sure than this gives way to what was seen to mend.
TRUSTED = 0.3

# What names the same bug less well gets this share of its confidence.
SECOND = 0.4
WORTH_READING = 0.2

# A missing mask is the missing derivative of what masks.
SAME = {"activation_derivative_missing": "mask_not_applied"}

# A longer change may mend what is better written anew.
PLAIN = 0.82

# Explanations that say what to write: only a plainer change is better advice.
WRITTEN = frozenset({"gradient_of_other_loss", "softmax_jacobian_twice"})
PLAINER = 0.75


def ranked(told: Sequence[Explanation], repairs: Sequence[Repair]) -> tuple[Explanation, ...]:
    """Return all explanations in the order in which they are read.

    Broken promises come first, then what a change of the code proves, then the rest. Gradients
    that overwrite one another depend on the order of the calls, as if on an earlier one: a stale
    cache is then their consequence.

    Parameters
    ----------
    told, repairs
        As for `proven`.
    """
    causes, others = proven(told, repairs)
    overwritten = any(cause.code == "overwritten_not_accumulated" for cause in causes)
    late = [e for e in others if e.tensors or (overwritten and e.code == "stale_cache")]
    promises = [e for e in others if e not in late]
    return tuple(settle([*promises, *causes, *sorted(late, key=lambda e: bool(e.tensors))]))


def proven(
    told: Sequence[Explanation], repairs: Sequence[Repair]
) -> tuple[list[Explanation], list[Explanation]]:
    """Say which explanations are the causes, and add the line to change.

    A pattern that names the bug keeps its name, as it says more than the change of a line can; one
    that only describes the numbers stands behind the change that mends them.

    Parameters
    ----------
    told
        The explanations so far, best first.
    repairs
        What was seen to mend.

    Returns
    -------
    causes, others
        What the changes mend, each told once for all the tensors that it mends; and what else was
        told, without what is then explained.
    """
    causes: list[Explanation] = []
    others = list(told)
    heard = any(e.code == "upstream_ignored" for e in told)
    for repair in repairs:
        if repair.code == "upstream_ignored" and not heard:
            repair = replace(repair, code="path_missing")
        if repair.of_forward and causes:
            also = f"; or change the forward, {repair.line}"
            causes = [replace(e, fix=e.fix + also) for e in causes]
            continue
        restored = [e for e in others if _is_restored(e, repair)]
        others = [e for e in others if e not in restored]
        about = [e for e in others if _is_about(e, repair)]
        pattern = _naming(about, repair)
        if restored and repair.code in VAGUE:
            pattern = restored[0]  # the broken promise says more
        causes.append(_cause(pattern, repair))
        others = [
            rest
            for e in others
            if (rest := _beside(causes[-1], e) if e in about else e) is not None
        ]
    return causes, others


def _beside(cause: Explanation, other: Explanation) -> Explanation | None:
    """Return what an explanation still says of the tensors that a change mends; None if nothing."""
    if other.code in (cause.code, "unexplained", BROUGHT_WITH.get(cause.code)):
        return None
    if not other.tensors or not set(other.tensors) <= set(cause.tensors):
        return other
    if other.code in DESCRIPTIVE and other.code != "samples_mixed":
        return None
    left = SECOND * other.confidence
    if left < WORTH_READING:
        return None
    # what describes the numbers is no rival of what makes them so
    beside = replace(other.support, alternative=VERIFIED)
    support = beside if other.code in DESCRIPTIVE else other.support
    return replace(other, confidence=left, support=support)


def _is_restored(explanation: Explanation, repair: Repair) -> bool:
    """Whether a breach of the contract is gone with the change, which then explains it."""
    return (
        not explanation.tensors
        and explanation.code != repair.code
        and explanation.support.promise in repair.restored
    )


def _is_about(explanation: Explanation, repair: Repair) -> bool:
    if not explanation.tensors:
        return explanation.code in BROUGHT_WITH.values()
    return not set(repair.tensors).isdisjoint(explanation.tensors)


def _naming(about: Sequence[Explanation], repair: Repair) -> Explanation | None:
    """Return the explanation that names the bug better than the change that mends it."""
    sure = [e for e in about if e.tensors and e.confidence >= TRUSTED and e.code not in CAUSELESS]
    best = [e for e in sure if e.confidence == sure[0].confidence]
    if repair.of_forward:
        # a sum along a wrong axis mixes samples: no backward is meant to belong to that
        mixing = repair.code == "wrong_axis"
        named = [e for e in sure if not mixing or e.code in (repair.code, "samples_mixed")]
        return named[0] if named else None
    if repair.told:  # where lines stand has no pattern
        return None
    if repair.code == "upstream_ignored":
        return next(e for e in about if e.code == repair.code)
    for explanation in (e for e in [*best, *about] if e.code == repair.code):
        if explanation in best or repair.code not in VAGUE:
            return explanation
    if repair.code not in VAGUE:
        sure = [e for e in best if e.code not in DESCRIPTIVE]
    sure = [e for e in sure if e.code not in LOOKS_LIKE.get(repair.code, ())]
    return sure[0] if sure else None


def _cause(pattern: Explanation | None, repair: Repair) -> Explanation:
    tensors = ", ".join(repair.tensors)
    fix = repair.line
    proof = (
        f"with this one change of {repair.place} the gradient of {tensors} is the numerical one, "
        "here and at another point"
    )
    message = repair.message
    if repair.of_forward:
        message = f"in the forward, {message}; the backward is that of the mended one"
        proof = (
            f"with this one change of the forward, {repair.place}, the numerical gradient of "
            f"{tensors} is the one claimed, here and at another point"
        )
    kind = "change of the forward" if repair.of_forward else "change"
    support = Support(kind, rivals=repair.rivals, alternative=VERIFIED)
    if pattern is None:
        return Explanation(repair.code, repair.tensors, 1.0, proof, message, fix, support)
    if repair.code == pattern.code == "additive_term":
        # a penalty is added on purpose: to take it out is advice only where it is not meant
        fix = f"{pattern.fix.partition('; else ')[0]}; else {repair.line}"
    elif repair.of_forward:
        fix = f"{pattern.fix}; or change the forward, {fix}"
    elif _is_long(repair, pattern) and pattern.code not in {repair.code, SAME.get(repair.code)}:
        fix = f"{pattern.fix}  # at {repair.place}"
        proof = f"what goes wrong does so at {repair.place}, where a change makes it right"
        support = replace(support, kind="place")
    evidence = f"{proof}; {pattern.evidence}"
    return replace(
        pattern, tensors=repair.tensors, confidence=1.0, evidence=evidence, fix=fix, support=support
    )


def _is_long(repair: Repair, pattern: Explanation) -> bool:
    return repair.cost > (PLAINER if pattern.code in WRITTEN else PLAIN)
