"""Whether a mutant's gradients are right: at the point of the check, and at another.

Changed code runs wherever these methods are called: they are for processes made for it, and raise
whatever it does, or where it does not compile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from types import EllipsisType

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.checking.context import CheckContext
from gradcheck.checking.evaluator import DirectionalFunction, Linearization
from gradcheck.checking.measurer import ROUNDINGS
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.observation import ACCURACY
from gradcheck.explain.source.function_source import Mutant
from gradcheck.explain.source.mutations import Mutation, mutant_of
from gradcheck.numerics.blockwise import all_finite, blocks, norm, project, same
from gradcheck.numerics.directions import per_entry_scale, varied
from gradcheck.numerics.real_parts import with_other_parts
from gradcheck.state import StateSnapshot

# Directions along which a changed backward has to agree.
DIRECTIONS = 3

# Relative error bound of a numerical derivative that still decides.
DECIDES = 1e-3

# Entries measured, of so many wrong gradients, to know some that are right, which have to stay, and
# some that are wrong, which have to change.
SAMPLED = 8
SAMPLED_TENSORS = 3


@dataclass(frozen=True)
class MeasuredTrial:
    """The derivative along one direction of a tensor, within a bound."""

    direction: Array
    value: float
    bound: float


@dataclass
class MutationTrial:
    """Runs mutants, and compares the gradients that they compute with numerical derivatives.

    Parameters
    ----------
    context
        Where gradients are computed and derivatives are measured.
    failed
        The tensors whose gradients are wrong.
    around
        State of all that the code reaches by its global names, which mutants may spoil.
    """

    context: CheckContext
    failed: list[str]
    around: StateSnapshot

    def __post_init__(self) -> None:
        base = self.context.base
        self.known = {name: self._measured(base, name) for name in self.failed}
        for name in self.failed:
            if self._agrees(base, name, self.known[name]):  # wrong by less than could be seen
                self.known[name] = self._measured(base, name, accuracy=0.0)
        # what a direction that is wrong cannot show, no change can be seen to correct
        self.failed = [n for n in self.failed if not self._agrees(base, n, self.known[n])]
        self.failed = [n for n in self.failed if self.known[n]]
        sizes = {name: base.tensors[name].size for name in self.failed}
        smallest = sorted(self.failed, key=lambda name: sizes[name])[:SAMPLED_TENSORS]
        self.sampled = {name: _sampled(self.context, base, name) for name in smallest}

    def corrects(self, mutation: Mutation) -> tuple[str, ...]:
        """Return the tensors whose gradients a mutation gets right at two points."""
        mutant = mutant_of(mutation)
        corrected = self.corrected(mutant)
        if not corrected:
            return ()
        point = self._elsewhere(mutant, corrected)
        return tuple(n for n in corrected if self._agrees(point, n, self._measured(point, n, 1)))

    def corrected(self, mutant: Mutant) -> tuple[str, ...]:
        """Return the tensors whose gradients a mutant gets right, spoiling none."""
        point = replace(self.context.base, analytic=self._gradients(mutant))
        right = tuple(name for name in self.failed if self._agrees(point, name, self.known[name]))
        return () if right and self._spoils(point.analytic) else right

    def altered(self, mutation: Mutation, names: Sequence[str]) -> frozenset[str]:
        """Return the tensors beside ``names`` whose wrong gradients a mutation changes as well."""
        changed = self._changed(self._gradients(mutant_of(mutation)))
        return frozenset(changed & set(self.failed) - set(names))

    def agrees_elsewhere(self, mutant: Mutant, names: Sequence[str]) -> bool:
        """Whether the gradients of a mutant are right where every tensor has other values.

        A tensor that is right as the code stands has to stay so; one whose derivative cannot be
        measured sharply there is left out.
        """
        names = (*names, *(name for name in self.context.base.analytic if name not in self.failed))
        point = self._elsewhere(mutant, names)
        if not all(np.isfinite(output).all() for output in point.outputs):
            return True  # outside the domain of the layer nothing is learned
        measured = {name: self._measured(point, name) for name in names}
        return all(self._agrees(point, name, seen) for name, seen in measured.items() if seen)

    def reach(self, mutant: Mutant) -> float | None:
        """Return the share of the wrong gradients that a mutant changes where they are wrong.

        None where it changes a right one, or the outputs.
        """
        analytic = self._gradients(mutant)
        changed = self._changed(analytic)
        # the parts of a complex gradient are made by the same code, one of them may be right
        if not analytic or not changed <= with_other_parts(self.failed):
            return None
        moved = [
            name in changed
            and not all(_unchanged(analytic[name][i], own[i]) for i in self._entries(name, own))
            for name, own in self.context.base.analytic.items()
            if name in self.failed
        ]
        return sum(moved) / len(moved)

    def _entries(self, name: str, own: Array) -> list[tuple[int, ...] | EllipsisType]:
        """Return entries of a gradient that are known to be wrong; all of it where none is."""
        return [i for i, is_right in self.sampled.get(name, {}).items() if not is_right] or [...]

    def is_right_otherwise(self, mutant: Mutant) -> bool:
        """Whether a mutant computes something else, of which it returns the right gradients."""
        base = self.context.native_base
        with self.trying(mutant):
            outputs = self.context.native.run(base.tensors).outputs
            changed = _comparable(outputs, base.outputs) and not _same(outputs, base.outputs)
            tensors = self.context.native.target.tensors
            return changed and self._is_right(tensors) and self._is_right(self._moved())

    def _is_right(self, tensors: Mapping[str, Array]) -> bool:
        """Whether every gradient of the code as it is agrees with the derivative of its outputs."""
        point = self.context.point(dict(tensors))
        names = sorted(point.analytic, key=lambda name: name not in self.failed)
        return set(names) == set(self.context.base.analytic) and all(
            self._agrees(point, name, self._measured(point, name)) for name in names
        )

    @contextmanager
    def trying(self, mutant: Mutant) -> Iterator[None]:
        """Run a mutant, and undo whatever it does to the layer and to the data around it.

        The process goes on to other mutants, which are not to depend on those before them.
        """
        try:
            with mutant.running():
                yield
        finally:
            self.context.native.target.state.restore(everything=True)
            self.around.restore(everything=True)

    def _moved(self, names: Sequence[str] | None = None) -> dict[str, Array]:
        """Return the tensors with other values for some, those of wrong gradients where None."""
        tensors = dict(self.context.native.target.tensors)
        for name in self.failed if names is None else names:
            if tensors[name].dtype.kind == "f":
                tensors[name] = self.context.side(name, 1.0)[name]
        return tensors

    def _elsewhere(self, mutant: Mutant, names: Sequence[str]) -> Linearization:
        """Return the point of a mutant where some tensors have other values."""
        tensors = self._moved(names)
        with self.trying(mutant):
            return self.context.point(tensors)

    def _gradients(self, mutant: Mutant) -> dict[str, Array]:
        """Return what a mutant returns; nothing where its outputs are others."""
        base, native = self.context.native_base, self.context.native
        with self.trying(mutant):
            run = native.run(base.tensors)
            kept = _same(run.outputs, base.outputs)
            return native.pull(run, base.cotangents) if kept else {}

    def _spoils(self, analytic: Mapping[str, Array]) -> bool:
        """Whether gradients, or entries of wrong ones, that are right are others now."""
        base = self.context.base.analytic
        return any(
            not _unchanged(analytic.get(name), own)
            if name not in self.failed
            else analytic.get(name, own).shape == own.shape
            and not all(
                _unchanged(analytic[name][i], own[i])
                for i, is_right in self.sampled.get(name, {}).items()
                if is_right
            )
            for name, own in base.items()
        )

    def _changed(self, analytic: Mapping[str, Array]) -> set[str]:
        """Return the tensors whose gradients are not those of the code as it is."""
        base = self.context.base.analytic
        return {name for name, own in base.items() if not _unchanged(analytic.get(name), own)}

    def _measured(
        self,
        point: Linearization,
        name: str,
        count: int = DIRECTIONS,
        accuracy: float = ACCURACY,
    ) -> list[MeasuredTrial]:
        """Measure along so many random directions; fewer where most are too blurred."""
        value = point.tensors[name]
        scale = per_entry_scale(value)
        directions = (varied(self.context.rng, scale, value) for _ in range(DIRECTIONS))
        measured = (_derivative(self.context, point, name, d, accuracy) for d in directions)
        return list(islice((found for found in measured if found is not None), count))

    def _agrees(self, point: Linearization, name: str, measured: Sequence[MeasuredTrial]) -> bool:
        analytic = point.analytic.get(name)
        if analytic is None or analytic.shape != point.tensors[name].shape or not measured:
            return False
        rounding = ROUNDINGS * self.context.eps
        return all_finite(analytic) and all(
            abs(project(analytic, m.direction) - m.value)
            <= MARGIN * (m.bound + rounding * norm(analytic, m.direction))
            for m in measured
        )


def _derivative(
    context: CheckContext,
    point: Linearization,
    name: str,
    direction: Array,
    accuracy: float = ACCURACY,
) -> MeasuredTrial | None:
    """Return the derivative along a direction; None where it is too blurred to decide."""
    directional = DirectionalFunction(context.wide, point, name, direction)
    analytic = point.analytic.get(name, np.zeros(0))
    size = norm(analytic, direction) if analytic.shape == direction.shape else 0.0
    found = directional.derivative(point.cotangents, target=accuracy * size)
    if not np.isfinite(found.value) or found.error_bound > DECIDES * abs(found.value):
        return None
    return MeasuredTrial(direction, found.value, found.error_bound)


def _sampled(context: CheckContext, point: Linearization, name: str) -> dict[tuple[int, ...], bool]:
    """Return whether some entries of a wrong gradient are right, but for zeros and blurred ones."""
    analytic, value = point.analytic[name], point.tensors[name]
    if analytic.shape != value.shape or value.size < SAMPLED:
        return {}
    chosen = context.rng.choice(value.size, SAMPLED, replace=False)
    scale = per_entry_scale(value)
    found = {}
    for index in zip(*np.unravel_index(chosen, value.shape), strict=True):
        alone = np.zeros(value.shape)
        alone[index] = scale[index]
        own = float(analytic[index] * scale[index])
        error = DirectionalFunction(context.wide, point, name, alone).derivative(
            point.cotangents, analytic, target=ACCURACY * abs(own), coarse_bound=DECIDES * abs(own)
        )
        if error.error_bound <= DECIDES * abs(own + error.value):
            found[index] = abs(error.value) <= MARGIN * error.error_bound
    return found


def _same(outputs: Outputs, before: Outputs) -> bool:
    return len(outputs) == len(before) and all(map(same, outputs, before))


def _comparable(outputs: Outputs, before: Outputs) -> bool:
    return len(outputs) == len(before) and all(
        y.shape == known.shape and bool(np.isfinite(y).all())
        for y, known in zip(outputs, before, strict=True)
    )


def _unchanged(analytic: Array | None, before: Array) -> bool:
    return (
        analytic is not None
        and analytic.shape == before.shape
        and all(
            np.array_equal(a, b)  # mostly, and ten times as fast
            or np.allclose(a, b, rtol=1e-6, atol=0.0, equal_nan=True)
            for a, b in blocks(analytic, before)
        )
    )
