"""Which entries of a gradient are wrong, as far as a tensor's report shows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.report.data import Entry, FloatArray, TensorReport
from gradcheck.report.wording import index_words

BoolArray = NDArray[np.bool_]

# So many positions are named in a sentence; more are counted.
MOST_NAMED = 3


# Types whose rounding NumPy knows; others, such as bfloat16, are taken for the most exact one.
NUMPY_FLOATS = ("float16", "float32", "float64")


def side_by_side(tensor: TensorReport) -> tuple[FloatArray, FloatArray] | None:
    """Return the analytic and numerical gradient in the tensor's shape, None where one is unknown.

    An analytic gradient of another shape is read as the check reads it: in C order, one number
    for all entries.
    """
    analytic, numerical = tensor.analytic, tensor.numerical
    if analytic is None or numerical is None or numerical.size == 0:
        return None
    if analytic.shape != numerical.shape:
        if analytic.size not in (1, numerical.size):
            return None
        analytic = np.resize(analytic, numerical.shape)
    return analytic.astype(np.float64), numerical.astype(np.float64)


def worst_entries(tensor: TensorReport) -> tuple[Entry, ...]:
    """Return the worst entries of the claimed Jacobian, or where there are none the gradient's."""
    found = tensor.jacobian.worst if tensor.jacobian is not None else ()
    return found or tensor.worst


def rounded_to_zero(tensor: TensorReport) -> list[Entry]:
    """Return the worst entries, with 0 for what is 0 up to rounding.

    On the numerical side that is what its error bound does not tell from 0. On the analytic side,
    which has no bound, it is what the rounding of numbers as large as the gradient can leave, or,
    after many operations, what is within the numerical bound and beyond half of the digits: a
    number within a coarser bound need not be 0.
    """
    worst = worst_entries(tensor)
    sizes = (abs(entry.numerical) for entry in worst)
    scale = max(filter(math.isfinite, sizes), default=0.0)
    eps = float(np.finfo(tensor.dtype if tensor.dtype in NUMPY_FLOATS else np.float64).eps)

    def rounded(entry: Entry) -> Entry:
        noise = max(eps * scale, min(entry.bound, math.sqrt(eps) * scale))
        return replace(
            entry,
            analytic=0.0 if abs(entry.analytic) <= noise else entry.analytic,
            numerical=0.0 if abs(entry.numerical) <= entry.bound else entry.numerical,
        )

    return [rounded(entry) for entry in worst]


def wrong_mask(tensor: TensorReport) -> BoolArray | None:
    """Mark the entries known to be wrong, None where the gradient was not measured entry by entry.

    Besides the entries listed as worst, those that are further off than the widest of the listed
    bounds allows, or not finite.
    """
    sides = side_by_side(tensor)
    if sides is None or not tensor.worst:
        return None
    analytic, numerical = sides
    with np.errstate(invalid="ignore"):
        gap = np.abs(analytic - numerical)
    widest = max(entry.bound for entry in tensor.worst)
    wrong = np.array(~(gap <= widest) & ~np.isnan(numerical))
    for entry in tensor.worst:
        wrong[entry.index] = True
    return wrong


def extent(tensor: TensorReport) -> str:
    """Say how much of the tensor is wrong: all, how many, or where the worst is."""
    if tensor.jacobian is not None and tensor.jacobian.region:
        return tensor.jacobian.region
    named = ", ".join(index_words(entry.index) for entry in tensor.worst[:MOST_NAMED])
    wrong = wrong_mask(tensor)
    if wrong is None:
        return ", ".join(part for part in (tensor.region, f"worst at {named}") if part and named)
    count = int(wrong.sum())
    if wrong.size == 1:
        return "its only entry"
    if count == wrong.size:
        return f"all {count} entries"
    if tensor.region.startswith("all of"):
        return f"{tensor.region}, {count} of {wrong.size} entries"
    where = f", at {named}" if count <= MOST_NAMED else f", worst at {named}"
    where = f" {tensor.region}{where}" if tensor.region else where
    return f"{count} of {wrong.size} entries{where}"
