"""What the suites draw: the arguments of a property's check, as a dict.

For tests of your own there is `gradcheck.properties.strategies`; here, speed comes first. Every
entry is drawn on its own: Hypothesis's array strategy fills by default, and row bugs hide in
equal rows. The scale is drawn apart from the entries, so that a counterexample names its regime.
Entries are dyadic fractions, small integers over a power of two: they shrink to readable numbers,
and sums and shifts of them are exact, so that identities may be asked for without excuse. Arrays
have one of ``fn.ndims`` axes, ``fn`` being what is tested, unless ``ndims`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from gradcheck.properties.strategies.shapes import filled

Array = NDArray[np.float64]

SCALES = (1.0, 8.0, 48.0)
SHIFTS = (1.0, -1.0, 1e4, -1e4, 1e6, -1e6)
GRID = 64
# exp underflows to zero below -746: rows this far apart cannot share a maximum.
FAR = 800.0

_entries = st.integers(-GRID, GRID)
_up_to = {k: st.integers(1, k) for k in range(1, 7)}


def draw_shape(
    draw: st.DrawFn, ndims: Sequence[int] = (2,), rows: int = 3, classes: int = 4
) -> Any:
    """Draw a shape: ``classes`` last, up to ``rows`` along each axis before it."""
    ndim = draw(st.sampled_from(list(ndims)))
    leading = tuple(draw(_up_to[rows]) for _ in range(ndim - 1))
    return (*leading, draw(_up_to[classes]))


def draw_grid(draw: st.DrawFn, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    """Draw an array of multiples of ``scale / 64`` in ``[-scale, scale]``."""
    return filled(draw, _entries, shape) * (scale / GRID)


@st.composite
def logits(
    draw: st.DrawFn,
    fn: Any,
    ndims: Sequence[int] = (),
    *,
    scales: Sequence[float] = SCALES,
    rows: int = 3,
    classes: int = 4,
) -> dict[str, Any]:
    """Draw ``x``: one row or a batch of rows of logits."""
    shape = draw_shape(draw, ndims or fn.ndims, rows, classes)
    return {"x": draw_grid(draw, shape, draw(st.sampled_from(list(scales))))}


@st.composite
def far_rows(draw: st.DrawFn) -> dict[str, Any]:
    """Draw ``x``: a batch of rows so far apart that ``exp`` of their difference underflows."""
    x = draw_grid(draw, draw_shape(draw, (2,)))
    levels = [draw(st.sampled_from([0.0, FAR, -FAR])) for _ in range(len(x))]
    return {"x": x + np.array(levels)[:, np.newaxis]}


@st.composite
def shifted_logits(draw: st.DrawFn, fn: Any) -> dict[str, Any]:
    """Draw ``x`` and one shift ``c`` per row, such that ``x + c`` is exact."""
    x = draw_grid(draw, draw_shape(draw, fn.ndims), 8.0)
    shifts = [draw(st.sampled_from(SHIFTS)) for _ in range(x.size // x.shape[-1])]
    return {"x": x, "c": np.array(shifts).reshape(*x.shape[:-1], 1)}


@st.composite
def permuted_logits(
    draw: st.DrawFn, fn: Any, ndims: Sequence[int] = (), *, axis: int = -1
) -> dict[str, Any]:
    """Draw ``x`` and a permutation ``order`` of its entries along ``axis``."""
    x = draw_grid(draw, draw_shape(draw, ndims or fn.ndims), draw(st.sampled_from(SCALES)))
    return {"x": x, "order": draw(st.permutations(range(x.shape[axis])))}


@st.composite
def close_logits(draw: st.DrawFn, fn: Any) -> dict[str, Any]:
    """Draw ``x`` with ties and near-ties: integers plus a few units in the last place of one."""
    shape = draw_shape(draw, fn.ndims)
    base, nudge = filled(draw, st.integers(-3, 3), shape), filled(draw, st.integers(0, 3), shape)
    return {"x": base + nudge * np.finfo(np.float64).eps}


@st.composite
def masked_logits(draw: st.DrawFn, fn: Any) -> dict[str, Any]:
    """Draw ``x`` with some entries minus infinity, at least one of each row left finite."""
    x = draw_grid(draw, draw_shape(draw, fn.ndims), 8.0)
    for row in x.reshape(-1, x.shape[-1]):
        kept = draw(st.integers(0, len(row) - 1))
        for j in range(len(row)):
            if j != kept and draw(st.booleans()):
                row[j] = -np.inf
    return {"x": x}


@st.composite
def poisoned_logits(draw: st.DrawFn) -> dict[str, Any]:
    """Draw ``x``, a batch of two rows or more, and the ``row`` and entry ``j`` to be made NaN."""
    rows, classes = draw(st.integers(2, 4)), draw(st.integers(1, 4))
    x = draw_grid(draw, (rows, classes))
    return {"x": x, "row": draw(st.integers(0, rows - 1)), "j": draw(st.integers(0, classes - 1))}


@st.composite
def logits_and_axis(draw: st.DrawFn, ndims: Sequence[int]) -> dict[str, Any]:
    """Draw ``x`` and one ``axis`` of it, counted from either end."""
    x = draw_grid(draw, draw_shape(draw, ndims), 8.0)
    return {"x": x, "axis": draw(st.integers(-x.ndim, x.ndim - 1))}


@st.composite
def logits_and_cotangents(
    draw: st.DrawFn, fn: Any, ndims: Sequence[int] = (), *, cotangents: int = 1
) -> dict[str, Any]:
    """Draw ``x`` of moderate size, a batch if it may be one, and ``g`` (and ``h``) like it."""
    x = draw_grid(draw, draw_shape(draw, ndims or (max(fn.ndims),), rows=2, classes=3), 4.0)
    return {"x": x} | {name: draw_grid(draw, x.shape, 2.0) for name in "gh"[:cotangents]}


def one_hot(classes: Sequence[int], n: int) -> Array:
    """Return one row per entry of ``classes``, one there and zero elsewhere."""
    return np.eye(n)[list(classes)]


def draw_classes(draw: st.DrawFn, rows: int, n: int) -> list[int]:
    """Draw the true class of each of ``rows`` samples."""
    return [draw(st.integers(0, n - 1)) for _ in range(rows)]
