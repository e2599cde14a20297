"""Linear operators with their adjoints: SciPy's, pylops', and whatever has matvec and rmatvec."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.numerics.directions import per_entry_scale
from gradcheck.state import StateSnapshot
from gradcheck.target import Target
from gradcheck.values import TargetError

FUNCTIONS = ("matvec", "rmatvec")

# Their products with several columns are made of those with one.
LIBRARIES = ("scipy.sparse.linalg._interface", "pylops.linearoperator")

# A sum of n terms, in whatever order, is off by at most LAMBDA sqrt(n) eps times the sum of their
# sizes, but for one case in e^(LAMBDA^2 / 2) (Higham and Mary, SIAM J. Sci. Comput. 41, 2019).
LAMBDA = 8.0

# Scaling by a power of two changes no rounding of a linear operator, scaling by these all of them:
# what they change is its noise. As many times that the three evaluations of a sum may be off.
ODD = (3, 5, 7)
NOISES = 16.0


def matches(thing: Any) -> bool:
    """Whether ``thing`` has a shape with matvec and rmatvec, or is a pair of these functions."""
    if isinstance(thing, tuple | list):
        return tuple(getattr(function, "__name__", "") for function in thing) == FUNCTIONS
    shape = getattr(thing, "shape", None)
    counted = isinstance(shape, tuple) and len(shape) == 2 and not isinstance(thing, type)
    return counted and all(callable(getattr(thing, name, None)) for name in FUNCTIONS)


def holds(argument: Any) -> bool:
    """Whether an argument makes what takes it an operator: none does."""
    return False


def adapt(thing: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of an operator: its adjoint is its backward.

    Of a complex operator the adjoint is A^H, which maps a cotangent to the gradient.

    Parameters
    ----------
    thing
        A ``scipy.sparse.linalg.LinearOperator``, a pylops operator, an object with ``matvec``,
        ``rmatvec`` and ``shape``, or the pair ``(matvec, rmatvec)``.
    arguments
        The vector at which to check; without one it is drawn, by the operator's shape and dtype.
    params
        Not used: an operator has no parameters.

    Raises
    ------
    TargetError
        If the vector does not fit, or there is none to be drawn.
    """
    operator = LinearMap(thing, arguments)
    return Target(
        operator.name,
        {"x": operator.x},
        lambda tensors: operator.apply(tensors["x"]),
        lambda _, cotangent: {"x": operator.pulled_back(cotangent)},
        state=StateSnapshot([thing]),
        promises={"linear": operator.linear}
        | ({"matmat": operator.products} if _has_own_products(thing) else {}),
    )


