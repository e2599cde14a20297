"""Claimed gradients beside central differences: the truth of an object, without gradcheck."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.field.item import RIGHT, UNDECIDABLE, WRONG, Reading

ENTRIES = 30  # of a larger tensor, so many are drawn
STEP = {"float64": 1e-6, "float32": 1e-2}  # relative; near the best for two-sided differences

# A gradient is called wrong from here on; a slip that changes less is not counted as one.
WRONG_FROM = 1e-3
# Right gradients stay below: a hundred times what a central difference itself is off by.
RIGHT_TO = {"float64": 1e-5, "float32": 1e-2}


@dataclass(frozen=True)
class Comparison:
    """The largest error relative to the tensor's largest derivative, and what can be seen of it.

    ``ratio`` is claimed over measured where that is the same number for all entries, two at least,
    of all wrong tensors.
    """

    error: float
    dtype: str
    ratio: float | None
    output: np.ndarray

    @property
    def truth(self) -> str:
        """`RIGHT` or `WRONG`; `UNDECIDABLE` where the numbers leave it open."""
        if not np.isfinite(self.error):
            return WRONG
        bound = WRONG_FROM if self.dtype == "float64" else RIGHT_TO[self.dtype]
        if self.error > bound:
            return WRONG
        return RIGHT if self.error <= RIGHT_TO[self.dtype] else UNDECIDABLE


def compare(reading: Reading, seed: int = 1) -> Comparison:
    """Compare the claimed gradients with differences of the forward along single entries.

    A backward that changes the cotangent, the inputs or the parameters is wrong as well.
    """
    rng = np.random.default_rng(seed)
    output = np.array(reading.forward(), copy=True)
    cotangent = np.asarray(rng.standard_normal(output.shape), output.dtype)
    given = [np.copy(array) for array in (cotangent, *reading.tensors)]
    claims = reading.gradients(cotangent if output.ndim else output.dtype.type(cotangent))
    changed = False
    for array, before in zip((cotangent, *reading.tensors), given, strict=True):
        changed |= not np.array_equal(array, before, equal_nan=True)
        array[...] = before
    claims = [np.array(claim, dtype=float) for claim in claims]
    dtypes = {str(output.dtype), *(str(t.dtype) for t in reading.tensors)}
    dtype = "float32" if reading.single or "float32" in dtypes else "float64"
    error, ratios, seen = np.inf if changed else 0.0, [], 0
    for tensor, claim in zip(reading.tensors, claims, strict=True):
        if claim.shape != tensor.shape:
            if claim.size != tensor.size or np.squeeze(claim).shape != np.squeeze(tensor).shape:
                error = np.inf
                continue
            claim = claim.reshape(tensor.shape)
        places = rng.choice(tensor.size, min(tensor.size, ENTRIES), replace=False)
        indices = [np.unravel_index(place, tensor.shape) for place in places]
        said = np.array([claim[index] for index in indices])
        measured = np.array([_slope(reading, tensor, i, cotangent, STEP[dtype]) for i in indices])
        scale = np.max(np.abs(measured)) or np.max(np.abs(said)) or 1.0
        worst = float(np.max(np.abs(said - measured)) / scale)
        if not worst <= WRONG_FROM:
            denominator = float(measured @ measured)
            seen += np.count_nonzero(measured)
            ratios.append(float(said @ measured) / denominator if denominator else np.nan)
            if not np.allclose(said, ratios[-1] * measured, rtol=0, atol=1e-4 * scale):
                ratios.append(np.nan)
        error = max(error, worst) if np.isfinite(worst) else np.inf
    same = seen > 1 and np.ptp(ratios) <= 1e-4 * abs(ratios[0])  # of NaN: not
    return Comparison(error, dtype, ratios[0] if same else None, output)


def _slope(
    reading: Reading, tensor: np.ndarray, index: tuple, cotangent: np.ndarray, step: float
) -> float:
    before = tensor[index].copy()
    size = step * max(abs(float(before)), 0.1)
    sides, places = [], []
    for way in (1, -1):
        tensor[index] = before + way * size
        places.append(float(tensor[index]))
        sides.append(float(np.sum(cotangent * np.asarray(reading.forward(), dtype=float))))
    tensor[index] = before
    return (sides[0] - sides[1]) / (places[0] - places[1])
