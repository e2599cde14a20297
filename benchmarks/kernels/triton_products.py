"""Kernels in Triton with products of matrices, a loss, and a backward pass that sums rows."""

from __future__ import annotations

import math

import numpy as np
import torch
import triton
import triton.language as tl

from benchmarks.kernels.case import Kernel, normal

M, N, K, TILE = 20, 24, 200, 16
ROWS, COLUMNS, BLOCK, EPS = 20, 50, 64, 1e-5
QUERIES, HEAD = 40, 16


@triton.jit
def _tile(matrix, i, j, rows, columns):
    """Load rows `i` and columns `j`, in float32; zeros beyond the edges."""
    inside = (i[:, None] < rows) & (j[None, :] < columns)
    return tl.load(matrix + i[:, None] * columns + j[None, :], mask=inside, other=0).to(tl.float32)


@triton.jit
def _matmul(a, b, out, m, n, k, SHORT: tl.constexpr, WHOLE: tl.constexpr, T: tl.constexpr):
    i, j = tl.program_id(0) * T + tl.arange(0, T), tl.program_id(1) * T + tl.arange(0, T)
    acc = tl.zeros((T, T), dtype=tl.float32)
    # wrong: whole tiles alone
    end = k // T * T if WHOLE else k
    for start in range(0, end, T):
        at = start + tl.arange(0, T)
        left, right = _tile(a, i, at, m, k), _tile(b, at, j, k, n)
        acc += tl.dot(left, right)
        if SHORT:
            acc = acc.to(a.dtype.element_ty).to(tl.float32)
    tl.store(out + i[:, None] * n + j[None, :], acc, mask=(i[:, None] < m) & (j[None, :] < n))


@triton.jit
def _quantised_matmul(a, b, row, column, out, m, n, k, WRONG: tl.constexpr, T: tl.constexpr):
    i, j = tl.program_id(0) * T + tl.arange(0, T), tl.program_id(1) * T + tl.arange(0, T)
    acc = tl.zeros((T, T), dtype=tl.float32)
    for start in range(0, k, T):
        at = start + tl.arange(0, T)
        left, right = _tile(a, i, at, m, k), _tile(b, at, j, k, n)
        acc += tl.dot(left, right)
    acc *= tl.load(row + i, mask=i < m, other=0.0).to(tl.float32)[:, None]
    if not WRONG:
        acc *= tl.load(column + j, mask=j < n, other=0.0).to(tl.float32)[None, :]
    tl.store(out + i[:, None] * n + j[None, :], acc, mask=(i[:, None] < m) & (j[None, :] < n))


@triton.jit
def _attention(q, k, v, out, n, scale, WRONG: tl.constexpr, T: tl.constexpr, D: tl.constexpr):
    i, e = tl.program_id(0) * T + tl.arange(0, T), tl.arange(0, D)
    inside = i[:, None] < n
    query = tl.load(q + i[:, None] * D + e[None, :], mask=inside, other=0.0).to(tl.float32)
    largest = tl.full((T,), -float("inf"), dtype=tl.float32)
    total = tl.zeros((T,), dtype=tl.float32)
    acc = tl.zeros((T, D), dtype=tl.float32)
    for start in range(0, n, T):
        j = start + tl.arange(0, T)
        key = tl.load(k + j[None, :] * D + e[:, None], mask=j[None, :] < n, other=0.0).to(
            tl.float32
        )
        value = tl.load(v + j[:, None] * D + e[None, :], mask=j[:, None] < n, other=0.0).to(
            tl.float32
        )
        scores = tl.where(j[None, :] < n, tl.dot(query, key) * scale, -float("inf"))
        larger = tl.maximum(largest, tl.max(scores, 1))
        p = tl.exp(scores - larger[:, None])
        shrink = tl.exp(largest - larger)
        total = total * shrink + tl.sum(p, 1)
        acc = acc + tl.dot(p, value) if WRONG else acc * shrink[:, None] + tl.dot(p, value)
        largest = larger
    tl.store(out + i[:, None] * D + e[None, :], acc / total[:, None], mask=inside)


@triton.jit
def _cross_entropy(logits, labels, losses, gradient, n, B: tl.constexpr):
    row, j = tl.program_id(0), tl.arange(0, B)
    v = tl.load(logits + row * n + j, mask=j < n, other=-float("inf")).to(tl.float32)
    label, largest = tl.load(labels + row), tl.max(v, 0)
    total = tl.sum(tl.exp(v - largest), 0)
    of_label = tl.sum(tl.where(j == label, v, 0.0), 0)
    tl.store(losses + row, largest + tl.log(total) - of_label)
    p = tl.exp(v - largest) / total
    tl.store(gradient + row * n + j, p - tl.where(j == label, 1.0, 0.0), mask=j < n)


