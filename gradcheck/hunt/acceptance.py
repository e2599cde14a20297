"""Failures that prove nothing against a layer, as extreme inputs bring them about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck._types import Array, Tensors
from gradcheck.adapters import as_target
from gradcheck.adapters.conventions import sequential
from gradcheck.check import check
from gradcheck.checking.linearization import NUDGE, CheckContext
from gradcheck.numerics.derivative import derivative
from gradcheck.report.data import TensorReport, Verdict
from gradcheck.report.report import Report
from gradcheck.target import is_differentiable

# A derivative known to a tenth is finite for certain.
SURE = 0.1
# Sides of a point on which claims are heard.
SIDES = 8
# Shares of the way to a side: where a layer that is wrong at a kink only is right again, and where
# claims that are continuous are close to the one at the point.
BESIDE, NEARER = 2.0**-4, 2.0**-12
# Roundings of an ordinary gradient, scaled as the inputs are, that a forward may lose.
ROUNDINGS = 16
# Of the spread of the claims around a point, as `gradcheck.checking.kinks` allows.
BETWEEN = 0.1


def excuse(layer: Any, inputs: Sequence[Any], report: Report, ordinary: Mapping[str, float]) -> str:
    """Say why a failure at ``inputs`` proves nothing; empty where it does, or there is none.

    Parameters
    ----------
    layer, inputs
        What was checked.
    report
        Of the check.
    ordinary
        Largest entries of the gradients at an ordinary input, by tensor.
    """
    if report.verdict is not Verdict.FAIL:
        return ""
    broken = {p.name for p in report.contract.values() if p.required and p.holds is False}
    wrong = [t for t in report.tensors.values() if t.verdict is Verdict.FAIL]
    if broken - {"finite"} or not (wrong or report.parts):
        return ""
    point = _Point(layer, tuple(inputs), report.seed, ordinary)
    excuses = [point.excuse(tensor) for tensor in wrong]
    guilty = {name: part for name, part in report.parts.items() if part.verdict is Verdict.FAIL}
    if guilty:
        excuses += [
            excuse(part, given, guilty[name], _of_part(name, ordinary))
            for name, part, given in sequential.parts(layer, inputs)
            if name in guilty
        ]
    return excuses[0] if excuses and all(excuses) else ""


@dataclass(frozen=True)
class _Point:
    """A layer at an input where its gradient was found wrong."""

    layer: Any
    inputs: tuple[Any, ...]
    seed: int
    ordinary: Mapping[str, float]

    def excuse(self, tensor: TensorReport) -> str:
        """Say what speaks for the gradient of one tensor."""
        claimed = tensor.analytic
        if claimed is None or claimed.shape != tensor.shape or not claimed.size:
            return ""
        if not np.isfinite(claimed).all():
            return (
                ""
                if self._is_finite(tensor.name, claimed)
                else f"{tensor.name}: its derivative is not finite here"
            )
        if self._is_negligible(tensor, claimed):
            return f"{tensor.name}: what is wrong is lost beside gradients of ordinary size"
        if self._is_convention(tensor.name):
            return (
                f"{tensor.name}: right beside this point, and at it between what is claimed around"
            )
        return ""

    def _is_finite(self, name: str, claimed: Array) -> bool:
        """Whether the derivative by the first entry that is claimed infinite is known.

        A square root at zero rightly claims infinity; a norm at zero has no such excuse.
        """
        target = as_target(self.layer, *self.inputs)
        value = target.tensors[name]
        index = tuple(np.argwhere(~np.isfinite(claimed))[0])

        def along(t: float) -> float:
            moved = value.copy()
            moved[index] += t
            target.state.restore()
            outputs = target.call({**target.tensors, name: moved}).outputs
            return float(sum(output.sum(dtype=np.float64) for output in outputs))

        try:
            found = derivative(along)
        except (ValueError, ArithmeticError):
            return False
        if found.kink is not None:
            return True
        return bool(found.error_bound <= SURE * max(abs(found.value), 1.0))

    def _is_negligible(self, tensor: TensorReport, claimed: Array) -> bool:
        """Whether all that is wrong is lost when an ordinary gradient is added to it.

        In such tails the forward rounds to a constant, and the backward is right or is not.
        """
        floats = [np.abs(x).max(initial=1.0) for x in self.inputs if is_differentiable(x)]
        ordinary = self.ordinary.get(tensor.name, 0.0) * float(max(floats, default=1.0))
        least = ROUNDINGS * float(np.finfo(claimed.dtype).eps) * ordinary
        if not (np.abs(claimed) < least).any():
            return False
        located = check(
            self.layer,
            *self.inputs,
            tensors=[tensor.name],
            seed=self.seed,
            contract=False,
            explain=False,
            progress=False,
        )
        worst = located.tensors[tensor.name].worst
        return bool(worst) and all(abs(e.analytic - e.numerical) < least for e in worst)

    def _is_convention(self, name: str) -> bool:
        """Whether the layer is right beside its kinks, and claims something between at them.

        At zeros every unit of a network without biases has its kink. The valid slope that each is
        given may be none for the network as a function of its input alone; as one of its biases
        too, which part the kinks, it is in the Clarke subdifferential.
        """
        context = CheckContext(as_target(self.layer, *self.inputs), self.seed)
        sides = [self._side(context, sign) for sign in (1.0, -1.0, *[0.0] * SIDES)]
        base = context.native.target.tensors
        cotangents = tuple(np.abs(v) for v in context.native_base.cotangents)
        here = context.claim(base, cotangents, name)
        around = [context.claim(side, cotangents, name) for side in sides]
        # ties are broken the way they were at the point, and the other way
        preferred = np.sign(here - np.mean(around, axis=0))
        for signs in (preferred, -preferred):
            sides.append({**base, name: context.side(name, signs)[name]})
            around.append(context.claim(sides[-1], cotangents, name))
        if not self._is_right_beside(sides[-2]):
            return False
        near = [context.claim(_nearer(base, side), cotangents, name) for side in sides]
        return _is_limit(here, near, around) or _is_between(here, np.array(around))

    def _is_right_beside(self, tensors: Tensors) -> bool:
        """Whether the layer passes at inputs moved by less than that."""
        in_order = iter(tensors.values())
        moved = [
            (x + BESIDE * (next(in_order) - x)).astype(x.dtype) if is_differentiable(x) else x
            for x in self.inputs
        ]
        report = check(
            self.layer, *moved, seed=self.seed, contract=False, explain=False, progress=False
        )
        return report.ok

    def _side(self, context: CheckContext, sign: float) -> Tensors:
        """Return all tensors moved a little: inputs at random, parameters up, down or at random."""
        target = context.native.target
        moved = {}
        for name, value in target.tensors.items():
            signs = context.random_signs(name)
            if sign and target.role(name) != "input":
                signs = np.full(value.shape, sign)
            moved[name] = context.side(name, signs)[name]
        return moved


def _nearer(base: Tensors, side: Tensors) -> Tensors:
    """Return the tensors on the way from the point to a side, close to the point."""
    return {
        name: (value + NEARER * (side[name] - value)).astype(value.dtype)
        for name, value in base.items()
    }


def _is_limit(here: Array, near: Sequence[Array], around: Sequence[Array]) -> bool:
    """Whether the claims tend to the one at the point: then it is right because they are."""
    far = max(float(np.abs(claim - here).max()) for claim in around)
    close = max(float(np.abs(claim - here).max()) for claim in near)
    return close <= float(np.sqrt(NEARER)) * far


def _is_between(here: Array, around: Array) -> bool:
    """Whether the claim at the point and the sum of its entries lie among those around."""
    axes = tuple(range(1, around.ndim))
    size = 2 * NUDGE * np.abs(around).max()
    sums = around.sum(axis=axes)
    pairs = ((here, around, size), (here.sum(), sums, size * np.sqrt(here.size)))
    for claim, others, rounding in pairs:
        slack = BETWEEN * np.ptp(others, axis=0) + rounding
        if not np.all(
            (claim >= others.min(axis=0) - slack) & (claim <= others.max(axis=0) + slack)
        ):
            return False
    return True


def _of_part(name: str, ordinary: Mapping[str, float]) -> dict[str, float]:
    """Return the sizes of one part's gradients, under its own names."""
    return {n.removeprefix(f"{name}."): size for n, size in ordinary.items()}
