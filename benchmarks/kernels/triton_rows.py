"""Kernels in Triton that reduce rows: one program per row, or a row in several tiles."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from benchmarks.kernels.case import Kernel, normal

ROWS, COLUMNS, BLOCK, TILE = 12, 100, 128, 32
EPS = 1e-5


@triton.jit
def _softmax(x, out, n, WRONG: tl.constexpr, B: tl.constexpr):
    row, j = tl.program_id(0), tl.arange(0, B)
    # wrong: what is beyond the row counts as zeros
    padding = 0.0 if WRONG else -float("inf")
    v = tl.load(x + row * n + j, mask=j < n, other=padding).to(tl.float32)
    e = tl.exp(v - tl.max(v, 0))
    tl.store(out + row * n + j, e / tl.sum(e, 0), mask=j < n)


@triton.jit
def _softmax_backward(y, d, out, n, WRONG: tl.constexpr, B: tl.constexpr):
    row, j = tl.program_id(0), tl.arange(0, B)
    p = tl.load(y + row * n + j, mask=j < n, other=0.0).to(tl.float32)
    c = tl.load(d + row * n + j, mask=j < n, other=0.0).to(tl.float32)
    mean = tl.sum(c, 0) / n if WRONG else tl.sum(c * p, 0)
    tl.store(out + row * n + j, p * (c - mean), mask=j < n)


@triton.jit
def _layer_norm(x, w, b, out, n, eps, WRONG: tl.constexpr, B: tl.constexpr):
    row, j = tl.program_id(0), tl.arange(0, B)
    v = tl.load(x + row * n + j, mask=j < n, other=0.0).to(tl.float32)
    mean = tl.sum(v, 0) / n
    # wrong: what is beyond the row is not masked again
    centred = v - mean if WRONG else tl.where(j < n, v - mean, 0.0)
    rstd = 1 / tl.sqrt(tl.sum(centred * centred, 0) / n + eps)
    scale = tl.load(w + j, mask=j < n).to(tl.float32)
    shift = tl.load(b + j, mask=j < n).to(tl.float32)
    tl.store(out + row * n + j, centred * rstd * scale + shift, mask=j < n)


@triton.jit
def _rms_norm(x, w, out, n, eps, WRONG: tl.constexpr, B: tl.constexpr):
    row, j = tl.program_id(0), tl.arange(0, B)
    low = x.dtype.element_ty
    v = tl.load(x + row * n + j, mask=j < n, other=0.0).to(tl.float32)
    squares = v * v
    if WRONG:  # as without `.to(tl.float32)`
        squares = squares.to(low).to(tl.float32)
    rstd = 1 / tl.sqrt(tl.sum(squares, 0) / n + eps)
    if WRONG:
        rstd = rstd.to(low).to(tl.float32)
    y = v * rstd
    if WRONG:
        y = y.to(low).to(tl.float32)
    scale = tl.load(w + j, mask=j < n).to(tl.float32)
    tl.store(out + row * n + j, y * scale, mask=j < n)


@triton.jit
def _variance(x, out, n, WRONG: tl.constexpr, B: tl.constexpr):
    row, j = tl.program_id(0), tl.arange(0, B)
    v = tl.load(x + row * n + j, mask=j < n, other=0.0).to(tl.float32)
    centred = tl.where(j < n, v - tl.sum(v, 0) / n, 0.0)
    divisor = n - 1 if WRONG else n
    tl.store(out + row, tl.sum(centred * centred, 0) / divisor)


@triton.jit
def _sum(x, out, n, WRONG: tl.constexpr, T: tl.constexpr):
    row, j = tl.program_id(0), tl.arange(0, T)
    total = 0.0
    for start in range(0, n, T):
        # wrong: the last tile is moved back to fit, and overlaps the one before
        at = tl.minimum(start, n - T) + j if WRONG else start + j
        total += tl.sum(tl.load(x + row * n + at, mask=at < n, other=0.0).to(tl.float32), 0)
    tl.store(out + row, total)


@triton.jit
def _cumulative_sum(x, out, n, WRONG: tl.constexpr, T: tl.constexpr):
    row, j = tl.program_id(0), tl.arange(0, T)
    carry = 0.0
    for start in range(0, n, T):
        at = start + j
        v = tl.load(x + row * n + at, mask=at < n, other=0.0).to(tl.float32)
        tl.store(out + row * n + at, carry + tl.cumsum(v, 0), mask=at < n)
        carry += tl.sum(v, 0)
        if WRONG:  # the carry is kept in the dtype of the input
            carry = carry.to(x.dtype.element_ty).to(tl.float32)


@triton.jit
def _log_sum_exp(x, out, n, WRONG: tl.constexpr, T: tl.constexpr):
    row, j = tl.program_id(0), tl.arange(0, T)
    largest, total = -float("inf"), 0.0
    for start in range(0, n, T):
        at = start + j
        v = tl.load(x + row * n + at, mask=at < n, other=-float("inf")).to(tl.float32)
        larger = tl.maximum(largest, tl.max(v, 0))
        total = total * tl.exp(largest - larger) + tl.sum(tl.exp(v - larger), 0)
        # wrong: that of the last tile, not of all
        largest = tl.max(v, 0) if WRONG else larger
    tl.store(out + row, largest + tl.log(total))


def _by_row(kernel, x, *others, wrong, size=None, **options):
    out = torch.zeros_like(x) if size is None else x.new_zeros(size)
    kernel[(x.shape[0],)](x, *others[:-1], out, x.shape[1], *others[-1], WRONG=wrong, **options)
    return out


def softmax(x, *, wrong):
    return _by_row(_softmax, x, (), wrong=wrong, B=BLOCK)


class _Softmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, wrong):
        out = _by_row(_softmax, x, (), wrong=False, B=BLOCK)
        ctx.save_for_backward(x)
        ctx.wrong = wrong
        return out

    @staticmethod
    def backward(ctx, d):
        (x,) = ctx.saved_tensors
        y = _by_row(_softmax, x.float(), (), wrong=False, B=BLOCK)  # not rounded to x's dtype
        out = torch.zeros_like(x)
        _softmax_backward[(x.shape[0],)](
            y, d.contiguous(), out, x.shape[1], WRONG=ctx.wrong, B=BLOCK
        )
        return out, None


def softmax_with_backward(x, *, wrong):
    return _Softmax.apply(x, wrong)


def layer_norm(x, w, b, *, wrong):
    return _by_row(_layer_norm, x, w, b, (EPS,), wrong=wrong, B=BLOCK)


def layer_norm_reference(x, w, b):
    return torch.nn.functional.layer_norm(x, x.shape[-1:], w, b, EPS)


def rms_norm(x, w, *, wrong):
    return _by_row(_rms_norm, x, w, (EPS,), wrong=wrong, B=BLOCK)


def rms_norm_reference(x, w):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * w


def variance(x, *, wrong):
    return _by_row(_variance, x, (), wrong=wrong, size=x.shape[0], B=BLOCK)


def masked_sum(x, *, wrong):
    return _by_row(_sum, x, (), wrong=wrong, size=x.shape[0], T=TILE)


def cumulative_sum(x, *, wrong):
    return _by_row(_cumulative_sum, x, (), wrong=wrong, T=TILE)


def log_sum_exp(x, *, wrong):
    return _by_row(_log_sum_exp, x, (), wrong=wrong, size=x.shape[0], T=TILE)


MATRIX = (ROWS, COLUMNS)

KERNELS = [
    Kernel(
        "softmax", softmax, lambda x: torch.softmax(x, -1), normal(MATRIX),
        "padding of a row read as zeros, not as -inf",
    ),
    Kernel(
        "softmax, backward", softmax_with_backward, lambda x: torch.softmax(x, -1), normal(MATRIX),
        "mean of the cotangent in place of that weighted by the softmax", has_gradient=True,
    ),
    Kernel(
        "layer norm", layer_norm, layer_norm_reference,
        normal(MATRIX, (COLUMNS,), (COLUMNS,), mean=0.5),
        "padding of a row counted in the variance",
    ),
    Kernel(
        "RMS norm", rms_norm, rms_norm_reference, normal(MATRIX, (COLUMNS,)),
        "computes in the dtype of the input", "missed_upcast",
    ),
    Kernel(
        "variance", variance, lambda x: x.var(-1, correction=0), normal(MATRIX),
        "divided by n - 1",
    ),
    Kernel(
        "sum in tiles", masked_sum, lambda x: x.sum(-1), normal(MATRIX, mean=0.5),
        "a tile counted twice in part",
    ),
    Kernel(
        "cumulative sum", cumulative_sum, lambda x: x.cumsum(-1), normal((4, 500), mean=0.5),
        "carries from tile to tile in the dtype of the input", "short_accumulator",
    ),
    Kernel(
        "log-sum-exp", log_sum_exp, lambda x: torch.logsumexp(x, -1), normal(MATRIX, scale=2.0),
        "the running maximum is that of the last tile",
    ),
]  # fmt: skip
