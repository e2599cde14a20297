"""From an operator to functions of one variable, found by calling it.

No list says which operators are elementwise: one is called with an array and taken for a function
of each entry if it answers in the same shape and dtype, and the same for a reordered part of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.audit.forms import FORMS, Alone, Form
from benchmarks.audit.libraries.library import Library

# At each of these some operator is undefined, but hardly one at all of them.
PROBES = np.array([0.296875, -0.703125, 1.703125, 0.703125, 2.59375, -0.296875, 4.1875, 0.5])

# The same in another order and at other places, among others: with another mean and another
# maximum, and of a length that is compiled for apart.
LONGER = np.concatenate([PROBES[::-1], PROBES, [5.5, 0.25, 5.5]])


@dataclass(frozen=True)
class Slice:
    """An operator as a function of one variable: entry by entry of an array of its values.

    Attributes
    ----------
    name
        The operator's name in its library.
    form
        How it is called.
    function
        From an array of the library to one of the same shape and dtype.
    """

    name: str
    form: Form
    function: Callable[[Any], Any]


def slices(library: Library, name: str, operator: Callable[..., Any]) -> list[Slice]:
    """Return the functions of one variable that an operator is, in its form of fewest arguments."""
    for forms in FORMS:
        tried = (Slice(name, form, _called(library, operator, form)) for form in forms)
        if found := [each for each in tried if is_entrywise(library, each.function)]:
            return found
    return []


def _called(library: Library, operator: Callable[..., Any], form: Form) -> Callable[[Any], Any]:
    # thinc's pairs bring their own backward pass, so that they stay what they are
    return operator if isinstance(form, Alone) else partial(form.on_arrays, library, operator)


def is_entrywise(library: Library, function: Callable[[Any], Any]) -> bool:
    """Return whether a function maps each entry alone, differentiably and without chance.

    The identity and constants, as which all that moves or makes arrays appears, are left out.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole, slope = library.slope(function, PROBES, "float64")
            again = library.value(function, PROBES, "float64")
            longer = library.value(function, LONGER, "float64")
    except Exception:
        return False
    if not PROBES.shape == whole.shape == slope.shape or longer.shape != LONGER.shape:
        return False
    return (
        same(whole, again)
        and same(np.concatenate([whole[::-1], whole]), longer[: 2 * len(PROBES)])
        and not same(whole, PROBES)
        and len(np.unique(whole[np.isfinite(whole)])) > 1
    )


def same(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Return whether two results agree but for how a vector instruction rounds."""
    return bool(np.allclose(one, other, rtol=1e-12, atol=0.0, equal_nan=True))
