"""Data frames and series: their numbers are tensors, and functions are given tables of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck._types import Array


def is_table(value: Any) -> bool:
    """Whether ``value`` is a data frame, a series, or a labelled array of another library."""
    return hasattr(value, "to_numpy") and not isinstance(value, type)


def numbers_of(table: Any) -> Array | None:
    """Return the floating-point numbers of a table; None where it holds others, too."""
    array = np.asarray(table.to_numpy())
    return array if array.dtype.kind == "f" else None


def with_numbers(table: Any, array: Array) -> Any:
    """Return a table with the labels of ``table`` and the numbers of ``array``.

    The array itself, where the library of the table is not one of those known here.
    """
    if hasattr(table, "index") and hasattr(table, "columns"):  # pandas and what follows it
        return type(table)(array, index=table.index[: len(array)], columns=table.columns)
    if hasattr(table, "index") and hasattr(table, "name"):
        return type(table)(array, index=table.index[: len(array)], name=table.name)
    if hasattr(table, "dims"):  # xarray
        return table.copy(data=array)
    if hasattr(table, "columns"):  # polars
        return type(table)(array, table.columns)
    return type(table)(table.name, array) if hasattr(table, "name") else array