class LinearMap:
    """An operator with the vector at which it is checked.

    Parameters
    ----------
    thing
        The operator, or its two functions.
    given
        The vector, where there is one.
    """

    def __init__(self, thing: Any, given: Sequence[Any]) -> None:
        self.thing = thing
        if isinstance(thing, tuple | list):
            self.thing = SimpleNamespace(matvec=thing[0], rmatvec=thing[1])
        self.name = type(thing).__name__.lstrip("_") if self.thing is thing else "matvec"
        self.x = self._vector(given)

    def _vector(self, given: Sequence[Any]) -> Array:
        shape = getattr(self.thing, "shape", None)
        if len(given) > 1 or (shape is None and not given):
            raise TargetError(
                f"{self.name} takes one vector, but {len(given)} were given: "
                f"check({'op' if shape else '(matvec, rmatvec)'}, x)"
            )
        own = np.dtype(getattr(self.thing, "dtype", None) or np.float64)
        own = own if own.kind in "fc" else np.dtype(np.float64)
        if not given:
            return _drawn(np.ones(shape[1]), own, seed=0)  # type: ignore[index]
        x = np.asarray(given[0])
        if shape is not None and x.size != shape[1]:
            raise TargetError(
                f"{self.name} has shape {shape} and takes a vector of {shape[1]} entries, but one "
                f"of shape {x.shape} was given"
            )
        x = x if shape is None else x.reshape(-1)
        known = x.dtype.kind == "c" or (x.dtype.kind == "f" and own.kind == "f")
        return x.copy() if known else x.astype(np.result_type(x, own))

    @property
    def _scalars(self) -> tuple[Any, Any]:
        """The numbers that linearity is tried with: complex where it is linear over these."""
        is_complex = np.iscomplexobj(self.x) and getattr(self.thing, "clinear", True)
        return 2, (0.5j if is_complex else 0.5)

    def apply(self, z: Array) -> Array:
        """Return A z."""
        return np.asarray(self.thing.matvec(z))

    def adjoint(self, v: Array) -> Array:
        """Return A* v.

        Raises
        ------
        TargetError
            If the operator has no adjoint.
        """
        try:
            return np.asarray(self.thing.rmatvec(v))
        except NotImplementedError as error:
            raise TargetError(
                f"{self.name} has no adjoint to check ({error}): give it rmatvec, which returns "
                "A^H v"
            ) from error

    def pulled_back(self, v: Array) -> Array:
        """Return the gradient that the adjoint gives, real for a real vector."""
        gradient = self.adjoint(v)
        return gradient if np.iscomplexobj(self.x) else gradient.real

    def linear(self) -> tuple[bool | None, str]:
        """Whether A(a u + b w) is a A u + b A w, but for rounding, and A(0) exactly 0."""
        offset = _size(self.apply(np.zeros_like(self.x)))
        if offset != 0:
            return False, f"A(0) is not 0, but of size {offset:.3g}: A is affine at best"
        a, b = self._scalars
        (u, w), (of_u, of_w) = self._vectors, self._images
        expected = a * of_u + b * of_w
        gap, allowed = _size(self.apply(a * u + b * w) - expected), self._rounding
        if not np.isfinite(gap):
            return None, "A u is not finite"
        if gap > allowed and _size(self.apply(2 * u) - 2 * of_u) <= allowed:
            # homogeneous, so that what other factors change is noise of its own: it may be a
            # solver of an ill-conditioned system
            changed = (_size(self.apply(k * u) - k * of_u) for k in ODD)
            allowed = max(allowed, NOISES * max(changed))
        what = f"A({a} u + {b} w) {{}} {a} A u + {b} A w"
        if gap <= allowed:
            return True, what.format("=")
        share = gap / (_size(expected) or 1.0)
        return False, f"{what.format('is not')}: they differ by {share:.2g} of its size"

    def products(self) -> tuple[bool | None, str]:
        """Whether a product with several columns is that with each of them."""
        gap = _size(np.asarray(self.thing.matmat(self._columns)) - self._products)
        if gap > self._rounding:
            return False, f"matmat(X) differs from matvec of each column by {gap:.3g}"
        return True, "matmat(X) is matvec of each column"

    @cached_property
    def _vectors(self) -> tuple[Array, Array]:
        """Return the vector of the check, and another one with entries of the same scales."""
        scale = np.hypot(per_entry_scale(self.x.real), per_entry_scale(self.x.imag))
        return self.x, _drawn(scale, self.x.dtype, seed=1)

    @cached_property
    def _images(self) -> tuple[Array, Array]:
        u, w = self._vectors
        return self.apply(u), self.apply(w)

    @property
    def _columns(self) -> Array:
        return np.stack([vector.reshape(-1) for vector in self._vectors], axis=1)

    @property
    def _products(self) -> Array:
        return np.stack([image.reshape(-1) for image in self._images], axis=1)

    @cached_property
    def _rounding(self) -> float:
        """How far rounding may move A(a u + b w) - (a A u + b A w).

        The n terms of a row are in sum at most sqrt(n) times the norm of its terms, and that is
        the expected size of A w, w being random with entries of the scales of u.
        """
        eps = max(float(np.finfo(array.dtype).eps) for array in (self.x, *self._images))
        a, b = self._scalars
        terms = LAMBDA * (abs(a) + abs(b)) * self.x.size
        return float(terms * eps * max(map(_size, self._images)))


def _has_own_products(thing: Any) -> bool:
    """Whether products with several columns are computed by code of their own."""
    if getattr(thing, "_CustomLinearOperator__matmat_impl", None) is not None:
        return True  # given to SciPy's constructor
    for kind in getattr(type(thing), "__mro__", ()):
        if {"matmat", "_matmat"} & vars(kind).keys():
            return kind.__module__ not in LIBRARIES
    return False


def _drawn(scale: Array, dtype: Any, seed: int) -> Array:
    """Return random entries of these scales, real and imaginary alike."""
    rng = np.random.default_rng(seed)
    drawn: Array = scale * rng.standard_normal(scale.shape)
    if np.dtype(dtype).kind == "c":
        drawn = drawn + 1j * scale * rng.standard_normal(scale.shape)
    return drawn.astype(dtype)


def _size(array: Array) -> float:
    return float(np.linalg.norm(array))
