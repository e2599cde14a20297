"""ReferenceComparison with a reference: the outputs, and the gradients with its own or by numbers.

The reference computes in float64, at the very numbers that what is compared with it was given. Both
differ by roundings: by so many as either may make, of the largest number there is and of what one
rounding of every tensor changes, which is what a badly conditioned function makes of them.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.constraints import Binding, Constraint, bindings, moved_along
from gradcheck.adapters.reference_target import pairs as pairs_of
from gradcheck.adapters.reference_target import reference_in_float64
from gradcheck.checking.context import SAME_FUNCTION, CheckContext
from gradcheck.checking.evaluator import DirectionalFunction, Evaluator, Linearization
from gradcheck.checking.measurer import COARSEST_RESOLUTION, MOST_ROUNDED
from gradcheck.numerics.blockwise import norm
from gradcheck.numerics.directions import varied
from gradcheck.numerics.formats import SINGLE
from gradcheck.report.data import Entry
from gradcheck.report.wording import analytic_and_numerical, index_words
from gradcheck.rounding.comparison import compare_base
from gradcheck.rounding.tensor_comparison import VERDICTS, TensorComparison, worst_of
from gradcheck.target import ForwardRun, Target
from gradcheck.values import TargetError

# Random moves by one rounding, of which the largest change is taken; and directions in which the
# reference is differentiated where it has no gradient: two wrong ones seldom agree in both.
MOVES = 3
DIRECTIONS = 2

FORWARD = "agrees_with_reference"
GRADIENT = "gradient_agrees_with_reference"


@dataclass
class Reference:
    """A reference beside what is compared with it.

    Parameters
    ----------
    context
        What is compared, at its point.
    target
        The reference, in float64 where that can be had.
    source
        The reference where its own gradients come from; None where they are taken by numbers.
    pairs
        The tensors of the reference by those that they stand for.
    accumulator
        The format in which sums are added up, where it is declared.
    """

    context: CheckContext
    target: Target
    source: Target | None
    pairs: dict[str, str]
    accumulator: str | None = None

    @classmethod
    def of(
        cls,
        context: CheckContext,
        reference: Any,
        arguments: Sequence[Any],
        constraint: Constraint | None,
        accumulator: str | None = None,
    ) -> Reference:
        """Read the reference, at the arguments or, where there are none, at the inputs.

        Raises
        ------
        TargetError
            If it is nothing that can be compared.
        """
        subject = context.native.target
        inputs = [v for n, v in subject.tensors.items() if subject.role(n) == "input"]
        native, has_gradient = reference_in_float64(reference, arguments or inputs, subject)
        pairs = pairs_of(subject, native)
        if not pairs:
            raise TargetError(
                f"reference: {native.name} takes none of the tensors {list(subject.tensors)}; let "
                "it take the same inputs, in the same order"
            )
        bound = {pairs[n]: b for n, b in bindings(subject, constraint).items() if n in pairs}
        found = cls(context, native, None, pairs, accumulator)
        found.target = found._at_the_point(native, bound)
        if has_gradient and found._gives_gradients(found.target):
            found.source = found.target
        return found

    def _at_the_point(self, target: Target, bound: Mapping[str, Binding]) -> Target:
        """Return a target at the numbers of what is compared, bound as that is."""
        twin, tensors = copy.copy(target), self.context.native.target.tensors
        given = {own: tensors[n].astype(twin.tensors[own].dtype) for n, own in self.pairs.items()}
        twin.tensors = {**twin.tensors, **given}
        return moved_along(twin, {n: b.moved_to(given[n]) for n, b in bound.items()})

    def _gives_gradients(self, source: Target) -> bool:
        """Whether a target has gradients, and as precise as what is compared."""
        units = [float(np.finfo(value.dtype).eps) for value in source.tensors.values()]
        if max(*units, source.rounding or 0.0) > self.context.eps:
            return False
        try:
            found = self._pulled(source, source.tensors)
        except Exception:  # noqa: BLE001 (code of any kind, in a dtype that it may not be meant for)
            return False
        return found.keys() >= set(self.pairs.values())

    @property
    def promises(self) -> dict[str, Callable[[], tuple[bool | None, str]]]:
        """What the forward and the gradients owe the reference."""
        return {FORWARD: lambda: self.forward, GRADIENT: lambda: self.gradient}

    @cached_property
    def forward(self) -> tuple[bool | None, str]:
        """Whether the outputs are those of the reference, and what was measured."""
        own = self.context.native_base.outputs
        theirs = self._outputs(self.target.tensors)
        if len(own) != len(theirs) or any(
            a.shape != b.shape for a, b in zip(own, theirs, strict=True)
        ):
            return False, f"the outputs have the shapes {_shapes(own)}, not {_shapes(theirs)}"
        if self._in_low_precision:
            return self._judged([each for each in self._compared if "gradient" not in each.name])
        moved = [self._outputs(self._moved(self.target)) for _ in range(MOVES)]
        for number, (mine, other) in enumerate(zip(own, theirs, strict=True)):
            name = "output" if len(own) == 1 else f"output {number}"
            apart = self._apart(name, mine, other, [outputs[number] for outputs in moved])
            if apart:
                return False, apart
        return True, f"the outputs are those of {self.target.name}, to rounding"

    @property
    def _in_low_precision(self) -> bool:
        """Whether there are fewer digits than in float32, so that each rounding counts."""
        return self.context.eps > SINGLE.eps

    @cached_property
    def _compared(self) -> list[TensorComparison]:
        """Outputs and gradients beside those of the reference, by what rounding may change."""
        names = {theirs: own for own, theirs in self.pairs.items()}
        right, differentiates = self.source or self.target, self.source is not None
        return compare_base(self.context, right, names, self.accumulator, gradients=differentiates)

    def _judged(self, compared: Sequence[TensorComparison]) -> tuple[bool | None, str]:
        """Return whether all are within rounding, and the words for the worst of them."""
        worst = worst_of(compared)
        words = f"{worst.kind.replace('_', ' ')}: {worst}"
        return VERDICTS[worst.kind], words

    def on_reference(self) -> Target | None:
        """Return the reference with the names of what is compared, to measure numbers on.

        None where it is another function, or takes not all of the tensors.
        """
        own = self.context.native.target.tensors
        wide = all(value.dtype == np.float64 for value in self.target.tensors.values())
        if not wide or own.keys() != self.pairs.keys() or not self.forward[0]:
            return None

        def run(at: Tensors) -> ForwardRun:
            outputs = self._outputs({self.pairs[name]: value for name, value in at.items()})
            return ForwardRun(outputs, lambda _: {}, {})

        tensors = {name: self.target.tensors[theirs] for name, theirs in self.pairs.items()}
        return Target.from_run(self.target.name, tensors, run)

    @cached_property
    def gradient(self) -> tuple[bool | None, str]:
        """Whether the gradients are those of the reference, and what was measured."""
        if not self.forward[0]:
            return None, "the outputs are not seen to be those of the reference"
        if self._in_low_precision and self.source is not None:
            return self._judged([each for each in self._compared if "gradient" in each.name])
        analytic = self.context.native_base.analytic
        compared = [n for n in analytic if n in self.pairs]
        left = [n for n in analytic if n not in self.pairs]
        beside = f"; not compared, as it does not take them: {', '.join(left)}" if left else ""
        for name in compared:
            apart = self._gradient_apart(name, analytic[name])
            if apart is None:
                return None, f"the reference is too noisy to be differentiated by {name}{beside}"
            if apart:
                return False, apart + beside
        how = "its numerical ones" if self.source is None else "its own"
        return True, f"the gradients of {', '.join(compared)} are {how}, to rounding{beside}"

    def _gradient_apart(self, name: str, analytic: Array) -> str | None:
        """Say how a gradient differs from that of the reference; empty where it does not.

        None where that cannot be told.
        """
        shape = self.target.tensors[self.pairs[name]].shape
        if analytic.size != math.prod(shape):
            return f"the gradient of {name} has the shape {list(analytic.shape)}, not {list(shape)}"
        if self.source is None:
            return self._off_the_numbers(name, analytic.reshape(shape).astype(np.float64))
        own = self.pairs[name]
        found = self._pulled(self.source, self.source.tensors)[own]
        moved = [self._pulled(self.source, self._moved(self.source))[own] for _ in range(MOVES)]
        return self._apart(f"the gradient of {name}", analytic, found, moved)

    def _off_the_numbers(self, name: str, gradient: Array) -> str | None:
        at, evaluator, own = self.target.tensors, Evaluator(self.target), self.pairs[name]
        with self.target.state.guarded():
            outputs = evaluator.run(at).outputs
            cotangents = self._cotangents(outputs)
            point = Linearization(at, outputs, cotangents, {own: gradient}, {})
            for _ in range(DIRECTIONS):
                direction = varied(self.context.rng, evaluator.natural_scale(own, at[own]), at[own])
                along = DirectionalFunction(evaluator, point, own, direction)
                error = along.derivative(cotangents, gradient)
                size = norm(gradient, direction)
                allowed = error.error_bound + self._rounded * size
                if not abs(error.value) <= allowed:
                    return (
                        f"the gradient of {name} is off that of the reference by "
                        f"{abs(error.value):.3g} along a random direction, along which it is "
                        f"{size:.3g}, with {allowed:.1g} for rounding"
                    )
                if error.error_bound > COARSEST_RESOLUTION * size > 0:
                    return None
        return ""

    @property
    def _rounded(self) -> float:
        return min(SAME_FUNCTION * self.context.eps, MOST_ROUNDED)

    def _apart(self, what: str, mine: Array, other: Array, moved: Sequence[Array]) -> str:
        """Say where ``mine`` is farther from ``other`` than by rounding; empty where nowhere."""
        mine, other = mine.astype(np.float64).reshape(other.shape), other.astype(np.float64)
        with np.errstate(all="ignore"):
            reaction = np.max([np.abs(each - other) for each in moved], axis=0) / self.context.eps
            largest = np.max(np.abs(other[np.isfinite(other)]), initial=0.0)
            allowed = self._rounded * (largest + np.where(np.isfinite(reaction), reaction, 0))
            same = (mine == other) | (np.isnan(mine) & np.isnan(other))
            gap = np.where(same, 0.0, np.abs(mine - other))
        wrong = ~(gap <= allowed)
        if not wrong.any():
            return ""
        sizes = np.where(np.isnan(gap), np.inf, np.where(wrong, gap, 0.0))
        at = tuple(map(int, np.unravel_index(np.argmax(sizes), gap.shape)))
        here, there = analytic_and_numerical(Entry(at, float(mine[at]), float(other[at]), 0.0))
        entries = f"; so are {int(wrong.sum())} of {wrong.size} entries" if wrong.size > 1 else ""
        return (
            f"{what}{index_words(at) if at else ''} is {here}, that of the reference {there}, "
            f"farther apart than the {float(allowed[at]):.1g} of rounding{entries}"
        )

    def _moved(self, target: Target) -> dict[str, Array]:
        """Return the point with every entry changed by one rounding at most."""
        moved = dict(target.tensors)
        for name in self.pairs.values():
            value = moved[name]
            signs = self.context.rng.integers(-1, 2, value.shape)
            moved[name] = (value * (1 + self.context.eps * signs)).astype(value.dtype)
        return moved

    def _outputs(self, tensors: Tensors) -> Outputs:
        """Run the reference; axes of length one are as in the outputs compared."""
        with self.target.state.guarded():
            outputs = Evaluator(self.target).run(tensors).outputs
        own = self.context.native_base.outputs
        return (
            tuple(
                y.reshape(mine.shape) if y.squeeze().shape == mine.squeeze().shape else y
                for mine, y in zip(own, outputs, strict=False)
            )
            + outputs[len(own) :]
        )

    def _pulled(self, source: Target, tensors: Tensors) -> dict[str, Array]:
        evaluator = Evaluator(source)
        with source.state.guarded():
            run = evaluator.run(tensors)
            cotangents = self._cotangents(run.outputs)
            found = evaluator.pull(run, cotangents)
        if not source.unit_cotangent:
            return found
        return {n: g * cotangents[0].item() for n, g in found.items()}  # a loss takes none

    def _cotangents(self, outputs: Outputs) -> Outputs:
        """Return the cotangents of the check as the reference takes them."""
        own = self.context.native_base.cotangents
        return tuple(v.astype(y.dtype).reshape(y.shape) for v, y in zip(own, outputs, strict=True))


def _shapes(outputs: Outputs) -> str:
    return ", ".join(str(list(output.shape)) for output in outputs)
