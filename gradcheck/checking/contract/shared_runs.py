"""The runs that the promises of a contract look at, so that none is made twice."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.checking.base_run import ROUNDINGS, BaseRun, agrees
from gradcheck.checking.context import CheckContext
from gradcheck.numerics.blockwise import blocks, largest, same
from gradcheck.numerics.directions import per_entry_scale
from gradcheck.target import ForwardRun

# Whether one promise holds (None: not measurable), and what was measured.
PromiseResult = tuple[bool | None, str]


class SharedRuns:
    """A layer with the runs that several promises look at, so that none is made twice.

    Parameters
    ----------
    context
        The layer at its point.
    base
        The run there, where the layer is still the one that made it; made once more where None.
    """

    def __init__(self, context: CheckContext, base: BaseRun | None = None) -> None:
        self.context = context
        self.evaluator = context.native
        self.tensors: Tensors = context.native.target.tensors
        self.cotangents = tuple(
            v.astype(y.dtype) if y.dtype.kind == "f" else v
            for v, y in zip(
                context.native_base.cotangents, context.native_base.outputs, strict=True
            )
        )
        self.base = base or BaseRun.of(
            self.evaluator, self.evaluator.run(self.tensors), self.tensors, self.cotangents
        )
        self.outputs, self.analytic = self.base.outputs, self.base.analytic

    @cached_property
    def redrawn(self) -> str:
        """How a second forward differs that draws other random numbers; empty if it does not."""
        if self.joint.unmoved:
            return ""
        self.evaluator.target.state.restore(randomness=False)
        return self.differs_from_first(self.evaluator.run_on(self.tensors))

    def differs_from_first(self, second: ForwardRun) -> str:
        """Return how the outputs of ``second`` differ from those of the first, bit for bit."""
        pairs = list(zip(self.outputs, second.outputs, strict=True))
        if all(same(a, b) for a, b in pairs):
            return ""
        if any(a.shape != b.shape for a, b in pairs):
            return "two forwards at the same point give outputs of different shapes"
        gap = max(float(np.nanmax(np.abs(a - b), initial=0.0)) for a, b in pairs)
        share = np.mean([np.mean(a != b) for a, b in pairs])
        return (
            f"two forwards at the same point differ in {share:.0%} of the outputs, by up to "
            f"{gap:.3g}"
        )

    @property
    def batch_tensors(self) -> tuple[str, ...]:
        """The tensors along whose first axis the samples are that the output has; else none."""
        names = self.evaluator.target.batch_tensors
        first = self.outputs[0]
        counted = names and first.ndim and first.shape[0] == self.tensors[names[0]].shape[0]
        return names if counted else ()

    @cached_property
    def repeated(self) -> dict[str, float]:
        """What a second backward gives, as a multiple of the first; NaN if none."""
        if self.base.repeats:
            return dict.fromkeys(self.analytic, 1.0)
        run = self.evaluator.run(self.tensors)
        self.evaluator.pull(run, self.cotangents, last=True)
        second = self.evaluator.pull(run, self.cotangents, last=True)
        return {
            name: next((k for k in (1.0, 2.0) if self.agrees(name, second.get(name), k)), math.nan)
            for name in self.analytic
        }

    def after_another(self, *, rewound: bool) -> ForwardRun:
        """Run the forward after one at another input, with the generators ``rewound`` or not."""
        target = self.evaluator.target
        inputs = [name for name in self.tensors if target.role(name) == "input"]
        moved = {name: _other_value(self.tensors[name]) for name in inputs or self.tensors}
        self.evaluator.run({**self.tensors, **moved})
        target.state.rewind(everywhere=rewound)
        return self.evaluator.run_on(self.tensors)

    def in_fortran_order(self) -> ForwardRun:
        """Run the forward at inputs in Fortran order."""
        role = self.evaluator.target.role
        fortran = {n: np.asfortranarray(v) for n, v in self.tensors.items() if role(n) == "input"}
        return self.evaluator.run({**self.tensors, **fortran})

    @cached_property
    def joint(self) -> JointRuns:
        """What runs show of several promises at once; see `JointRuns`."""
        try:
            return JointRuns.of(self)
        except Exception:  # noqa: BLE001 (which promise it breaks, the run of each by itself says)
            return JointRuns()

    def pull(self, cotangents: Outputs, *, last: bool = False) -> dict[str, Array]:
        """Run forward and backward once more; see `Evaluator.pull`."""
        return self.evaluator.pull(self.evaluator.run(self.tensors), cotangents, last=last)

    def agrees(self, name: str, other: Array | None, factor: float = 1.0) -> bool:
        """Whether ``other`` is ``factor`` times the gradient of ``name``, up to rounding."""
        return agrees(self.analytic[name], other, self.context.eps, factor)

    def repeats(self, outputs: Outputs) -> bool:
        """Whether these outputs are those at the point, bit for bit."""
        return all(map(same, outputs, self.outputs))

    def near(self, output: Array, position: int) -> bool:
        """Whether ``output`` is the output at ``position`` of the first run, up to rounding."""
        first = self.outputs[position]
        allowed = ROUNDINGS * self.context.eps * largest(first)
        return output.shape == first.shape and bool(
            np.allclose(output, first, rtol=0, atol=allowed, equal_nan=True)
        )


@dataclass(frozen=True)
class JointRuns:
    """Promises that runs made for several of them at once show to hold.

    Let u and v be cotangents. Backward(u) after a forward at another input, backward(2v - u/2)
    at inputs in Fortran order, and backward(v) at the point are added up as a linear backward has
    them cancel. Where they do to rounding, each is what it should be: a forward that leaves what
    it stored before, a layout that is read wrongly and a backward that is not linear would have to
    err by opposite amounts, in every entry, for cotangents that were drawn at random.

    Attributes
    ----------
    unmoved
        Whether a forward after one at another input gave the same outputs bit for bit, though the
        global generators were not rewound: it is deterministic, and depends on no earlier call.
    fresh
        Whether the backward after it gives what it should.
    linear
        Whether that holds, and those of other cotangents and in Fortran order give it, too.
    """

    unmoved: bool = False
    fresh: bool = False
    linear: bool = False

    @classmethod
    def of(cls, runs: SharedRuns) -> JointRuns:
        """Make the runs."""
        second = runs.after_another(rewound=False)
        if not runs.repeats(second.outputs):
            return cls()
        if runs.evaluator.target.unit_cotangent:
            stale = runs.evaluator.pull(second, runs.cotangents, last=True)
            return cls(True, all(runs.agrees(name, stale.get(name)) for name in runs.analytic))
        other, mixed = mixed_cotangents(runs.cotangents)
        of_other = runs.evaluator.pull(second, other)
        layout = runs.in_fortran_order()
        if not all(runs.near(output, position) for position, output in enumerate(layout.outputs)):
            return cls(True)
        of_mixed = runs.evaluator.pull(layout, mixed, last=True)
        cancel = all(_cancel(runs, name, of_other, of_mixed) for name in runs.analytic)
        return cls(True, cancel, cancel)


def _cancel(
    runs: SharedRuns, name: str, of_other: Mapping[str, Array], of_mixed: Mapping[str, Array]
) -> bool:
    gradient = runs.analytic[name]
    parts = gradient, of_other[name], of_mixed[name]
    allowed = ROUNDINGS * runs.context.eps * largest(gradient)
    return len({part.shape for part in parts}) == 1 and departure(*parts) <= allowed


def mixed_cotangents(cotangents: Outputs) -> tuple[Outputs, Outputs]:
    """Return cotangents u unlike these, v, and 2v - u/2."""
    other = tuple(_mirrored(v) for v in cotangents)
    pairs = zip(cotangents, other, strict=True)
    return other, tuple((2 * v - u / 2).astype(v.dtype) for v, u in pairs)


def departure(v: Array, u: Array, mixed: Array) -> float:
    """Return how far ``mixed`` is from 2v - u/2 in its worst entry."""
    worst = 0.0
    for a, b, c in blocks(v, u, mixed):
        gap = np.multiply(a, 2, dtype=np.float64) - c
        gap -= np.multiply(b, 0.5, dtype=np.float64)
        worst = float(np.maximum(worst, np.max(np.abs(gap), initial=0.0)))  # NaN stays
    return worst


def _mirrored(v: Array) -> Array:
    """Return a cotangent unlike ``v``: its entries in reverse order, with other signs."""
    flat = v.reshape(-1)[::-1].copy()
    flat[::2] *= -1
    return flat.reshape(v.shape)


def _other_value(value: Array) -> Array:
    """Return the same numbers in another order, so that they stay in the layer's domain."""
    other = value.reshape(-1)[::-1].reshape(value.shape)
    if np.array_equal(other, value):
        other = value + per_entry_scale(value) / 4
    return np.array(other, dtype=value.dtype, order="C")
