"""The conjugate of a cotangent, of a gradient, or of both, of complex arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from gradcheck._types import Array, Outputs
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis, Operator, Stage
from gradcheck.explain.observation import Observation
from gradcheck.numerics.real_parts import IMAGINARY, REAL, part_names

FIX = "multiply by the conjugate: v * np.conj(dy/dz), A.conj().T @ v"


def conjugate_missing(observation: Observation) -> Iterator[Hypothesis]:
    """What multiplies the cotangent is not conjugated, or the cotangent or the gradient is."""
    imaginary = observation.evaluator.target.imaginary
    is_imaginary = observation.name.endswith(IMAGINARY)
    if observation.name not in part_names(observation.name.rpartition(".")[0]):
        return
    negated: Callable[[Array], Array] = lambda direction: -direction  # noqa: E731
    cotangents = _conjugated(imaginary) if any(imaginary) else None
    adjoint = negated if is_imaginary else None
    both = "complex numbers are multiplied where their conjugates belong"
    if cotangents is not None:
        yield _of(both, cotangents, adjoint)
        yield _of("the cotangent is conjugated and should not be", cotangents, None)
    if adjoint is not None and _is_right(observation, observation.name.replace(IMAGINARY, REAL)):
        yield _of("the conjugate of the gradient is returned", None, adjoint)


def _is_right(observation: Observation, name: str) -> bool:
    """Whether the gradient of another tensor is the numerical one."""
    other = replace(observation, name=name, directions=[], _rays={}, _memo={})
    pairs = [(other.analytic_along(d), other.numerical(d)) for d in other.directions]
    return all(abs(a.value - n.value) <= MARGIN * (a.bound + n.bound) for a, n in pairs)


def _of(
    message: str,
    cotangents: Callable[[Outputs, Outputs], Outputs] | None,
    adjoint: Callable[[Array], Array] | None,
) -> Hypothesis:
    operator = Operator(Stage.GRADIENT, cotangents=cotangents, adjoint=adjoint)
    return Hypothesis(Bug.CONJUGATE_MISSING, message, FIX, 0.3, operator)


def _conjugated(imaginary: tuple[bool, ...]) -> Callable[[Outputs, Outputs], Outputs]:
    def conjugated(_: Outputs, cotangents: Outputs) -> Outputs:
        return tuple(-v if part else v for v, part in zip(cotangents, imaginary, strict=True))

    return conjugated
