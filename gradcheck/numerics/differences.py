"""Differences of arrays as they really are: after rounding, and where both are infinite."""

from __future__ import annotations

import math

import numpy as np

from gradcheck._types import Array
from gradcheck.numerics.blockwise import project


def difference(now: Array, before: Array) -> Array:
    """Return now - before in float64, zero where both are the same infinity or NaN."""
    if now.shape != before.shape:
        return now
    if np.result_type(now, before).itemsize < 8 or now.dtype.kind != "f":
        now, before = now.astype(np.float64), before.astype(np.float64)
    found = now - before
    if math.isfinite(float(found.sum())):
        return found
    same = ~np.isfinite(before) & ((now == before) | (np.isnan(now) & np.isnan(before)))
    return np.where(same, 0.0, found)


def along_step(gradient: Array, now: Array, before: Array, into: Array) -> float:
    """Return <gradient, now - before>; ``into``, shaped like it, is written over."""
    along = float(np.vdot(gradient, np.subtract(now, before, out=into, dtype=np.float64)))
    return along if math.isfinite(along) else project(gradient, difference(now, before))
