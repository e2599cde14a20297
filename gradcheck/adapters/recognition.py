"""Which convention and which reading of it a thing is written in: the numbers decide.

Names only order the tries. A reading is confirmed where the gradients that come of it are the
numerical ones along random directions; if none is, the likeliest by its names stays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.adapters.callable_target import CallableTarget, Description
from gradcheck.adapters.complex_convention import Convention
from gradcheck.adapters.signatures.error_hints import Mismatch, unrecognised
from gradcheck.checking.evaluator import Evaluator
from gradcheck.numerics.central_difference import STEP, central_difference
from gradcheck.numerics.directions import random_cotangents
from gradcheck.target import Target
from gradcheck.values import TargetError

# Readings differ by factors of 1.5 and more, or by everything; central differences are off by much
# less than this in float64. Two directions and cotangents leave a chance of a millionth that an
# unrelated gradient agrees.
AGREES = 1e-3
TRIALS = 2
# The same for numbers of float32 and less, whose differences are good to two digits.
COARSE = 2e-2
COARSE_STEP = 2.0**-7

# So many readings that are no less likely are kept, for a change that makes one of them right.
MOST_RIVALS = 2

# Entries compared one by one where no reading is right: as many show a correlation that is none of
# chance, at the price of two forwards each.
SAMPLED = 12

OTHER_CONVENTIONS = tuple(c for c in Convention if c is not Convention.GRADIENT)

RIGHT = "so it agrees with the numbers"
LIKELIEST = "no way to read it agrees with the numbers, and this one does best"
CORRECTED = "so one change makes it agree with the numbers"


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
    """Return the reading of a thing whose gradients are the numerical ones.

    Where no reading is right for all tensors, the one that is for most of them, then the one whose
    gradients have the right shapes, are linear in the cotangent, and are the most like the
    numerical ones; the likeliest by its names where that leaves a choice.
    """
    is_complex = any(value.dtype.kind == "c" for value in description.tensors.values())
    if not (description.others or description.inputs.alike or is_complex):
        return description
    trials: list[_Trial] = []
    makers: list[Callable[[], Description]] = [lambda: description, *description.others]
    makers += [partial(_in, c, m) for c in OTHER_CONVENTIONS for m in makers if is_complex]
    for make in makers:
        try:
            with description.state.guarded():
                trials += _trials(make())
        except Exception:  # what is called otherwise than it is meant may raise anything
            if not trials:
                raise
            continue
        if trials[-1].is_right:
            return _with_note(trials[-1], RIGHT)
    best = max(trials, key=lambda trial: trial.evidence)
    rivals = [t for t in trials if t is not best and t.is_rival_of(best)][:MOST_RIVALS]
    others = [partial(_with_note, rival, CORRECTED) for rival in rivals]
    return replace(_with_note(best, LIKELIEST), others=others)


def _in(convention: Convention, make: Callable[[], Description]) -> Description:
    """Return a description with another meaning of complex gradients."""
    found = make()
    if convention.is_of_number and not found.unit_cotangent:
        raise TargetError(f"{found.name} returns no gradient of one number")
    note = f"gradients of complex arrays are read as {convention.value}"
    return replace(found, convention=convention, note=found.note or note)


def _with_note(trial: _Trial, why: str) -> Description:
    note = trial.description.note
    return replace(trial.description, note=f"{note}: {why}" if note else "", others=())


def _trials(description: Description) -> Iterator[_Trial]:
    """Yield a reading, then the same with its single gradient for another input, until right."""
    trial = _Trial(description)
    yield trial
    if len(trial.gradients[0]) == 1 and not trial.is_right:
        for name in description.inputs.alike:
            note = f"the gradient is read as that of {name}"
            other = _Trial(replace(description, single=name, note=description.note or note))
            yield other
            if other.is_right:
                return


class _Trial:
    """One reading, run for a few cotangents, and how much its gradients are like the numbers."""

    def __init__(self, description: Description) -> None:
        self.description = description
        self.evaluator = Evaluator(CallableTarget(description).target())
        self.base = self.evaluator.target.tensors
        self.rng = np.random.default_rng(0)
        with description.state.guarded(), np.errstate(all="ignore"):
            outputs = self.evaluator.run(self.base).outputs
            unit = description.unit_cotangent
            self.cotangents = [
                random_cotangents(outputs, self.rng, unit=unit) for _ in range(TRIALS)
            ]
            self.gradients = [self._gradients(cotangents) for cotangents in self.cotangents]
            first = self.gradients[0]
            self.fitting = [n for n, value in self.base.items() if _fits(first.get(n), value)]
            self.agreeing = [name for name in self.fitting if self._agrees(name)]

    @property
    def is_right(self) -> bool:
        """Whether every gradient that is given is the numerical one."""
        return 0 < len(self.agreeing) == len(self.gradients[0])

    def is_rival_of(self, best: _Trial) -> bool:
        """Whether no shape and no sum of cotangents says that another reading is likelier."""
        return bool(self.fitting) and self.evidence[:-1] == best.evidence[:-1]

    @cached_property
    def evidence(self) -> tuple[float, ...]:
        """How much there is for this reading, what counts most first."""
        with self.description.state.guarded(), np.errstate(all="ignore"):
            return len(self.agreeing), len(self.fitting), self._is_linear(), self._likeness()

    def _gradients(self, cotangents: Outputs) -> dict[str, Any]:
        return self.evaluator.run(self.base).pullback(cotangents)

    def _agrees(self, name: str) -> bool:
        """Whether gradients and numbers agree along a random direction for each cotangent."""
        value = self.base[name]
        for gradients, cotangents in zip(self.gradients, self.cotangents, strict=True):
            direction = self.rng.standard_normal(value.shape)
            analytic = float(np.vdot(_wide(gradients[name]), direction))
            numerical, rounding = self._slope(name, direction, cotangents)
            size = max(abs(analytic), abs(numerical))
            decisive = np.isfinite(analytic) and size > rounding  # two zeros say nothing
            allowed = self._tolerance * size + rounding
            if not (decisive and abs(analytic - numerical) <= allowed):
                return False
        return True

    def _slope(self, name: str, direction: Array, cotangents: Outputs) -> tuple[float, float]:
        """Return the derivative along a direction, and how much of it may be rounding."""
        value = self.base[name]
        step = COARSE_STEP if self._is_coarse else STEP
        sizes = []

        def along(t: float) -> float:
            moved = (value + t * direction).astype(value.dtype)
            outputs = self.evaluator.run({**self.base, name: moved}).outputs
            terms = [_wide(c) * _wide(y) for c, y in zip(cotangents, outputs, strict=True)]
            sizes.append(sum(float(np.sum(np.abs(term))) for term in terms))
            return sum(float(np.sum(term)) for term in terms)

        slope = central_difference(along, step)
        return slope, self._eps * max(sizes) / step

    @cached_property
    def _eps(self) -> float:
        """The coarsest rounding unit of what goes in and comes out."""
        arrays = (*self.base.values(), *self.cotangents[0])
        return max(float(np.finfo(array.dtype).eps) for array in arrays)

    @property
    def _is_coarse(self) -> bool:
        return self._eps > float(np.finfo(np.float64).eps)

    @property
    def _tolerance(self) -> float:
        return COARSE if self._is_coarse else AGREES

    def _is_linear(self) -> bool:
        """Whether the gradients of a sum of cotangents are the sum of their gradients."""
        if self.description.unit_cotangent:
            return True
        one, other = self.gradients
        total = self._gradients(tuple(map(np.add, *self.cotangents)))
        return all(
            np.allclose(_wide(total[n]), _wide(one[n]) + _wide(other[n]), rtol=self._tolerance)
            for n in self.fitting
        )

    def _likeness(self) -> int:
        """Return how much sampled entries of a gradient are like the numbers: 0, 1 or 2.

        The share of those that agree and the square of the correlation of all make 1 together
        where one of them is whole, or half of each. What is less may be chance, few as the entries
        are and with the cotangents in both: there the names decide.
        """
        name = next((n for n in self.fitting if self.base[n].size > 1), None)
        if name is None:
            return 0
        value = self.base[name]
        count = min(SAMPLED, value.size)
        entries = np.random.default_rng(0).choice(value.size, count, replace=False)
        analytic = _wide(self.gradients[0][name]).ravel()[entries]
        numerical = np.empty(count)
        for position, entry in enumerate(entries):
            direction = np.zeros(value.size)
            direction[entry] = 1.0
            along = direction.reshape(value.shape)
            numerical[position], _ = self._slope(name, along, self.cotangents[0])
        agree = np.isclose(analytic, numerical, rtol=self._tolerance)
        spread = float(np.std(analytic) * np.std(numerical))
        products = (analytic - analytic.mean()) * (numerical - numerical.mean())
        correlation = float(np.mean(products)) / spread if spread > 0 else 0.0
        return math.floor(round(float(np.mean(agree)) + correlation**2, 1))


def _fits(gradient: Any, value: Array) -> bool:
    try:
        array = np.asarray(gradient)
    except ValueError:  # ragged lists
        return False
    return array.shape == value.shape and array.dtype.kind in "fiub"


def _wide(array: Any) -> Array:
    return np.asarray(array, dtype=np.float64)
