"""Containers of one array of numbers: data frames, labelled and masked arrays, quantities.

A function is handed what it was written for, made anew with other numbers, and what it returns is
read by its numbers. The libraries are told by what their objects have, and are not imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck._types import Array


@dataclass(frozen=True)
class _Kind:
    """Containers of one kind.

    Attributes
    ----------
    has
        The attributes by which they are told, or the class.
    numbers
        Returns the array that one holds.
    rebuilt
        Returns one like it with another array of its shape, or of its first rows alone.
    """

    has: tuple[str, ...] | type
    numbers: Callable[[Any], Array]
    rebuilt: Callable[[Any, Array], Any]

    def fits(self, value: Any) -> bool:
        """Whether ``value`` is one of them."""
        if isinstance(self.has, type):
            return isinstance(value, self.has)
        return all(hasattr(value, name) for name in self.has)


def is_sparse(value: Any) -> bool:
    """Whether a value is a sparse matrix or array of SciPy's."""
    return hasattr(value, "tocsr")


def _plain(value: Any) -> Array:
    return np.asarray(value.to_numpy())


def _of_frame(frame: Any) -> Array:
    """Return the numbers of a frame of pandas, also of columns of its own types of floats."""
    own = [dtype for dtype in _dtypes(frame).values() if not isinstance(dtype, np.dtype)]
    floats = own and all(dtype.kind == "f" for dtype in _dtypes(frame).values())
    return np.asarray(frame.to_numpy(dtype=np.float64)) if floats else _plain(frame)


def _dtypes(frame: Any) -> dict[str, Any]:
    return dict(getattr(frame, "dtypes", ()))


def _frame(frame: Any, array: Array) -> Any:
    made = type(frame)(array, index=frame.index[: len(array)], columns=frame.columns)
    own = {name: d for name, d in _dtypes(frame).items() if not isinstance(d, np.dtype)}
    return made.astype(own) if own else made


def _series(series: Any, array: Array) -> Any:
    made = type(series)(array, index=series.index[: len(array)], name=series.name)
    dtype = getattr(series, "dtype", array.dtype)
    return made if isinstance(dtype, np.dtype) else made.astype(dtype)


def _data_array(labelled: Any, array: Array) -> Any:
    rows = labelled if labelled.shape == array.shape else labelled[: len(array)]
    return rows.copy(data=array)


def _magnitude(quantity: Any) -> Array:
    return np.asarray(quantity.magnitude)


def _quantity(quantity: Any, array: Array) -> Any:
    return type(quantity)(array if array.ndim else array[()], quantity.units)


def _masked(masked: Any, array: Array) -> Any:
    mask = np.ma.getmaskarray(masked)[: len(array)] if masked.ndim else masked.mask
    return np.ma.masked_array(array, mask=mask.copy(), fill_value=masked.fill_value)


# More particular ones first. What is behind a mask is no number, and nothing depends on it: zero.
KINDS = (
    _Kind(("to_numpy", "index", "columns"), _of_frame, _frame),  # pandas
    _Kind(("to_numpy", "index", "name"), _plain, _series),
    _Kind(("to_numpy", "dims"), _plain, _data_array),  # xarray
    _Kind(("to_numpy", "columns", "schema"), _plain, lambda f, a: type(f)(a, f.columns)),  # polars
    _Kind(("to_numpy", "name", "to_arrow"), _plain, lambda s, a: type(s)(s.name, a)),
    _Kind(("to_numpy",), _plain, lambda _, array: array),  # of another library
    _Kind(("magnitude", "units", "dimensionality"), _magnitude, _quantity),  # pint
    _Kind(np.ma.MaskedArray, lambda m: np.ma.filled(m, m.dtype.type(0)), _masked),
)


# What most values are, and no container: looked at first.
PLAIN = (type, np.generic, int, float, list, tuple, dict, str)


def kind_of(value: Any) -> _Kind | None:
    """Return how a container is read and made, None for what is none."""
    if type(value) is np.ndarray or isinstance(value, PLAIN):
        return None
    return next((kind for kind in KINDS if kind.fits(value)), None)


def is_array_container(value: Any) -> bool:
    """Whether ``value`` is a container of one array."""
    return kind_of(value) is not None


def numbers_of(value: Any) -> Any:
    """Return the array in a container, everything else as it is."""
    kind = kind_of(value)
    return value if kind is None else kind.numbers(value)


def with_numbers(container: Any, array: Array) -> Any:
    """Return a container like this one, with its labels, its mask or its unit, of other numbers."""
    kind = kind_of(container)
    return array if kind is None else kind.rebuilt(container, array)


def gradient_numbers(name: str, gradient: Any, container: Any, output: Any) -> Any:
    """Return the numbers of a gradient by a tensor that was given in ``container``.

    Those of a quantity in the unit of the output by that of the tensor, those with labels in the
    order of the tensor's.

    Raises
    ------
    ValueError
        If the gradient has another dimension.
    """
    if hasattr(gradient, "dims") and hasattr(container, "dims"):
        same = set(gradient.dims) == set(container.dims)
        gradient = gradient.transpose(*container.dims) if same else gradient
    if hasattr(gradient, "reindex_like") and hasattr(container, "index"):
        same = all(
            sorted(map(str, own)) == sorted(map(str, other))
            for own, other in zip(gradient.axes, container.axes, strict=False)
        )
        gradient = gradient.reindex_like(container) if same else gradient
    if hasattr(gradient, "magnitude") and not isinstance(output, tuple | list | dict):
        expected = getattr(output, "units", 1) / getattr(container, "units", 1)
        try:
            gradient = gradient.to(expected if hasattr(expected, "dimensionality") else "")
        except Exception as error:
            raise ValueError(
                f"the gradient of {name} has the unit {gradient.units}, expected one that is "
                f"converted to {expected}, the output's by the tensor's"
            ) from error
    return numbers_of(gradient)
