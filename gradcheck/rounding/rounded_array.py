"""NumPy arrays whose operations make the rounding errors of an arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.numerics.rounded_arithmetic import RoundedArithmetic

# Universal functions that return one of the numbers given, or its negative.
EXACT = {
    np.negative, np.positive, np.absolute, np.fabs, np.sign, np.maximum, np.minimum, np.fmax,
    np.fmin, np.copysign, np.floor, np.ceil, np.rint, np.trunc, np.conjugate, np.ldexp,
}  # fmt: skip

# Functions linear in each operand, which sum over axes inside.
SUMS = {np.dot, np.inner, np.vdot, np.tensordot, np.einsum, np.convolve, np.correlate, np.trapezoid}

# Functions that are made of others, or move numbers alone: NumPy's own code is run.
COMPOSED = {
    np.sum, np.mean, np.var, np.std, np.prod, np.max, np.min, np.amax, np.amin, np.average, np.ptp,
    np.cumsum, np.linalg.multi_dot, np.outer, np.trace,
}  # fmt: skip


class RoundedArray(np.ndarray[Any, Any]):
    """An array that makes rounding errors in what is computed with it."""

    arithmetic: RoundedArithmetic

    @classmethod
    def of(cls, value: Array, arithmetic: RoundedArithmetic) -> RoundedArray:
        """Return a copy of ``value`` in an arithmetic."""
        made = np.array(value).view(cls)
        made.arithmetic = arithmetic
        return made

    def __array_finalize__(self, source: Any) -> None:
        if isinstance(source, RoundedArray) and hasattr(source, "arithmetic"):
            self.arithmetic = source.arithmetic

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        plain = tuple(map(_plain, inputs))
        out = options.pop("out", None)
        given = options if out is None else {**options, "out": tuple(map(_plain, out))}
        made = getattr(ufunc, method)(*plain, **given)
        if method == "at" or made is NotImplemented or ufunc in EXACT:
            return out[0] if out else self._wrapped(made)
        sums = ufunc is np.matmul or (ufunc is np.add and method in ("reduce", "accumulate"))
        if sums:
            sizes = getattr(ufunc, method)(*map(np.abs, plain), **options)
            running = method == "accumulate"
            if ufunc is np.matmul or running:
                terms = plain[0].shape[-1 if ufunc is np.matmul else options.get("axis", 0)]
            else:
                terms = plain[0].size / max(np.size(made), 1)
            wrong = self._with_sum_errors(made, sizes, terms, running=running)
        else:
            wrong = self._with_errors(made)
        if out:
            np.copyto(_plain(out[0]), wrong, casting="unsafe")
            return out[0]
        return self._wrapped(wrong)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in COMPOSED:
            return super().__array_function__(function, types, args, kwargs)
        plain, options = _plain(args), _plain(kwargs)
        made = function(*plain, **options)
        if function in SUMS:
            sizes = function(*_magnitudes(plain), **options)
            largest = max(np.size(a) for a in plain if isinstance(a, np.ndarray))
            made = self._with_sum_errors(made, sizes, largest / max(np.size(made) ** 0.5, 1))
        elif function.__module__ == "numpy.linalg":
            made = self._with_errors(made)
        return self._wrapped(made)

    def _with_errors(self, made: Any) -> Any:
        if isinstance(made, tuple):
            return tuple(map(self._with_errors, made))
        if getattr(made, "dtype", np.dtype(object)).kind not in "fc":
            return made
        self.arithmetic.formats.add(made.real.dtype.name)
        if self.arithmetic.intermediates is None:
            return made
        return made + self.arithmetic.of_result(np.abs(made))

    def _with_sum_errors(
        self, made: Any, sizes: Any, terms: float, *, running: bool = False
    ) -> Any:
        if getattr(made, "dtype", np.dtype(object)).kind not in "fc":
            return made
        if self.arithmetic.intermediates is None:
            return self._with_errors(made)
        return self._with_errors(made) + self.arithmetic.of_sum(
            np.abs(sizes), terms, running=running
        )

    def _wrapped(self, made: Any) -> Any:
        if isinstance(made, tuple | list):
            return type(made)(map(self._wrapped, made))
        if isinstance(made, np.ndarray | np.generic) and made.dtype.kind in "fc":
            wrapped = np.asarray(made).view(RoundedArray)
            wrapped.arithmetic = self.arithmetic
            return wrapped
        return made


def _plain(value: Any) -> Any:
    """Return plain arrays for rounded ones, in containers too."""
    if isinstance(value, RoundedArray):
        return value.view(np.ndarray)
    if type(value) in (tuple, list):
        return type(value)(map(_plain, value))
    if type(value) is dict:
        return {key: _plain(part) for key, part in value.items()}
    return value


def _magnitudes(values: Any) -> Any:
    return [np.abs(v) if isinstance(v, np.ndarray) and v.dtype.kind in "fc" else v for v in values]
