"""Directions to move a tensor along, sizes of step natural for it, and cotangents to project on."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.numerics.blockwise import all_finite, blocks

# Entries that move per kink that is reckoned with, and the shortest reach that is started with:
# rounding noise there still leaves ten digits.
ENTRIES_PER_KINK = 64
SHORTEST_REACH = 2.0**-9

# Tensors of so many entries are kept in as few bytes as they fit in.
LARGE = 1 << 20

# Numbers between this and its inverse neither vanish nor overflow when squared and added up.
SQUARABLE = 1e-100

# What carries the mantissa of a float64 into the exponent from the square root of two on, and what
# is left of its bits without sign and mantissa.
CARRY = (1 << 52) - (int(np.float64(math.sqrt(2)).view(np.int64)) & ((1 << 52) - 1))
EXPONENT = 0x7FF << 52

# Random directions that stand for the axes of a large array: a wrong linear map is right along one
# of them with probability zero; several show more of it.
STAND_INS = 16


def random_cotangents(outputs: Outputs, rng: np.random.Generator, *, unit: bool = False) -> Outputs:
    """Draw cotangents of varied size and sign, exact in every floating-point type.

    Entries are ± k/16 with k in 8..24: none vanishes, and they differ, because a constant
    cotangent gives softmax and batch-norm a zero gradient. Outputs that are no floating-point
    numbers, and entries that are not finite, get zero.
    """
    drawn = []
    for output in outputs:
        if output.dtype.kind != "f":
            drawn.append(np.zeros(output.shape))
            continue
        sizes = rng.integers(8, 25, output.shape) / 16
        signs = rng.integers(0, 2, output.shape) * 2 - 1
        values = np.ones(output.shape) if unit else sizes * signs
        drawn.append(np.where(np.isfinite(output), values, 0).astype(output.dtype))
    return tuple(drawn)


# Entries of a vector this much smaller than it are kept in other units, as parameters of different
# kinds are, unless they are what rounding left of zeros.
OTHER_UNITS = 2.0**-20
RESIDUE = 2.0**-46


def per_entry_scale(value: Array) -> Array:
    """Return the size of step natural for every entry, as powers of two.

    An entry's own magnitude, but no less than the root mean square of the smallest slice
    (row, column, ...) through it: entries that happen to be small are moved as their neighbours
    are, features kept in small units are moved in those units, and so are the entries of a vector
    that are so small beside others as none is by chance. Zero tensors move by one.
    """
    scale = magnitudes(value)
    largest = float(scale.max(initial=0.0))
    if largest == 0:
        return np.ones(value.shape)
    unit = 1.0 if SQUARABLE < largest < 1 / SQUARABLE else largest
    if unit != 1.0:
        scale /= unit  # so that no square overflows
    _raise_to_neighbours(scale)
    if scale.min() == 0:
        scale[scale == 0] = scale.max()
    if unit != 1.0:
        scale *= unit
    return round_to_powers_of_two(scale)


def own_scale(value: Array, scale: Array, least: float) -> Array:
    """Return every entry's own magnitude as a power of two, or this share of ``scale`` if more."""
    own = np.empty_like(scale)
    for x, natural, part in blocks(value, scale, own):
        sizes = np.asarray(np.maximum(magnitudes(x), least * natural))
        part[...] = round_to_powers_of_two(sizes)
    return own


def magnitudes(value: Array) -> Array:
    """Return |value| in float64, zero where it is not finite."""
    magnitude = np.asarray(np.abs(value, dtype=np.float64))
    if not math.isfinite(float(magnitude.max(initial=0.0))):
        magnitude[~np.isfinite(magnitude)] = 0.0
    return magnitude


def round_to_powers_of_two(sizes: Array) -> Array:
    """Round positive sizes, in place, to the power of two that is nearest by logarithm."""
    for (part,) in blocks(sizes):
        if part.size and part.min() < np.finfo(np.float64).tiny:
            mantissa, exponent = np.frexp(part)
            np.ldexp(1.0, exponent - (mantissa < math.sqrt(0.5)), out=part)
        else:
            bits = part.view(np.int64)
            bits += CARRY
            bits &= EXPONENT
    return sizes


def compact(sizes: Array) -> Array:
    """Return ``sizes`` as float32, half the memory, unless its range is too narrow for them.

    Powers of two, and small multiples of them, are exact in it.
    """
    if sizes.size < LARGE:
        return sizes
    finest, widest = np.finfo(np.float32).tiny, np.finfo(np.float32).max
    small = np.empty(sizes.shape, np.float32)
    for part, cast in blocks(sizes, small):
        least = part.min() or np.min(part, where=part > 0, initial=np.inf)
        if not (least >= finest and part.max() <= widest):
            return sizes
        cast[...] = part
    return small


def _raise_to_neighbours(scale: Array) -> None:
    """Raise every entry, in place, to the root mean square of the smallest slice through it."""
    axes = list(range(scale.ndim))
    if len(axes) < 2:
        rms = np.sqrt(np.mean(np.square(scale)))
        apart = (scale > RESIDUE * rms) & (scale < OTHER_UNITS * rms)
        if np.mean(apart) > OTHER_UNITS:  # else as few are so small by chance
            rms = np.where(apart, 0, rms)
        np.maximum(scale, rms, out=scale)
        return
    typical = []
    for axis in axes:
        squares = np.einsum(scale, axes, scale, axes, [axis])
        rms = np.sqrt(squares * squares.size / scale.size)
        shape = [-1 if other == axis else 1 for other in axes]
        # a slice of zeros says nothing of its entries' scale
        typical.append(np.where(rms > 0, rms, np.inf).reshape(shape))
    for part, *slices in blocks(scale, *(np.broadcast_to(t, scale.shape) for t in typical)):
        least = reduce(np.minimum, slices)
        np.maximum(part, np.where(np.isfinite(least), least, 0.0), out=part)


def varied(rng: np.random.Generator, scale: Array, value: Array) -> Array:
    """Draw a direction of random signs and sizes (8..24 sixteenths of ``scale``).

    Along it, errors of like size in several entries do not cancel as they may under signs alone.
    """
    return rademacher(rng, scale * rng.integers(8, 25, scale.shape) / 16, value)


def rademacher(rng: np.random.Generator, scale: Array, value: Array) -> Array:
    """Draw a direction of random signs times ``scale``, at rest where ``value`` is not finite."""
    drawn = np.frombuffer(rng.bytes(-(-scale.size // 8)), np.uint8)
    bits = np.unpackbits(drawn, count=scale.size).reshape(scale.shape)
    direction = np.multiply(1 - 2 * bits.view(np.int8), scale, dtype=scale.dtype)
    return np.asarray(
        direction if all_finite(value) else np.where(np.isfinite(value), direction, 0)
    )


def in_place_of_axes(rng: np.random.Generator, value: Array) -> Array:
    """Draw directions of random signs that stand for the axes of a large array, along axis 0."""
    return rng.choice((-1.0, 1.0), (STAND_INS, *value.shape)).astype(value.dtype)


def smooth_reach(*directions: Array) -> float:
    """Return the length over which a function may be smooth along directions that move at once.

    Of n entries that move, each may carry a kink: the nearest is about 1/n away. In float64 there
    are digits enough to start there.
    """
    moving = sum(int(np.count_nonzero(d)) for d in directions) // ENTRIES_PER_KINK
    return max(SHORTEST_REACH, 2.0 ** -round(math.log2(max(1, moving))))