@triton.jit
def _layer_norm_backward(x, w, d, dx, dw, db, rows, n, eps, WRONG: tl.constexpr, B: tl.constexpr):
    """Gradients of all rows in turn, for those of the parameters to be added up."""
    j = tl.arange(0, B)
    mask = j < n
    scale = tl.load(w + j, mask=mask, other=0.0).to(tl.float32)
    sum_w, sum_b = tl.zeros((B,), dtype=tl.float32), tl.zeros((B,), dtype=tl.float32)
    for row in range(rows):
        v = tl.load(x + row * n + j, mask=mask, other=0.0).to(tl.float32)
        c = tl.load(d + row * n + j, mask=mask, other=0.0).to(tl.float32)
        centred = tl.where(mask, v - tl.sum(v, 0) / n, 0.0)
        rstd = 1 / tl.sqrt(tl.sum(centred * centred, 0) / n + eps)
        normed, cw = centred * rstd, c * scale
        through = cw - tl.sum(cw, 0) / n - normed * (tl.sum(cw * normed, 0) / n)
        tl.store(dx + row * n + j, rstd * through, mask=mask)
        sum_w += c * normed
        sum_b += c
        if WRONG and row == rows - 1:  # the last row is added by two programs
            sum_w += c * normed
    tl.store(dw + j, sum_w, mask=mask)
    tl.store(db + j, sum_b, mask=mask)


def _product(a, b, *, short=False, whole=False):
    (m, k), n = a.shape, b.shape[1]
    out = a.new_zeros(m, n)
    grid = triton.cdiv(m, TILE), triton.cdiv(n, TILE)
    _matmul[grid](a, b, out, m, n, k, SHORT=short, WHOLE=whole, T=TILE)
    return out


def matmul(a, b, *, wrong):
    return _product(a, b, short=wrong)


def matmul_of_tiles(a, b, *, wrong):
    return _product(a, b, whole=wrong)


def quantised_matmul(a, b, row, column, *, wrong):
    (m, k), n = a.shape, b.shape[1]
    out = row.new_zeros(m, n)
    grid = triton.cdiv(m, TILE), triton.cdiv(n, TILE)
    _quantised_matmul[grid](a, b, row, column, out, m, n, k, WRONG=wrong, T=TILE)
    return out


def attention(q, k, v, *, wrong):
    out, n = torch.zeros_like(q), len(q)
    scale = 1 / math.sqrt(HEAD)
    _attention[(triton.cdiv(n, TILE),)](q, k, v, out, n, scale, WRONG=wrong, T=TILE, D=HEAD)
    return out


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, labels, wrong):
        losses = logits.new_zeros(len(logits))
        gradient = torch.zeros_like(logits, dtype=torch.float32)
        n = logits.shape[1]
        _cross_entropy[(len(logits),)](logits, labels, losses, gradient, n, B=BLOCK)
        ctx.save_for_backward(gradient)
        ctx.wrong, ctx.dtype = wrong, logits.dtype
        return losses

    @staticmethod
    def backward(ctx, d):
        (gradient,) = ctx.saved_tensors
        upstream = torch.ones_like(d) if ctx.wrong else d
        return (upstream.float()[:, None] * gradient).to(ctx.dtype), None, None


def cross_entropy(logits, labels, *, wrong):
    return _CrossEntropy.apply(logits, labels, wrong)


class _LayerNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, b, wrong):
        ctx.save_for_backward(x, w)
        ctx.wrong = wrong
        return torch.nn.functional.layer_norm(x, x.shape[-1:], w, b, EPS)

    @staticmethod
    def backward(ctx, d):
        x, w = ctx.saved_tensors
        dx, dw, db = torch.zeros_like(x), torch.zeros_like(w), torch.zeros_like(w)
        _layer_norm_backward[(1,)](
            x, w, d.contiguous(), dx, dw, db, *x.shape, EPS, WRONG=ctx.wrong, B=BLOCK
        )
        return dx, dw, db, None


def layer_norm_with_backward(x, w, b, *, wrong):
    return _LayerNorm.apply(x, w, b, wrong)


def _labelled(rng):
    return 2 * rng.standard_normal((ROWS, COLUMNS)), rng.integers(0, COLUMNS, ROWS)


def _quantised(rng):
    a, b = rng.integers(-127, 128, (M, K)), rng.integers(-127, 128, (K, N))
    row, column = rng.uniform(1e-3, 3e-3, M), rng.uniform(5e-3, 2e-2, N)
    return a.astype(np.int8), b.astype(np.int8), row, column


KERNELS = [
    Kernel(
        "matmul", matmul, torch.matmul, normal((M, K), (K, N)),
        "tiles added up in the dtype of the input", "short_accumulator",
    ),
    Kernel(
        "matmul, ragged", matmul_of_tiles, torch.matmul, normal((M, K), (K, N)),
        "the last partial tile is forgotten",
    ),
    Kernel(
        "int8 matmul", quantised_matmul,
        lambda a, b, row, column: (a.to(row.dtype) @ b.to(row.dtype)) * row[:, None] * column,
        _quantised, "the scale of the columns is missing",
    ),
    Kernel(
        "flash attention", attention,
        lambda q, k, v: torch.softmax(q @ k.T / math.sqrt(HEAD), -1) @ v,
        normal((QUERIES, HEAD), (QUERIES, HEAD), (QUERIES, HEAD)),
        "sums not rescaled to the new maximum",
    ),
    Kernel(
        "cross-entropy", cross_entropy,
        lambda logits, labels: torch.nn.functional.cross_entropy(
            logits, labels.long(), reduction="none"
        ),
        _labelled, "the gradient lacks the upstream factor", has_gradient=True,
    ),
    Kernel(
        "layer norm, backward", layer_norm_with_backward,
        lambda x, w, b: torch.nn.functional.layer_norm(x, x.shape[-1:], w, b, EPS),
        normal((ROWS, COLUMNS), (COLUMNS,), (COLUMNS,)),
        "the last row is counted twice in the gradient of the weight", has_gradient=True,
    ),
]  # fmt: skip
