"""What an error beyond rounding looks like: a factor, a region, other places, not finite."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from gradcheck._types import Array
from gradcheck.report.wording import index_words
from gradcheck.rounding.allowance import FACTOR, Allowance

# Blocks of kernels are powers of two, and this long at least.
SMALLEST_TILE = 8


Look = Callable[[Array, Allowance], Iterator[str]]


def first_seen(looks: Sequence[Look], got: Array, allowance: Allowance) -> str:
    """Say what an error that is more than rounding looks like; empty where nothing is seen."""
    return next((words for look in looks for words in look(got, allowance)), "")


def _not_finite(got: Array, allowance: Allowance) -> Iterator[str]:
    bad = ~np.isfinite(got) & np.isfinite(allowance.reference)
    if bad.any():
        yield f"{_count(bad)} not finite, where the reference is"


def _factor(got: Array, allowance: Allowance) -> Iterator[str]:
    """All entries are the same multiple of the reference."""
    reference = allowance.reference
    if reference.size < 2 or not (np.isfinite(got).all() and np.isfinite(reference).all()):
        return
    if not got.any():
        yield "all entries are 0"
        return
    size = float(np.vdot(reference, reference))
    factor = float(np.vdot(got, reference)) / size if size > 0 else 0.0
    if factor == 0:
        return
    rest = float(np.linalg.norm(got - factor * reference))
    clear = abs(factor - 1) * math.sqrt(size * reference.size) > FACTOR * rest
    # the factor may have been applied to what was rounded already
    if clear and not allowance.beyond(got / factor, roundings=2).any():
        yield f"all entries are {factor:.6g} times those of the reference"


def _other_places(got: Array, allowance: Allowance) -> Iterator[str]:
    """The numbers are right and stand elsewhere."""
    square = got.ndim >= 2 and got.shape[-1] == got.shape[-2]
    if square and not allowance.beyond(np.swapaxes(got, -1, -2)).any():
        yield "the last two axes are exchanged"
    for axis, length in enumerate(got.shape):
        for shift in {1, -1} if length > 2 else set():
            kept = [slice(None)] * got.ndim
            kept[axis] = slice(1, -1)
            wrong = allowance.beyond(np.roll(got, shift, axis))[tuple(kept)]
            if not wrong.any() and allowance.beyond(got)[tuple(kept)].any():
                where = "before" if shift > 0 else "behind"
                yield f"the entries are one {where} their places along axis {axis}"


def _region(got: Array, allowance: Allowance) -> Iterator[str]:
    """One block is wrong, the rest right: as where a tile, or its mask, is."""
    wrong = allowance.beyond(got)
    if wrong.all() or not wrong.any():
        return
    places, block = [], []
    for axis, length in enumerate(wrong.shape):
        along = np.flatnonzero(wrong.any(axis=tuple(a for a in range(wrong.ndim) if a != axis)))
        first, last = int(along[0]), int(along[-1])
        block.append(slice(first, last + 1))
        if last - first + 1 < length:
            places.append(_place(axis, first, last, length))
    if places and 2 * wrong[tuple(block)].sum() >= wrong[tuple(block)].size:
        what = "wrong" if got[wrong].any() else "0"
        yield f"{what} {' and '.join(places)}; all else is within rounding"


def _place(axis: int, first: int, last: int, length: int) -> str:
    if first == last:
        place = f"at index {first} of axis {axis}" + (", the last" if last == length - 1 else "")
    elif last == length - 1:
        place = f"from index {first} of axis {axis} on"
    else:
        place = f"at the indices {first} to {last} of axis {axis}"
    tile = first & -first  # the largest power of two that divides it
    return f"{place}, where a tile of {tile} begins" if tile >= SMALLEST_TILE else place


def _constant(got: Array, allowance: Allowance) -> Iterator[str]:
    """All entries are off by the same number."""
    gap = got - allowance.reference
    if gap.size > 2 and np.isfinite(gap).all():
        offset = float(np.mean(gap))
        if offset and np.all(np.abs(gap - offset) <= allowance.entries(got, roundings=2)):
            yield f"all entries are off by {offset:.3g}"


def _axes(got: Array, allowance: Allowance) -> Iterator[str]:
    """Slices along one axis have a factor each: a row statistic, or a scale by block."""
    reference = allowance.reference
    if got.ndim < 2 or not (np.isfinite(got).all() and np.isfinite(reference).all()):
        return
    for axis in range(got.ndim):
        others = tuple(a for a in range(got.ndim) if a != axis)
        sizes = np.sum(reference * reference, axis=others, keepdims=True)
        with np.errstate(all="ignore"):
            factors = np.sum(got * reference, axis=others, keepdims=True) / sizes
            scaled = got / factors
        if np.isfinite(scaled).all() and not allowance.beyond(scaled, roundings=2).any():
            low, high = float(factors.min()), float(factors.max())
            yield (
                f"every index of axis {axis} has a factor of its own, between {low:.4g} and "
                f"{high:.4g}: look at what is computed once for each, as its sum or its maximum"
            )


def _count(bad: Array) -> str:
    if not bad.ndim:
        return "it is"
    first = tuple(map(int, np.argwhere(bad)[0]))
    return f"{int(bad.sum())} of {bad.size} entries, the first at {index_words(first)}, are"


# Looked for in this order: what is said first says most. Short sums look like what is vague: the
# roundings of a statistic are common to its row.
CLEAR: tuple[Look, ...] = (_not_finite, _factor, _other_places, _region)
VAGUE: tuple[Look, ...] = (_constant, _axes)
