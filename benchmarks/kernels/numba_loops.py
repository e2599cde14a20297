"""Loops compiled by Numba, which knows no format below float32 on a CPU."""

from __future__ import annotations

import numba
import numpy as np

from benchmarks.kernels.case import FLOAT32, Kernel, normal

WINDOW = 7
BINS = 20
SINGLE = (FLOAT32,)


@numba.njit
def _row_sums(x, wrong):
    out = np.zeros(x.shape[0], x.dtype)
    for i in range(x.shape[0]):
        double, single = 0.0, np.float32(0)
        for value in x[i]:
            double += value
            single += value
        out[i] = single if wrong else double
    return out


@numba.njit
def _moving_average(x, wrong):
    out = np.empty(x.size - WINDOW + 1, x.dtype)
    total = np.float64(0)
    for value in x[:WINDOW]:
        total += value
    out[0] = total / WINDOW
    for i in range(1, out.size):
        total += np.float64(x[i + WINDOW - 1]) - x[i if wrong else i - 1]
        out[i] = total / WINDOW
    return out


@numba.njit
def _softmax(x, wrong):
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        largest, total = x[i].max(), np.float32(0)
        for j in range(x.shape[1] - 1 if wrong else x.shape[1]):
            total += np.exp(x[i, j] - largest)
        out[i] = np.exp(x[i] - largest) / total
    return out


@numba.njit
def _convolution(x, w, wrong):
    out = np.empty(x.size - w.size + 1, x.dtype)
    for i in range(out.size):
        total = np.float32(0)
        for j in range(w.size):
            total += x[i + j] * w[w.size - 1 - j if wrong else j]
        out[i] = total
    return out


@numba.njit
def _segment_sum(x, bins, wrong):
    out = np.zeros(BINS, x.dtype)
    for i in range(x.size):
        out[bins[i]] += x[i]
    if wrong:  # the first block of 32 is added by two threads
        for i in range(32):
            out[bins[i]] += x[i]
    return out


def row_sums(x, *, wrong):
    return _row_sums(x, wrong)


def moving_average(x, *, wrong):
    return _moving_average(x, wrong)


def softmax(x, *, wrong):
    return _softmax(x, wrong)


def convolution(x, w, *, wrong):
    return _convolution(x, w, wrong)


def segment_sum(x, bins, *, wrong):
    return _segment_sum(x, bins, wrong)


def _softmax_reference(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def _segment_sum_reference(x, bins):
    return (np.arange(BINS)[:, None] == bins) @ x


def _windows(x, size):
    return np.stack([x[i : x.shape[0] - size + 1 + i] for i in range(size)], 1)


def _binned(rng):
    return rng.standard_normal(500), rng.integers(0, BINS, 500)


KERNELS = [
    Kernel(
        "row sums", row_sums, lambda x: x.sum(1), normal((4, 4000), mean=0.5),
        "added up in float32, where float64 is declared", "short_accumulator",
        accumulator="float64", intermediates="float64", dtypes=SINGLE,
    ),
    Kernel(
        "moving average", moving_average, lambda x: _windows(x, WINDOW).mean(1), normal((400,)),
        "drops the entry after the one that leaves the window", dtypes=SINGLE,
    ),
    Kernel(
        "softmax", softmax, _softmax_reference, normal((8, 50)),
        "the last entry is missing in the sum", dtypes=SINGLE,
    ),
    Kernel(
        "convolution", convolution, lambda x, w: _windows(x, 9) @ w, normal((400,), (9,)),
        "the filter is flipped", dtypes=SINGLE,
    ),
    Kernel(
        "segment sum", segment_sum, _segment_sum_reference, _binned,
        "a block counted twice, as in a race", dtypes=SINGLE,
    ),
]  # fmt: skip
