"""What a check works with: the layer, its point, and where the numbers are measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.checking.base_run import BaseRun, agrees
from gradcheck.checking.evaluator import Evaluator, Linearization
from gradcheck.checking.single_precision import computes_in_single, returns_singles
from gradcheck.numerics.directions import compact, random_cotangents
from gradcheck.numerics.formats import DOUBLE, SINGLE
from gradcheck.report.data import Unchecked
from gradcheck.target import ForwardRun, Target

# Relative size of the move away from a kink: far beyond the steps of the numerical derivative,
# small beside anything the layer distinguishes.
NUDGE = 2.0**-8

# A target computed in float64 is the same function if its outputs agree with those in the
# layer's own dtype to this many roundings of that dtype.
SAME_FUNCTION = 1e3


class CheckContext:
    """Where analytic gradients are computed and numerical ones measured.

    Analytic gradients come from the layer as it is. Numerical ones come from it too, or, where the
    layer is of low precision and allows it, from the same layer computing in float64.

    Parameters
    ----------
    target
        The layer.
    seed
        Of all random choices.
    cotangents
        Cotangents to use; drawn where None.
    """

    def __init__(self, target: Target, seed: int = 0, cotangents: Outputs | None = None) -> None:
        self.native = Evaluator(target)
        self.promises = target.promises  # and what else is asked of it
        self.seed = seed
        self._drawn_by: list[int] = [seed]
        self.cotangents = cotangents
        self.widened = False
        self.wide = self.native
        self.carried: tuple[bool, ...] | None = None
        run = self.native.run(target.tensors)
        dtypes = [
            value.dtype
            for value in (*target.tensors.values(), *run.outputs)
            if value.dtype.kind == "f"
        ]
        units = [float(np.finfo(dtype).eps) for dtype in dtypes]
        self.eps = max([*units, target.rounding or 0.0])
        self.base = self.native_base = self._base(run)
        if computes_in_single(self.native, run.outputs, seed):
            self.eps = self.native.unit = max(self.eps, SINGLE.eps)
        if self.is_narrow:
            self._widen(target)

    @cached_property
    def uncovered(self) -> tuple[Unchecked, ...]:
        """Arrays beside the tensors that the output depends on; looked for once."""
        target = self.native.target
        return target.uncovered(target)

    @property
    def is_narrow(self) -> bool:
        """Whether the layer computes in less than float64."""
        return self.eps > DOUBLE.eps

    @property
    def forwards(self) -> int:
        """Forward calls made so far."""
        return self.native.forwards + (self.wide.forwards if self.widened else 0)

    @property
    def backwards(self) -> int:
        """Backward calls made so far."""
        return self.native.backwards

    def begin(self, job: str) -> None:
        """Draw from here on as ``job`` does, whatever was drawn for others before."""
        self._drawn_by = [self.seed, *job.encode()]
        self.__dict__.pop("rng", None)

    @cached_property
    def rng(self) -> np.random.Generator:
        """Source of all random choices, made where there is one: most trials draw nothing."""
        return np.random.default_rng(self._drawn_by)

    def _base(self, run: ForwardRun) -> Linearization:
        """Return the point of the check, from one forward and two backwards.

        Where the second backward does not repeat the first, the roundings take another run.
        """
        tensors = self.native.target.tensors
        cotangents = self._cotangents_for(run)
        base = BaseRun.of(self.native, run, tensors, cotangents)
        perturbed = self._perturbed(cotangents)
        again = _attempt(lambda: self.native.pull(run, perturbed, last=True))
        repeats = again is not None and all(
            agrees(gradient, again.get(name), self.eps) for name, gradient in base.analytic.items()
        )
        self.base_run = replace(base, repeats=repeats)
        return self._linearized(
            tensors, run.outputs, cotangents, base.analytic, again if repeats else None
        )

    def point(self, tensors: Tensors) -> Linearization:
        """Evaluate outputs and gradients at ``tensors``: two forwards, two backwards in all."""
        run = self.native.run(tensors)
        cotangents = self._cotangents_for(run)
        analytic = self.native.pull(run, cotangents)
        return self._linearized(tensors, run.outputs, cotangents, analytic)

    def _cotangents_for(self, run: ForwardRun) -> Outputs:
        unit = self.native.target.unit_cotangent
        cotangents = self.cotangents
        if cotangents is None:
            cotangents = random_cotangents(run.outputs, self.rng, unit=unit)
        self.carried = run.carried
        return _of_carried(cotangents, run.carried)

    def _perturbed(self, cotangents: Outputs) -> Outputs:
        return cotangents if self.native.target.unit_cotangent else self.rounded(cotangents)

    def _linearized(
        self,
        tensors: Tensors,
        outputs: Outputs,
        cotangents: Outputs,
        analytic: dict[str, Array],
        perturbed: Mapping[str, Array] | None = None,
    ) -> Linearization:
        """Return a point, with the gradients for ``perturbed`` cotangents where they are known."""
        known = self.native.target.analytic_errors
        unsure = {name: known.get(name, np.zeros(())) for name in analytic}
        if not self.native.target.unit_cotangent:
            if perturbed is None:
                again = self.native.run(tensors)
                perturbed = self.native.pull(again, self.rounded(cotangents), last=True)
            unsure |= {
                name: _gap(analytic[name], other)
                for name, other in perturbed.items()
                if name in analytic
                and other.shape == analytic[name].shape
                # what jumps from one whole number to the next has no rounding to be excused by
                and other.dtype.kind == "f"
            }
        point = Linearization(tensors, outputs, cotangents, analytic, unsure)
        return self._in_wide(point) if self.widened else point

    def gradient(self, tensors: Tensors, cotangents: Outputs, name: str) -> Array:
        """Return the analytic gradient of ``name`` at ``tensors``, as float64 in its shape."""
        run = self.native.run(tensors)
        own = tuple(v.astype(y.dtype) for v, y in zip(cotangents, run.outputs, strict=True))
        gradients = self.native.pull(run, own)
        shape = tensors[name].shape
        gradient = gradients.get(name, np.zeros(()))
        if gradient.size == tensors[name].size:
            return gradient.reshape(shape).astype(np.float64)
        return np.broadcast_to(gradient, shape).astype(np.float64)

    def side(
        self, name: str, signs: Array | float = 0.0, tensors: Tensors | None = None
    ) -> Tensors:
        """Return the tensors, the base ones or others, with every entry of ``name`` moved a little.

        It is moved as its sign says; where all signs are zero, they are drawn.
        """
        base = self.native.target.tensors
        value = base[name]
        if not np.any(signs):
            signs = self.rng.integers(0, 2, value.shape) * 2.0 - 1.0
        sizes = signs * self.rng.uniform(0.5, 1.0, value.shape)
        with np.errstate(all="ignore"):
            moved = (value + NUDGE * self.native.natural_scale(name, value) * sizes).astype(
                value.dtype
            )
        return {**(base if tensors is None else tensors), name: moved}

    def rounded(self, cotangents: Outputs) -> Outputs:
        """Perturb every entry by at most one rounding of its dtype."""
        least = self.native.target.rounding or 0.0
        units = [max(float(np.finfo(v.dtype).eps), least) for v in cotangents]
        return tuple(
            (v * (1 + unit * self.rng.integers(-1, 2, v.shape))).astype(v.dtype)
            for v, unit in zip(cotangents, units, strict=True)
        )

    def _widen(self, target: Target) -> None:
        """Compute the numbers in float64 where the layer computes the same function there."""
        target.state.restore(everything=True)  # the copy is to draw what the layer itself draws
        twin = _attempt(lambda: target.cast(np.float64))
        if twin is None:
            return
        run = _attempt(lambda: Evaluator(twin).run(twin.tensors))
        same = run is not None and self._same_function(run.outputs)
        if same and not returns_singles(Evaluator(twin), self.seed):
            self.measure_on(twin)

    def measure_on(self, twin: Target) -> None:
        """Take the numbers from the same function computing in float64."""
        self.wide, self.widened = Evaluator(twin), True
        self.base = self._in_wide(self.base)

    def _same_function(self, outputs: Outputs) -> bool:
        def close(wide: Array, native: Array) -> bool:
            if wide.dtype.kind != "f":
                return bool(np.array_equal(wide, native))
            size = float(np.max(np.abs(native[np.isfinite(native)]), initial=0.0))
            return wide.dtype == np.float64 and np.allclose(
                wide,
                native.astype(np.float64),
                rtol=SAME_FUNCTION * self.eps,
                atol=SAME_FUNCTION * self.eps * size,
                equal_nan=True,
            )

        return len(outputs) == len(self.base.outputs) and all(
            wide.shape == native.shape and close(wide, native)
            for wide, native in zip(outputs, self.base.outputs, strict=True)
        )

    def _in_wide(self, point: Linearization) -> Linearization:
        wide = {name: value.astype(np.float64) for name, value in point.tensors.items()}
        base = self.wide.target.tensors
        tensors = {
            name: base[name] if np.array_equal(base[name], value, equal_nan=True) else value
            for name, value in wide.items()
        }
        outputs = self.wide.run(tensors).outputs
        cotangents = tuple(v.astype(np.float64) for v in point.cotangents)
        return Linearization(tensors, outputs, cotangents, point.analytic, point.unsure)


def _of_carried(cotangents: Outputs, carried: tuple[bool, ...] | None) -> Outputs:
    """Return the cotangents with zeros for the outputs of which the backward takes none."""
    if carried is None:
        return cotangents
    return tuple(
        v if taken else np.zeros_like(v) for v, taken in zip(cotangents, carried, strict=True)
    )


def _gap(analytic: Array, other: Array) -> Array:
    """Return |gradient - other|, in as few bytes as it fits in."""
    with np.errstate(invalid="ignore"):  # what is not finite is told of elsewhere
        gap = np.asarray(np.subtract(analytic, other, dtype=np.float64))
        return compact(np.abs(gap, out=gap))


def _attempt(action: Callable[[], Any]) -> Any:
    """Return what ``action`` returns, None where the user's code cannot do it."""
    try:
        return action()
    except Exception:  # noqa: BLE001 (any failure of code never meant for it says: not possible)
        return None
