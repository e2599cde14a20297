"""Derivatives of functions of real variables, each with an error bound that holds.

A bound is only as good as what the samples can show. Structure between the samples that is finer
than the steps and smaller than the noise stays unseen by any method that only evaluates f.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from gradcheck.numerics.line import Line, epsilon, float_type, lines_of
from gradcheck.numerics.polynomial_fit import FloatArray
from gradcheck.numerics.samples import Samples, first_step
from gradcheck.numerics.step_size import Slope, StepSizeSearch


@dataclass(frozen=True)
class Kink:
    """One-sided derivatives that differ by more than the sum of their error bounds."""

    left: float
    right: float
    left_bound: float
    right_bound: float


@dataclass(frozen=True)
class Derivative:
    """A derivative and what is known about it.

    Attributes
    ----------
    value
        The derivative. At a kink the mean of the one-sided derivatives.
    error_bound
        The derivative lies within ``value`` ± ``error_bound``. At a kink every subgradient does.
        Infinite where nothing is known: the slope diverges, or the function is not finite.
    evaluations
        Number of calls of the function.
    noise
        Absolute error of one function value, as measured, or its rounding if that is all.
    kink
        The one-sided derivatives where they differ, else None.
    """

    value: float
    error_bound: float
    evaluations: int
    noise: float
    kink: Kink | None = None

    def nearest(self, value: float) -> float:
        """Return the derivative, or at a kink the subgradient nearest to a finite ``value``."""
        if self.kink is None or not math.isfinite(value):
            return self.value
        low, high = sorted((self.kink.left, self.kink.right))
        return min(max(value, low), high)

    @property
    def side_bound(self) -> float:
        """The error bound of the smooth part: at a kink that of the one-sided derivatives."""
        if self.kink is None:
            return self.error_bound
        return max(self.kink.left_bound, self.kink.right_bound)


@dataclass(frozen=True)
class Derivatives:
    """Many derivatives: arrays of values and bounds as in `Derivative`, and all evaluations."""

    value: FloatArray
    error_bound: FloatArray
    evaluations: int


def derivative(
    f: Callable[[Any], Any],
    t: float | np.floating[Any] = 0.0,
    *,
    scale: float | None = None,
    vectorized: bool = False,
) -> Derivative:
    """Differentiate a real function of one real variable at ``t``.

    Parameters
    ----------
    f
        The function. It is given floats, or scalars of the type of ``t`` if that is a NumPy
        floating type, and returns a number or an array of one element. Where it returns NaN or
        infinity, a complex number, or raises an arithmetic error or a ValueError, other than at
        ``t`` itself, it counts as undefined: at the end of its domain the one-sided derivative
        is meant.
    t
        The point.
    scale
        Distance over which ``f`` varies, if known. Only the number of evaluations depends on it.
    vectorized
        Whether ``f`` takes an array of points and returns the array of its values there: then it
        is called for ten points at a time, of which a few may turn out not to be needed.

    Returns
    -------
    Derivative
        Value and error bound, NaN and infinity if ``f`` is not finite at ``t``.

    Raises
    ------
    TypeError
        If ``f`` is not callable or its value not real, or ``t`` is not a real number.
    ValueError
        If ``f`` returns more than one number, ``t`` is not finite or ``scale`` not positive.

    Notes
    -----
    Least-squares polynomials through the origin are fitted to samples on a geometric ladder of
    steps; the coefficients of the highest powers in an orthogonal basis show noise and structure
    (see `gradcheck.numerics.polynomial_fit` and `gradcheck.numerics.step_size`). Longer or
    shorter steps are taken until these coefficients are at the noise. A staircase finer than 1/500
    of the function is taken for rounding; the bound for a coarser one covers both its general slope
    and the zero slope of its plateaus.

    Like every method that only evaluates ``f``, it cannot see what hides in the noise: structure
    between its samples, and singularities such as ``|x|**1.1`` beside a large constant.

    Examples
    --------
    >>> import math
    >>> result = derivative(math.exp, 1.0)
    >>> abs(result.value - math.e) <= result.error_bound < 1e-11
    True
    >>> derivative(abs, 0.0).kink is not None
    True
    """
    point = np.asarray(t)
    if point.ndim or point.dtype.kind not in "fiu":
        raise TypeError(f"t must be one real number, got {t!r}")
    kind = float_type(point)
    line = Line(_callable(f), float(point), kind, scale, vectorized=vectorized)
    return replace(_of_scalar(line), evaluations=line.evaluations)


def gradient(
    f: Callable[[Any], Any], x: ArrayLike, *, scale: float | None = None, vectorized: bool = False
) -> Derivatives:
    """Differentiate a real function of an array by each entry.

    Parameters
    ----------
    f
        The function. It is given arrays of the shape and floating type of ``x`` and returns a
        number; see `derivative` for where it is undefined.
    x
        The point, of any shape.
    scale
        As in `derivative`, for every entry.
    vectorized
        Whether ``f`` takes points stacked along a first axis and returns a value for each.

    Returns
    -------
    Derivatives
        Arrays of the shape of ``x``; NaN ± infinity where undefined.
    """
    point = _array(x)
    lines = lines_of(_callable(f), point, scale, vectorized)
    return _collect([[_of_scalar(line)] for line in lines], point.shape, lines)


def jacobian(
    f: Callable[[Any], Any], x: ArrayLike, *, scale: float | None = None, vectorized: bool = False
) -> Derivatives:
    """Differentiate an array-valued function of an array: every output by every entry.

    Parameters
    ----------
    f, x, scale, vectorized
        As in `gradient`; the value of ``f`` may have any shape, which must not change.

    Returns
    -------
    Derivatives
        Arrays of the shape of ``f(x)`` followed by that of ``x``. The outputs share evaluations.
    """
    point = _array(x)
    lines = lines_of(_callable(f), point, scale, vectorized)
    shape = (*lines[0].base.shape, *point.shape) if lines else (*np.shape(f(point)), *point.shape)
    columns = [[_differentiate(part, line.closest) for part in line.components()] for line in lines]
    return _collect(columns, shape, lines)


def along(
    phi: Callable[[float], float],
    *,
    scale: float = 1.0,
    floor: float = 0.0,
    noise: float | None = None,
    target: float = 0.0,
    dtype: DTypeLike = np.float64,
) -> Derivative:
    """Differentiate ``phi``, which vanishes at 0, there.

    Parameters
    ----------
    phi
        The function, computed in such a way that phi(0) = 0 exactly; not finite where undefined.
    scale
        Distance over which ``phi`` varies.
    floor
        What is known of the noise of ``phi`` beforehand, from the rounding of what it is made of.
    noise
        The noise as measured before. Then fewer evaluations are needed.
    target
        Error bound that is good enough.
    dtype
        Floating type in which ``phi`` is computed. Steps have half as many significant digits.

    Returns
    -------
    Derivative
        Value and error bound, NaN and infinity if ``phi`` is finite on neither side.
    """
    eps = epsilon(dtype)
    digits = np.finfo(dtype).nmant // 2

    def step(t: float) -> float:
        mantissa, exponent = math.frexp(t)
        return math.ldexp(round(math.ldexp(mantissa, digits)), exponent - digits)

    samples = Samples(
        phi,
        first_step(scale, eps),
        offset=0.0,
        eps=epsilon(float),
        floor=max(floor, noise or 0.0),
        step=step,
    )
    return _differentiate(samples, scale * eps**0.75, target)


def _differentiate(samples: Samples, closest: float, target: float = 0.0) -> Derivative:
    """Differentiate on both sides at once or, where that does not settle, on each."""
    both = StepSizeSearch(samples, 0, closest, target).run()
    if both is not None and (both.settled or both.bound <= target):
        return _report(both, samples)
    left, right = (StepSizeSearch(samples, side, closest, target).run() for side in (-1, 1))
    if left is None or right is None:
        return _report(left or right or Slope(math.nan, math.inf, math.nan, False), samples)
    gap = abs(right.value - left.value)
    larger = max(left.bound, right.bound)
    # the bound covers everything between the one-sided derivatives
    middle = Slope(
        (left.value + right.value) / 2, gap / 2 + larger, max(left.noise, right.noise), False
    )
    found = _report(middle, samples)
    if gap <= left.bound + right.bound:
        return found
    return replace(found, kink=Kink(left.value, right.value, left.bound, right.bound))


def _report(slope: Slope, samples: Samples) -> Derivative:
    return Derivative(slope.value, slope.bound, len(samples.known), slope.noise)


def _callable(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    if not callable(f):
        raise TypeError(f"f must be a function, got {f!r}")
    return f


def _array(x: ArrayLike) -> NDArray[Any]:
    point = np.array(x)
    if point.dtype.kind not in "fiu":
        raise TypeError(f"x must be an array of real numbers, got dtype {point.dtype}")
    return point.astype(np.float64) if float_type(point) is float else point


def _of_scalar(line: Line) -> Derivative:
    if line.base.size != 1:
        raise ValueError(f"f must return one number, got shape {line.base.shape}; see jacobian")
    (part,) = line.components()
    return _differentiate(part, line.closest)


def _collect(
    columns: list[list[Derivative]], shape: tuple[int, ...], lines: list[Line]
) -> Derivatives:
    """Arrange the derivatives by each entry of x, the last axes of ``shape``."""
    rows = list(zip(*columns, strict=True))
    return Derivatives(
        np.array([[d.value for d in row] for row in rows]).reshape(shape),
        np.array([[d.error_bound for d in row] for row in rows]).reshape(shape),
        sum(line.evaluations for line in lines),
    )
