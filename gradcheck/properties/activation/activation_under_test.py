"""An activation as the properties see it: a function of each entry, and its derivative."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.formulas.elementwise import ACTIVATIONS
from gradcheck.numerics.derivative import derivative as differentiate
from gradcheck.properties.array_function import ArrayFunction
from gradcheck.properties.assertions import FunctionRaisedError, PropertyViolationError
from gradcheck.properties.function_under_test import as_floats, call, refusal, shaped_like
from gradcheck.properties.tolerance import Tolerance, eps
from gradcheck.properties.torch_tensors import of_arrays

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

    def __init__(
        self, fn: Any, derivative: Callable[..., Any] | None = None, kind: str | None = None
    ) -> None:
        super().__init__(fn)
        if kind is not None and kind not in ACTIVATIONS:
            raise ValueError(f"kind must be one of {sorted(ACTIVATIONS)}, got {kind!r}")
        forward = of_arrays(fn if callable(fn) else fn.forward, PROBES)
        self.takes_numbers_only = bool(refusal(forward, PROBES.copy()))
        self._forward = (
            np.vectorize(forward, otypes=[float]) if self.takes_numbers_only else forward
        )
        self._derivative = derivative and (
            np.vectorize(derivative, otypes=[float]) if self.takes_numbers_only else derivative
        )
        self.kind = kind or self._recognised()

    @property
    def facts(self) -> dict[str, str]:
        """Which activation it is, and of what its derivative is a function."""
        facts = {"kind": self.kind or "none that is known"}
        if self.takes_numbers_only:
            facts["takes"] = "single numbers, not arrays"
        if self._derivative is not None:
            facts["derivative"] = f"of the {'output' if self.of_output else 'input'}"
        return facts

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
