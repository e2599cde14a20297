"""What an activation owes: each entry by itself, the textbook's values, and its derivative."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.formulas.elementwise import ACTIVATIONS
from gradcheck.numerics.derivative import derivative as differentiate
from gradcheck.properties import inputs
from gradcheck.properties.array_function import ArrayFunction
from gradcheck.properties.assertions import (
    FunctionRaisedError,
    PropertyViolationError,
    require,
    require_close,
)
from gradcheck.properties.function_under_test import (
    as_floats,
    call,
    forward_of,
    of_arrays,
    refusal,
    shaped_like,
)
from gradcheck.properties.property import for_all
from gradcheck.properties.tolerance import Tolerance, eps, exact
from gradcheck_arguments import checked

# Where activations differ from one another and no kink is expected.
PROBES = np.array([-3.3, -1.7, -0.6, -0.2, 0.3, 0.9, 1.6, 2.8, 4.1])
PROBES.flags.writeable = False
# Numerical derivatives of the probes are good to 1e-9; conventions differ by far more.
AGREEMENT = 1e-6


class ActivationUnderTest(ArrayFunction):
    """An activation under test.

    Parameters
    ----------
    fn
        ``fn(x)``, of arrays or of single numbers.
    derivative
        ``derivative(x)``, or ``derivative(y)`` of the output, as for sigmoid and tanh; found out.
    kind
        Which activation it should be, such as ``"relu"``; found out where its values tell.
    """

    @checked
    def __init__(
        self, fn: Any, derivative: Callable[..., Any] | None = None, kind: str | None = None
    ) -> None:
        super().__init__(fn)
        if kind is not None and kind not in ACTIVATIONS:
            raise ValueError(f"kind must be one of {sorted(ACTIVATIONS)}, got {kind!r}")
        forward = of_arrays(forward_of(fn), PROBES)
        self.takes_numbers_only = bool(refusal(forward, PROBES.copy()))
        self._forward = (
            np.vectorize(forward, otypes=[float]) if self.takes_numbers_only else forward
        )
        self._derivative = derivative and (
            np.vectorize(derivative, otypes=[float]) if self.takes_numbers_only else derivative
        )
        self.kind = kind or self._recognised()

    @property
    def detected(self) -> dict[str, str]:
        """Which activation it is, and of what its derivative is a function."""
        detected = {"kind": self.kind or "none that is known"}
        if self.takes_numbers_only:
            detected["takes"] = "single numbers, not arrays"
        if self._derivative is not None:
            detected["derivative"] = f"of the {'output' if self.of_output else 'input'}"
        return detected

    def missing(self, need: str) -> str:
        """Return why ``known``, ``derivative``, ``arrays`` or ``batch`` is not there."""
        if need == "known":
            return "" if self.kind else "it is no activation known here"
        if need == "arrays":
            return "it takes single numbers" if self.takes_numbers_only else ""
        if need == "derivative":
            return "" if self._derivative else "no derivative was given"
        return ""

    def __call__(self, x: Array) -> Array:
        """Return the activation of a copy of ``x``."""
        return shaped_like(self.raw(x.copy()), x)

    def raw(self, x: Array) -> Any:
        """Return whatever the function makes of ``x`` itself."""
        result = call(self._forward, x)
        return result.astype(x.dtype) if self.takes_numbers_only and x.dtype.kind == "f" else result

    def slope(self, x: Array) -> Array:
        """Return the analytic derivative at ``x``."""
        if self._derivative is None:
            raise ValueError("no derivative was given")
        return shaped_like(call(self._derivative, self(x) if self.of_output else x.copy()), x)

    def tolerance(self, x: Array) -> Tolerance:
        """Return how far two ways of computing a well-conditioned function of ``x`` may differ."""
        allowance = 16 * eps(x) * (1 + np.abs(x.astype(np.float64)))
        return Tolerance("16 eps (1 + |x|)", relative=16 * eps(x), absolute=allowance)

    @cached_property
    def of_output(self) -> bool:
        """Whether the derivative is written as a function of the output, as y (1 - y) is."""
        if self._derivative is None:
            return False
        try:
            outputs = self(PROBES)
            slopes = np.array([differentiate(self.at, float(x)).value for x in PROBES])
            by_input = as_floats(call(self._derivative, PROBES.copy()))
            by_output = as_floats(call(self._derivative, outputs))
        except (FunctionRaisedError, PropertyViolationError):
            return False
        matches = [
            np.allclose(claimed, slopes, rtol=AGREEMENT, atol=AGREEMENT)
            for claimed in (by_output, by_input)
        ]
        return matches == [True, False]

    def at(self, x: float) -> float:
        """Return the activation of one number."""
        return float(self(np.array([x]))[0])

    def _recognised(self) -> str:
        try:
            values = self(PROBES)
        except (FunctionRaisedError, PropertyViolationError):
            return ""
        for name, known in ACTIVATIONS.items():
            if np.allclose(values, known.value(PROBES), rtol=AGREEMENT, atol=AGREEMENT):
                return name
        return ""


@for_all(
    inputs.logits,
    needs=["arrays"],
    why="An activation that sees its neighbours mixes samples, and its derivative is no diagonal.",
)
def each_entry_as_if_alone(fn: ActivationUnderTest, x: Array) -> None:
    """Every entry gives what it gives alone."""
    alone = np.array([fn(np.array([value]))[0] for value in x.ravel()]).reshape(x.shape)
    require_close(fn(x), alone, fn.tolerance(x), "an entry depends on the others")


@for_all(
    inputs.logits,
    needs=["known"],
    why="It is the definition; one branch or one constant is easily wrong.",
)
def agrees_with_reference(fn: ActivationUnderTest, x: Array) -> None:
    """Every value is that of the textbook formula, computed stably in extended precision."""
    require_close(
        fn(x),
        ACTIVATIONS[fn.kind].value(x),
        fn.tolerance(x),
        f"a value differs from that of {fn.kind}",
    )


@for_all(
    needs=["known"],
    pins=[{"x": np.array([size, -size])} for size in (50.0, 1e3, 1e6, 1e300)],
    why="Pre-activations grow during training; exp overflows at 710, and inf / inf is NaN.",
)
def huge_inputs_stay_right(fn: ActivationUnderTest, x: Array) -> None:
    """Inputs of any finite size give the limit that the formula has there."""
    require_close(
        fn(x),
        ACTIVATIONS[fn.kind].value(x),
        Tolerance(
            "1e-9 of the value: far out, only the limit counts", relative=1e-9, absolute=1e-9
        ),
        f"far from zero, the value is not that of {fn.kind}",
        cause="exp overflows, and inf / inf or inf * 0 is NaN: use a form whose exponent is never "
        "positive, such as scipy.special.expit or np.logaddexp",
    )


@for_all(
    lambda _: inputs.poisoned_logits(),
    needs=["arrays"],
    why="One corrupt entry must not spoil the others.",
)
def nan_stays_in_its_entry(fn: ActivationUnderTest, x: Array, row: int, j: int) -> None:
    """A NaN leaves all other entries as they were."""
    poisoned = x.copy()
    poisoned[row, j] = np.nan
    others = np.ones(x.shape, dtype=bool)
    others[row, j] = False
    require_close(fn(poisoned)[others], fn(x)[others], exact(), "a NaN changes another entry")


@for_all(
    inputs.logits,
    needs=["known"],
    why="A value outside the range breaks what relies on it: logarithms, probabilities, gates.",
)
def range_kept(fn: ActivationUnderTest, x: Array) -> None:
    """No value leaves the range of the activation."""
    low, high = ACTIVATIONS[fn.kind].range
    y = fn(x)
    require_close(np.clip(y, low, high), y, exact(), f"a value lies outside [{low:g}, {high:g}]")


@for_all(
    inputs.logits,
    needs=["derivative"],
    why="Backpropagation multiplies by it; at a kink any slope between the two sides will do.",
)
def derivative_is_slope(fn: ActivationUnderTest, x: Array) -> None:
    """The derivative is the numerical one, or lies between the one-sided ones at a kink."""
    claimed = fn.slope(x)
    for value, slope in zip(x.ravel(), claimed.ravel(), strict=True):
        numerical = differentiate(fn.at, float(value))
        bound = numerical.side_bound
        if not np.isfinite(bound):
            continue
        require_close(
            slope,
            numerical.nearest(float(np.nan_to_num(slope))),
            Tolerance("the error bound of the numerical derivative", absolute=2 * bound + 1e-12),
            f"the derivative at {value:g} is not the slope of the activation",
            cause="a wrong branch or constant; or the derivative is one of the output and is not "
            "recognised as such",
        )


@for_all(
    needs=["derivative"],
    pins=[{"x": np.array([size, -size])} for size in (50.0, 1e3, 1e6)],
    why="A saturated unit has a slope of zero; as NaN it kills the whole network.",
)
def derivative_finite_far_out(fn: ActivationUnderTest, x: Array) -> None:
    """Far from zero the derivative is still a number."""
    slope = fn.slope(x)
    require(
        np.isfinite(slope).all(),
        "far from zero the derivative is not finite",
        where=f"x = {x.tolist()}",
        got=slope,
        expected="finite numbers",
        cause="exp overflows, and inf / inf or inf * 0 is NaN",
    )
