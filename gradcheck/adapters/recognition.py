"""Which convention and which reading of it a thing is written in: the numbers decide.

Names only order the tries. A reading is confirmed where the gradients that come of it are the
numerical ones along random directions; if none is, the likeliest by its names stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.adapters.callable_target import CallableTarget, Description
from gradcheck.adapters.signatures.error_hints import Mismatch, unrecognised
from gradcheck.numerics.central_difference import STEP, central_difference
from gradcheck.numerics.directions import random_cotangents
from gradcheck.target import Target, TargetError

# Readings differ by factors of 1.5 and more, or by everything; central differences are off by much
# less than this in float64. Two directions and cotangents leave a chance of a millionth that an
# unrelated gradient agrees.
AGREES = 1e-3
TRIALS = 2
# The same for numbers of float32 and less, whose differences are good to two digits.
COARSE = 2e-2
COARSE_STEP = 2.0**-7


class ConventionModule(Protocol):
    """A way to write things: a module that describes what is written so."""

    def describe(
        self, thing: Any, arguments: Sequence[Any], params: Any = None
    ) -> Description | Target | Mismatch:
        """Return the description of ``thing``, or why it is not written in this convention."""


def described(
    conventions: Sequence[ConventionModule],
    thing: Any,
    arguments: Sequence[Any],
    params: Any = None,
) -> Target:
    """Return the target of ``thing`` by the first convention that can describe it.

    Raises
    ------
    TargetError
        If none can; the message says why not, and what would work.
    """
    mismatches = []
    for convention in conventions:
        found = convention.describe(thing, arguments, params)
        if isinstance(found, Mismatch):
            mismatches.append(found)
        else:
            return found if isinstance(found, Target) else CallableTarget(confirmed(found)).target()
    raise TargetError(unrecognised(thing, mismatches))


def confirmed(description: Description) -> Description:
    """Return the reading of a thing whose gradients are the numerical ones for most tensors.

    The first one, where there are no others, none agrees for more tensors, and none has gradients
    of the right shapes for more.
    """
    if not description.others:
        return description
    best, (agreeing, fitting, given) = description, _agreement(description)
    for other in description.others:
        if 0 < given == agreeing:
            break
        try:
            with description.state.guarded():
                reading = other()
            agreement = _agreement(reading)
        except Exception:  # noqa: BLE001 (code that is called otherwise than it is meant may raise)
            continue
        if agreement[:2] > (agreeing, fitting):
            best, (agreeing, fitting, given) = reading, agreement
    return best


def _agreement(description: Description) -> tuple[int, int, int]:
    """Return of how many tensors the gradients are numerical ones, fit by shape, and are given."""
    subject = CallableTarget(description)
    rng = np.random.default_rng(0)
    unit = description.unit_cotangent
    with description.state.guarded(), np.errstate(all="ignore"):
        outputs = _outputs(subject, {})
        trials = [random_cotangents(outputs, rng, unit=unit) for _ in range(TRIALS)]
        gradients = []
        for cotangents in trials:
            description.state.restore()
            gradients.append(subject.run(subject.base).pullback(cotangents))
        fitting = [n for n, value in subject.base.items() if _fits(gradients[0].get(n), value)]
        agreeing = [
            name
            for name in fitting
            if all(
                _agrees(subject, name, np.asarray(own[name]), cotangents, rng)
                for own, cotangents in zip(gradients, trials, strict=True)
            )
        ]
    return len(agreeing), len(fitting), len(gradients[0])


def _fits(gradient: Any, value: Array) -> bool:
    try:
        array = np.asarray(gradient)
    except ValueError:  # ragged lists
        return False
    return array.shape == value.shape and array.dtype.kind in "fiub"


def _agrees(
    subject: CallableTarget,
    name: str,
    gradient: Array,
    cotangents: Outputs,
    rng: np.random.Generator,
) -> bool:
    value = subject.base[name]
    coarse = min(np.finfo(a.dtype).precision for a in (value, *cotangents)) < 10
    step, tolerance = (COARSE_STEP, COARSE) if coarse else (STEP, AGREES)
    direction = rng.standard_normal(value.shape)

    sizes = []

    def along(t: float) -> float:
        moved = (value + t * direction).astype(value.dtype)
        outputs = _outputs(subject, {name: moved})
        terms = [
            (c.astype(np.float64) * y.astype(np.float64)).ravel()
            for c, y in zip(cotangents, outputs, strict=True)
        ]
        sizes.append(float(sum(np.sum(np.abs(term)) for term in terms)))
        return float(sum(np.sum(term) for term in terms))

    analytic = float(np.vdot(gradient.astype(np.float64), direction))
    numerical = central_difference(along, step)
    eps = max(float(np.finfo(a.dtype).eps) for a in (value, *cotangents))
    allowed = tolerance * max(abs(analytic), abs(numerical)) + eps * max(sizes) / step
    return abs(analytic - numerical) <= allowed


def _outputs(subject: CallableTarget, moved: dict[str, Array]) -> Outputs:
    subject.description.state.restore()
    return subject.run({**subject.base, **moved}).outputs
