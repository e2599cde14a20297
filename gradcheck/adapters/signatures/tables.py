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
    """Return a table with the labels of ``table`` and the numbers of ``array``."""
    labels = {name: getattr(table, name) for name in ("index", "columns") if _has(table, name)}
    if "index" in labels:  # pandas and what follows it
        labels["index"] = table.index[: len(array)]  # fewer samples may be asked for
        if "columns" not in labels:
            labels["name"] = table.name
        return type(table)(array, **labels)
    if hasattr(table, "dims"):  # xarray
        return table.copy(data=array)
    names = [table.name, array] if array.ndim == 1 else [array, table.columns]
    return type(table)(*names)


def _has(table: Any, name: str) -> bool:
    return hasattr(table, "index") and hasattr(table, name)
