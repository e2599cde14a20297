"""The two operations that training spends its time in, each one call of BLAS.

NumPy and SciPy each bring a copy of OpenBLAS with threads of its own, and the threads of one wait
in the way of the other's. Training goes to SciPy's alone, which can also add to what is there; a
layer by itself, among the NumPy of whoever calls it, goes to NumPy's.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas

from network.functional import Array

# BLAS knows two precisions of real numbers.
GEMM = {np.dtype(np.float32): blas.sgemm, np.dtype(np.float64): blas.dgemm}
AXPY = {np.dtype(np.float32): blas.saxpy, np.dtype(np.float64): blas.daxpy}


def product(a: Array, b: Array, *, out: Array, keep: float = 0.0) -> Array:
    """Make ``out <- a b + keep out`` and return it.

    Parameters
    ----------
    a, b
        Matrices of shapes (n, k) and (k, m), in any layout.
    out
        Of shape (n, m), column by column in memory (``order="F"``), as BLAS has it; any other
        layout takes longer. Where ``keep`` is zero, it may hold anything, NaN included.
    keep
        Share of what ``out`` held that stays.
    """
    gemm = GEMM.get(out.dtype)
    suits = a.dtype == b.dtype == out.dtype and out.flags.f_contiguous
    if gemm is None or not suits or not a.size or not b.size:
        return plain_product(a, b, out=out, keep=keep)
    (left, turn_left), (right, turn_right) = _by_columns(a), _by_columns(b)
    gemm(1.0, left, right, keep, out, turn_left, turn_right, overwrite_c=True)
    return out


def add_scaled(y: Array, scale: float, x: Array) -> None:
    """Make ``y <- y + scale x`` in one pass over the memory."""
    if y.flags.f_contiguous:
        x, y = x.T, y.T
    axpy = AXPY.get(y.dtype)
    if axpy is None or x.dtype != y.dtype or not (x.flags.c_contiguous and y.flags.carray):
        y += scale * x
    elif y.size:
        axpy(x.reshape(-1), y.reshape(-1), a=scale)


def plain_product(a: Array, b: Array, *, out: Array, keep: float = 0.0) -> Array:
    """Do as `product` does, by NumPy."""
    if keep:
        out *= keep
        out += a @ b
    else:
        np.matmul(a, b, out=out)
    return out


def _by_columns(matrix: Array) -> tuple[Array, bool]:
    """Return the matrix as it lies in memory by columns, and whether that is its transpose."""
    return (matrix, False) if matrix.flags.f_contiguous else (matrix.T, True)
