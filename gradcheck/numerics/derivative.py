"""The derivative of a function of one real variable, with an error bound that holds.

A bound is only as good as what the samples can show. Structure between the samples that is finer
than the steps and smaller than the noise stays unseen by any method that only evaluates f.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from gradcheck.numerics.line import Line, epsilon, float_type
from gradcheck.numerics.samples import Samples, first_step
from gradcheck.numerics.step_size import DerivativeEstimate
from gradcheck.numerics.two_sided import Kink, differentiate
from gradcheck_arguments import Finite, Order, Positive, checked

if TYPE_CHECKING:
    Point = float | np.floating[Any]
else:
    Point = Finite


@dataclass(frozen=True)
class Derivative:
    """A derivative and what is known about it.

    Attributes
    ----------
    value
        The derivative. At a kink the mean of the one-sided derivatives.
    error_bound
        The derivative lies within ``value`` ± ``error_bound``. At a kink every subgradient does.
        Infinite where nothing is known: the derivative diverges, or there is none, or the function
        is not finite.
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

    @checked
    def nearest(self, value: Finite) -> float:
        """Return the derivative, or at a kink the subgradient nearest to ``value``."""
        if self.kink is None:
            return self.value
        low, high = sorted((self.kink.left, self.kink.right))
        return min(max(value, low), high)

    @property
    def side_bound(self) -> float:
        """The error bound of the smooth part: at a kink that of the one-sided derivatives."""
        if self.kink is None:
            return self.error_bound
        return max(self.kink.left_bound, self.kink.right_bound)


@checked
def derivative(
    f: Callable[..., Any],
    t: Point = 0.0,
    *,
    order: Order = 1,
    scale: Positive | None = None,
    vectorized: bool = False,
) -> Derivative:
    """Differentiate a real function of one real variable at ``t``, once or twice.

    Parameters
    ----------
    f
        The function. It is given floats, or scalars of the type of ``t`` if that is a NumPy
        floating type, and returns a number or an array of one element. Where it returns NaN or
        infinity, a complex number, or raises an arithmetic error, a ValueError or an
        AssertionError, other than at ``t`` itself, it counts as undefined: at the end of its
        domain the one-sided derivative is meant.
    t
        The point.
    order
        1 for the derivative, 2 for the second. Where the slope has a kink, the one-sided second
        derivatives are found; where the function itself has one, there is no second derivative.
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
        If ``f`` returns more than one number, ``t`` is not finite, ``order`` neither 1 nor 2, or
        ``scale`` not positive.

    Notes
    -----
    Least-squares polynomials through the origin are fitted to samples on a geometric ladder of
    steps; the coefficients of the highest powers in an orthogonal basis show noise and structure
    (see `gradcheck.numerics.polynomial_fit` and `gradcheck.numerics.step_size`). Longer or
    shorter steps are taken until these coefficients are at the noise. A staircase finer than 1/500
    of the function is taken for rounding; the bound for a coarser one covers both its general slope
    and the zero slope of its plateaus. Where jumps as small end a stretch that has a slope of its
    own, as the steps of an adaptive solver do, the slope there is returned, and the bound covers
    the general one as well, as far as samples taken for other reasons show the jumps.

    Like every method that only evaluates ``f``, it cannot see what hides in the noise: structure
    between its samples, and singularities such as ``|x|**1.1`` beside a large constant. Nor can it
    see what begins beyond them: the error of a solver that is smooth over the first steps, about
    0.04 ``scale`` long, belongs to the function. A second derivative needs longer steps: kinks of
    the slope nearer than about 1e-6 count as at ``t``.

    Examples
    --------
    >>> import math
    >>> result = derivative(math.exp, 1.0)
    >>> abs(result.value - math.e) <= result.error_bound < 1e-11
    True
    >>> derivative(abs, 0.0).kink is not None
    True
    >>> result = derivative(math.exp, 1.0, order=2)
    >>> abs(result.value - math.e) <= result.error_bound < 1e-9
    True
    """
    line = Line(f, float(t), float_type(t), scale, vectorized=vectorized)
    samples = line.only
    found = _report(samples, *differentiate(samples, line.closest, order=order))
    return replace(found, evaluations=line.evaluations)


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
    return _report(samples, *differentiate(samples, scale * eps**0.75, target))


def _report(samples: Samples, found: DerivativeEstimate, kink: Kink | None) -> Derivative:
    bound = found.bound if math.isfinite(found.value) else math.inf
    return Derivative(found.value, bound, len(samples.known), found.noise, kink)
