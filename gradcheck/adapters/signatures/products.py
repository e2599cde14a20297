"""What a derivative makes of a cotangent: by number, by array, and along every axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.adapters.signatures.pytree import items, refilled
from gradcheck.adapters.signatures.results import BackwardCall
from gradcheck.array_containers import numbers_of, with_numbers
from gradcheck.numerics.real_parts import is_complex


def scaled(gradient: Any, factor: Any, *, conjugate: bool = False) -> Any:
    """Return a gradient, or a container of gradients, times a number.

    Of a complex number it is a derivative, and its conjugate is what the chain rule multiplies.
    """
    if parts := items(gradient):
        return refilled(gradient, [scaled(part, factor, conjugate=conjugate) for _, part in parts])
    return gradient if gradient is None else times(gradient, factor, conjugate=conjugate)


def times(gradient: Any, factor: Any, *, conjugate: bool = False) -> Any:
    """Return an array, or a container of one, times a number or an array like it."""
    numbers = np.asarray(numbers_of(gradient))
    return with_numbers(gradient, (np.conj(numbers) if conjugate else numbers) * factor)


def pulled_back(along: Callable[[Any], Any], call: BackwardCall) -> Any:
    """Return the gradient that the derivatives along all axes make up, times the cotangent."""
    (x,) = call.inputs
    of_both = (1.0, 1j) if is_complex(x) else (1.0,)
    gradient = np.zeros_like(x)
    for index in np.ndindex(gradient.shape):
        for unit in of_both:
            axis = np.zeros_like(gradient)
            axis[index] = unit
            gradient[index] += unit * np.vdot(call.cotangent, along(axis)).real
    return gradient
