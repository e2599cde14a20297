"""Explanations with the line to change, where a change was seen to correct what they explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gradcheck.explain.catalogue import Bug, Trait
from gradcheck.explain.certainty import VERIFIED, settle
from gradcheck.explain.jacobian.additive_term import PENALTY
from gradcheck.explain.source.repair import Repair, Repairs
from gradcheck.report.data import Explanation, Support

# What says of a tensor's sign or size alone that it is wrong: any cause is the better name.
CAUSELESS = frozenset({Bug.UNEXPLAINED, Bug.SIGN_DEPENDENT})

# An explanation that is less sure than this gives way to what was seen to correct.
TRUSTED = 0.3

# What names the same bug less well gets this share of its confidence.
SECOND = 0.4
WORTH_READING = 0.2

# A missing mask is the missing derivative of what masks.
SAME: dict[str, Bug] = {Bug.ACTIVATION_DERIVATIVE_MISSING: Bug.MASK_NOT_APPLIED}

# A longer change may correct what is better written anew.
PLAIN = 0.82

# Explanations that say what to write: only a plainer change is better advice.
WRITTEN = frozenset({Bug.GRADIENT_OF_OTHER_LOSS, Bug.SOFTMAX_JACOBIAN_TWICE})
PLAINER = 0.75


def ranked(explanations: Sequence[Explanation], repairs: Repairs) -> tuple[Explanation, ...]:
    """Return all explanations in the order in which they are read.

    Broken promises come first, then what a change of the code proves, then the rest. Gradients
    that overwrite one another depend on the order of the calls, as if on an earlier one: a stale
    cache is then their consequence.

    Parameters
    ----------
    explanations, repairs
        As for `proven`.
    """
    causes, others = proven(explanations, repairs.found)
    if not causes:
        others = _at(repairs.places, others)
    overwritten = any(cause.code == Bug.OVERWRITTEN_NOT_ACCUMULATED for cause in causes)
    late = [e for e in others if e.tensors or (overwritten and e.code == Bug.STALE_CACHE)]
    promises = [e for e in others if e not in late]
    return tuple(settle([*promises, *causes, *sorted(late, key=lambda e: bool(e.tensors))]))


def _at(places: Sequence[str], explanations: Sequence[Explanation]) -> list[Explanation]:
    """Say in the first explanation of each tensor where to look, where no change is known."""
    if not places:
        return list(explanations)
    file = places[0].rpartition(":")[0]
    *most, last = [places[0], *(place.removeprefix(f"{file}:") for place in places[1:])]
    at = f"{', '.join(most)} or {last}" if most else last
    seen: set[str] = set()
    placed = []
    for explanation in explanations:
        if not seen.issuperset(explanation.tensors):
            fix = f"at {at}: {explanation.fix}"
            seen.update(explanation.tensors)
            explanation = replace(explanation, fix=fix, places=tuple(places))
        placed.append(explanation)
    return placed


def proven(
    explanations: Sequence[Explanation], repairs: Sequence[Repair]
) -> tuple[list[Explanation], list[Explanation]]:
    """Return which explanations are the causes, with the line to change, and which are not.

    A pattern that names the bug keeps its name, as it says more than the change of a line can; one
    that only describes the numbers comes after the change that corrects them.

    Parameters
    ----------
    explanations
        Those so far, best first.
    repairs
        The changes that were seen to correct gradients.

    Returns
    -------
    causes, others
        What the changes correct, each once for all the tensors that it corrects; and the other
        explanations, without what is then explained.
    """
    causes: list[Explanation] = []
    others = list(explanations)
    is_constant = any(e.code == Bug.UPSTREAM_IGNORED for e in explanations)
    for repair in repairs:
        if repair.code == Bug.UPSTREAM_IGNORED and not is_constant:
            repair = replace(repair, code=Bug.PATH_MISSING)
        if repair.of_forward and causes:
            also = f"; or change the forward, {repair.line}"
            causes = [replace(e, fix=e.fix + also) for e in causes]
            continue
        restored = [e for e in others if _is_restored(e, repair)]
        others = [e for e in others if e not in restored]
        about = [e for e in others if _is_about(e, repair)]
        pattern = _naming(about, repair)
        if repair.of_forward and pattern and pattern.code not in (repair.code, Bug.SAMPLES_MIXED):
            continue  # the backward is wrong in a known way: a forward that fits it is no better
        if restored and _is_plain(repair):
            pattern = restored[0]  # the broken promise says more
        causes.append(_cause(pattern, repair))
        others = [
            rest
            for e in others
            if (rest := _beside(causes[-1], e) if e in about else e) is not None
        ]
    return causes, others


def _is_plain(repair: Repair) -> bool:
    """Whether the change says no more than that a factor, a term or a value is another one."""
    return Trait.PLAIN_EDIT in Bug(repair.code).traits


def _is_ambiguous(explanation: Explanation) -> bool:
    bug = Bug.__members__.get(explanation.code.upper())  # a promise may have a name of its own
    return bug is not None and Trait.AMBIGUOUS in bug.traits


def _beside(cause: Explanation, other: Explanation) -> Explanation | None:
    """Return what an explanation still says of the tensors of a cause; None if nothing."""
    if other.code in (cause.code, Bug.UNEXPLAINED):
        return None
    if other.code == Bug.UPSTREAM_IGNORED and cause.code in Bug.UPSTREAM_IGNORED.implied_by:
        return None
    if not other.tensors or not set(other.tensors) <= set(cause.tensors):
        return other
    if _is_ambiguous(other):
        if other.code != Bug.SAMPLES_MIXED:
            return None
        # what describes the numbers is no rival of what makes them so
        other = replace(other, support=replace(other.support, alternative=VERIFIED))
    left = SECOND * other.confidence
    return replace(other, confidence=left) if left >= WORTH_READING else None


def _is_restored(explanation: Explanation, repair: Repair) -> bool:
    """Whether a breach of the contract is gone with the change, which then explains it."""
    return (
        not explanation.tensors
        and explanation.code != repair.code
        and explanation.support.promise in repair.restored
    )


def _is_about(explanation: Explanation, repair: Repair) -> bool:
    if not explanation.tensors:
        return explanation.code == Bug.UPSTREAM_IGNORED
    return not set(repair.tensors).isdisjoint(explanation.tensors)


def _naming(about: Sequence[Explanation], repair: Repair) -> Explanation | None:
    """Return the explanation that names the bug better than the change that corrects it."""
    meant = next((e for e in about if e.code == Bug.GRADIENT_CLIPPED), None)
    if meant is not None:
        return meant
    sure = [e for e in about if e.tensors and e.confidence >= TRUSTED and e.code not in CAUSELESS]
    best = [e for e in sure if e.confidence == sure[0].confidence]
    if repair.of_forward:
        # a sum along a wrong axis mixes samples: no backward is meant to belong to that
        mixing = repair.code == Bug.WRONG_AXIS
        named = [e for e in sure if not mixing or e.code in (repair.code, Bug.SAMPLES_MIXED)]
        return named[0] if named else None
    if repair.instruction:  # where lines stand has no pattern
        return None
    if repair.code == Bug.UPSTREAM_IGNORED:
        return next(e for e in about if e.code == repair.code)
    for explanation in (e for e in [*best, *about] if e.code == repair.code):
        if explanation in best or not _is_plain(repair):
            return explanation
    if not _is_plain(repair):
        sure = [e for e in best if not _is_ambiguous(e)]
    return next((e for e in sure if e.code not in Bug(repair.code).looks_like), None)


def _cause(pattern: Explanation | None, repair: Repair) -> Explanation:
    at, fix, tensors = repair.edit.place, repair.line, ", ".join(repair.tensors)
    edits = () if repair.instruction else (repair.edit,)
    support = Support("change", rivals=repair.rivals, alternative=VERIFIED)
    message = repair.message
    proof = (
        f"with this one change of {at} the gradient of {tensors} is the numerical one, here and at "
        "another point"
    )
    if repair.of_forward:
        support = replace(support, kind="change of the forward")
        message = f"in the forward, {message}; the backward is that of the corrected one"
        proof = (
            f"with this one change of the forward, {at}, the numerical gradient of {tensors} is "
            "the analytic one, here and at another point"
        )
    if pattern is None:
        return Explanation(
            repair.code, repair.tensors, 1.0, proof, message, fix, support, edits=edits
        )
    if pattern.code == Bug.GRADIENT_CLIPPED:  # to switch it off is no correction
        fix, edits = f"{pattern.fix}  # at {at}", ()
        proof = f"the gradient is limited at {at}"
        support = replace(support, kind="place")
    elif repair.code == pattern.code == Bug.ADDITIVE_TERM:
        fix = f"{PENALTY}; else {fix}"
    elif repair.of_forward:
        fix = f"{pattern.fix}; or change the forward, {fix}"
    elif _is_long(repair, pattern) and pattern.code not in {repair.code, SAME.get(repair.code)}:
        fix = f"{pattern.fix}  # at {at}"
        proof = f"what goes wrong does so at {at}, where a change makes it right"
        support = replace(support, kind="place")
    return replace(
        pattern, tensors=repair.tensors, confidence=1.0, evidence=f"{proof}; {pattern.evidence}",
        fix=fix, support=support, edits=edits,
    )  # fmt: skip


def _is_long(repair: Repair, pattern: Explanation) -> bool:
    return repair.cost > (PLAINER if pattern.code in WRITTEN else PLAIN)
