"""Wrong numbers of a claimed Jacobian that follow from the right ones at the same places."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.measurer import ROUNDINGS
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.claimed_matrix import ClaimedMatrix
from gradcheck.explain.jacobian.precision import MEANT, SMALL

# Numbers that were fitted are these where they are this near.
SAME = 1e-6

# One number fitted to fewer wrong entries than this tells nothing.
FEWEST = 2


def multiples(matrix: ClaimedMatrix) -> Iterator[Hypothesis]:
    """The wrong entries are one number times the right ones: -1, 0, 2, the number of rows."""
    wrong, right, claimed = matrix.wrong, matrix.right, matrix.claimed
    square = float(np.sum(right[wrong] ** 2))
    if not square or np.any(right[wrong] == 0):
        return
    factor = float(np.sum(claimed[wrong] * right[wrong])) / square
    count, rows = int(wrong.sum()), claimed.shape[0]
    known = [n for n in (-1.0, 0.0, 2.0, 0.5, float(rows), 1.0 / rows) if abs(factor - n) <= SAME]
    factor = known[0] if known else factor
    if count < FEWEST and not known:
        return
    every = bool(np.all(wrong | (right == 0)))
    where = "every entry of the Jacobian" if every else matrix.region
    values = np.where(wrong, factor * right, right)
    fitted = 0 if known else 1
    cost = (0.5 if every else 0.6) + (0.0 if known else 0.4)
    if factor == -1:
        message = f"the sign of {where} is wrong"
        fix = "return -J  # of a residual y - f(x), it is that of f with a minus"
        fix = fix if every else f"J = -J there: {matrix.region}"
        yield Hypothesis(Bug.SIGN_FLIPPED, message, fix, cost, values)
    elif factor == 0:
        yield _missing(matrix, where, values, cost)
    elif factor in (2.0, 0.5):
        message = f"{where} is {'doubled' if factor == 2 else 'halved'}"
        fix = f"J {'/' if factor == 2 else '*'}= 2 there: {where}"
        yield Hypothesis(Bug.FACTOR_TWO, message, fix, cost, values)
    elif known and every:
        message = f"the Jacobian is {factor:.6g} times what it should be, with {rows} rows"
        fix = f"J /= {factor:.6g}  # a mean over the rows is in one of the two only"
        yield Hypothesis(Bug.FACTOR_BATCH_SIZE, message, fix, cost, values)
    else:
        message = f"{where} is {factor:.8g} times what it should be"
        fix = f"J /= {factor:.8g} there: {where}"
        yield Hypothesis(Bug.CONSTANT_FACTOR, message, fix, cost, values, fitted)


def _missing(matrix: ClaimedMatrix, where: str, values: Array, cost: float) -> Hypothesis:
    """Name entries that are zero and should not be."""
    wrong, right = matrix.wrong, matrix.right
    off = np.eye(*wrong.shape) == 0
    if matrix.is_sparse and not np.any(
        wrong[matrix.entries.rows, matrix.entries.columns] & (matrix.entries.claimed != 0)
    ):
        message = f"entries that are no part of the sparse Jacobian are not zero: {where}"
        fix = "add these entries to the pattern, and their derivatives"
        return Hypothesis(Bug.SPARSITY_TOO_SMALL, message, fix, cost, values)
    if matrix.is_square and np.array_equal(wrong, (right != 0) & off):
        message = "only the diagonal of the Jacobian is given"
        fix = "add the derivatives of each output by the other entries"
        return Hypothesis(Bug.JACOBIAN_DIAGONAL_ONLY, message, fix, cost, values)
    acting = right != 0
    slices = [(wrong | ~acting).all(axis=a) & wrong.any(axis=a) for a in (0, 1)]
    whole = np.array_equal(wrong, acting & (slices[0][None, :] | slices[1][:, None]))
    code = Bug.ZERO_GRADIENT if whole else Bug.PATH_MISSING
    message = f"{where} is zero, and should not be"
    return Hypothesis(code, message, f"compute {where}", cost, values)


def identity(matrix: ClaimedMatrix) -> Iterator[Hypothesis]:
    """A multiple of the identity is missing or too much, or all but the identity has one factor."""
    if not matrix.is_square or len(matrix.claimed) < FEWEST:
        return
    eye = np.eye(len(matrix.claimed))
    off = eye == 0
    claimed, right = matrix.claimed, matrix.right
    if not np.any(matrix.wrong & off):
        gaps = np.diag(claimed - right)
        gap = float(np.mean(gaps))
        gap = float(round(gap)) if abs(gap - round(gap)) <= SAME else gap
        if gap:
            how = f"{'too much' if gap > 0 else 'missing'} on the diagonal: {abs(gap):.6g}"
            message = f"a multiple of the identity is {how}"
            fix = f"J {'-' if gap > 0 else '+'}= {abs(gap):.6g} * np.eye({len(eye)})"
            code = Bug.PATH_MISSING if abs(gap) == 1 else Bug.ADDITIVE_TERM
            values = right + gap * eye
            yield Hypothesis(code, message, fix, 0.6, values, 0 if abs(gap) == 1 else 1)
    message = "all but the identity has the wrong sign"
    fix = "J = I - h * df where the residual is y - y0 - h * f(y), I + h * df where it adds f"
    yield Hypothesis(Bug.SIGN_FLIPPED, message, fix, 0.6, 2 * eye - right)


def asymmetric(matrix: ClaimedMatrix) -> Iterator[Hypothesis]:
    """Of two mirrored entries of a Hessian one is right."""
    wrong, claimed = matrix.wrong, matrix.claimed
    if not matrix.is_hessian or np.any(wrong & wrong.T):
        return
    row, column = map(int, np.unravel_index(np.abs(claimed - claimed.T).argmax(), wrong.shape))
    if not wrong[row, column]:
        row, column = column, row
    message = (
        f"the Hessian is not symmetric: H[{row}, {column}] is {claimed[row, column]:.6g} where "
        f"H[{column}, {row}], which is right, is {claimed[column, row]:.6g}"
    )
    fix = f"H[{row}, {column}] = H[{column}, {row}]  # one second derivative"
    values = np.where(wrong, claimed, matrix.right)
    yield Hypothesis(Bug.NOT_SYMMETRIC, message, fix, 0.1, values)


def scaled_rows(matrix: ClaimedMatrix) -> Iterator[Hypothesis]:
    """Every row, or every column, is off by a factor of its own."""
    for axis, kind, companion in ((1, "row", matrix.output), (0, "column", matrix.value)):
        right, claimed = matrix.right, matrix.claimed
        square = np.sum(right**2, axis=axis)
        alive = square > 0
        if right.shape[axis] < FEWEST or alive.sum() < FEWEST:
            continue
        factors = np.ones(len(square))
        factors[alive] = np.sum(claimed * right, axis=axis)[alive] / square[alive]
        off = alive & (np.abs(factors - 1) > SAME)
        if off.sum() < FEWEST:
            continue
        spread = np.expand_dims(factors, axis)
        what = _followed(factors, companion, off, "the output" if axis else matrix.name)
        where = "of its own" if what is None else f"of its own: {what}"
        message = f"every {kind} of the Jacobian is off by a factor {where}"
        fix = (
            f"multiply every {kind} by what the chain rule has there: the derivative of what is "
            f"applied to the {'outputs, or a weight' if axis else 'entries, or a scale'}"
        )
        cost = 0.9 if what is None else 0.8
        fitted = int(off.sum()) if what is None else 0
        yield Hypothesis(Bug.PATH_MISSING, message, fix, cost, spread * right, fitted)


def _followed(factors: Array, companion: Array, off: Array, name: str) -> str | None:
    """Return which function of the outputs or of the entries the factors are."""
    with np.errstate(all="ignore"):
        functions = {
            f"{name} itself": companion,
            f"1 / {name}": 1 / companion,
            f"exp({name})": np.exp(companion),
            f"exp(-{name})": np.exp(-companion),
            f"{name} squared": companion**2,
            f"1 / (2 {name})": 0.5 / companion,
            f"1 / (1 - {name}**2)": 1 / (1 - companion**2),
            f"1 / ({name} (1 - {name}))": 1 / (companion * (1 - companion)),
        }
    for words, values in functions.items():
        if np.allclose(values[off], factors[off], rtol=SAME):
            return words
    return None


def added(matrix: ClaimedMatrix) -> Iterator[Hypothesis]:
    """The wrong entries are off by one number."""
    gaps = (matrix.claimed - matrix.right)[matrix.wrong]
    if len(gaps) > FEWEST and np.ptp(gaps) <= SAME * np.abs(gaps).max():
        gap = float(np.mean(gaps))
        message = f"{gap:.6g} is added to {matrix.region}"
        values = np.where(matrix.wrong, matrix.right + gap, matrix.right)
        fix = f"J -= {gap:.6g} there: {matrix.region}"
        yield Hypothesis(Bug.ADDITIVE_TERM, message, fix, 0.9, values, 1)


def misplaced(matrix: ClaimedMatrix) -> Iterator[Hypothesis]:
    """Entries are not zero that should be."""
    wrong = matrix.wrong
    if np.all(matrix.right[wrong] == 0):
        message = f"entries on which the output does not depend are not zero: {matrix.region}"
        fix = f"set them to zero: {matrix.region}"
        values = np.where(wrong, matrix.claimed, matrix.right)
        yield Hypothesis(Bug.MASK_NOT_APPLIED, message, fix, 0.9, values, int(wrong.sum()))


def inaccurate(matrix: ClaimedMatrix) -> Iterator[Hypothesis]:
    """All errors are small: numbers of low precision, or finite differences."""
    claimed, right, wrong = matrix.claimed, matrix.right, matrix.wrong
    gaps = np.abs(claimed - right)
    relative = float(gaps.max()) / float(np.sqrt(np.mean(right**2)) or 1.0)
    near = np.mean(gaps[wrong] <= SMALL * np.abs(right[wrong]))
    if relative > SMALL or near <= 1 / 2:
        return
    for dtype in (np.float32, np.float16):
        rounded = np.array_equal(claimed.astype(dtype).astype(np.float64), claimed)
        if rounded and relative <= ROUNDINGS * np.finfo(dtype).eps:
            message = f"the Jacobian has the precision of {np.dtype(dtype)} only"
            fix = f"no astype(np.{np.dtype(dtype)}), and no buffer of that dtype"
            yield Hypothesis(Bug.PRECISION_LOST, message, fix, 0.9, claimed)
            return
    message = f"every entry is nearly right, as finite differences are: off by {relative:.1g}"
    allowed = 10.0 ** math.ceil(math.log10(MEANT * relative))
    fix = f"differentiate exactly; where differences are meant, pass tolerance={allowed:g}"
    yield Hypothesis(Bug.UNIFORMLY_INACCURATE, message, fix, 1.05, claimed)
