"""Kernels in Triton that compute every entry from a few others."""

from __future__ import annotations

import math

import numpy as np
import torch
import triton
import triton.language as tl

from benchmarks.kernels.case import Kernel, normal

BLOCK = 256
LENGTH = 1000  # not a multiple of the block
PAIRS = 24  # of a rotary embedding


@triton.jit
def _add(x, y, out, n, WRONG: tl.constexpr, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    mask = i < n - 1 if WRONG else i < n
    total = tl.load(x + i, mask=mask).to(tl.float32) + tl.load(y + i, mask=mask).to(tl.float32)
    tl.store(out + i, total, mask=mask)


@triton.jit
def _scaled_add(x, y, out, n, alpha, WRONG: tl.constexpr, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    mask = i < n
    left, right = tl.load(x + i, mask=mask).to(tl.float32), tl.load(y + i, mask=mask).to(tl.float32)
    total = left + right if WRONG else alpha * left + right
    tl.store(out + i, total, mask=mask)


@triton.jit
def _gelu(x, out, n, WRONG: tl.constexpr, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    v = tl.load(x + i, mask=i < n).to(tl.float32)
    y = v / (1 + tl.exp(-1.702 * v)) if WRONG else 0.5 * v * (1 + tl.erf(v * 0.7071067811865476))
    tl.store(out + i, y, mask=i < n)


@triton.jit
def _swiglu(gate, up, out, n, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    g, u = tl.load(gate + i, mask=i < n).to(tl.float32), tl.load(up + i, mask=i < n).to(tl.float32)
    tl.store(out + i, g * tl.sigmoid(g) * u, mask=i < n)


@triton.jit
def _swiglu_backward(gate, up, d, d_gate, d_up, n, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    g, u = tl.load(gate + i, mask=i < n).to(tl.float32), tl.load(up + i, mask=i < n).to(tl.float32)
    c, s = tl.load(d + i, mask=i < n).to(tl.float32), tl.sigmoid(g)
    tl.store(d_gate + i, c * u * s * (1 + g * (1 - s)), mask=i < n)
    tl.store(d_up + i, c * g * s, mask=i < n)


@triton.jit
def _rotary(x, angle, out, pairs, WRONG: tl.constexpr, B: tl.constexpr):
    row, j = tl.program_id(0), tl.arange(0, B)
    mask, at = j < pairs, x + row * 2 * pairs
    first, second = tl.load(at + j, mask=mask), tl.load(at + pairs + j, mask=mask)
    # wrong: the angles of the next position from the second tile of 8 positions on
    row_of_angle = row + row // 8 if WRONG else row
    a = tl.load(angle + row_of_angle * pairs + j, mask=mask, other=0.0).to(tl.float32)
    first, second = first.to(tl.float32), second.to(tl.float32)
    to = out + row * 2 * pairs
    tl.store(to + j, first * tl.cos(a) - second * tl.sin(a), mask=mask)
    tl.store(to + pairs + j, first * tl.sin(a) + second * tl.cos(a), mask=mask)


@triton.jit
def _transposed(x, out, rows, columns, WRONG: tl.constexpr, B: tl.constexpr):
    row, j = tl.program_id(0), tl.arange(0, B)
    v = tl.load(x + row * columns + j, mask=j < columns).to(tl.float32)
    stride = columns if WRONG else rows
    tl.store(
        out + j * stride + row, v * 0.3, mask=(j < columns) & (j * stride + row < rows * columns)
    )


@triton.jit
def _dropout(x, keep, out, n, scale, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    v, k = tl.load(x + i, mask=i < n).to(tl.float32), tl.load(keep + i, mask=i < n)
    tl.store(out + i, tl.where(k != 0, v * scale, 0.0), mask=i < n)


def _grid(n: int) -> tuple[int]:
    return (triton.cdiv(n, BLOCK),)


def add(x, y, *, wrong):
    out = torch.zeros_like(x)
    _add[_grid(x.numel())](x, y, out, x.numel(), WRONG=wrong, B=BLOCK)
    return out


def scaled_add(x, y, *, wrong):
    out = torch.zeros_like(x)
    _scaled_add[_grid(x.numel())](x, y, out, x.numel(), 0.3, WRONG=wrong, B=BLOCK)
    return out


def gelu(x, *, wrong):
    out = torch.zeros_like(x)
    _gelu[_grid(x.numel())](x, out, x.numel(), WRONG=wrong, B=BLOCK)
    return out


class _SwiGLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gate, up, wrong):
        ctx.save_for_backward(*((up, gate) if wrong else (gate, up)))
        out = torch.zeros_like(gate)
        _swiglu[_grid(gate.numel())](gate, up, out, gate.numel(), B=BLOCK)
        return out

    @staticmethod
    def backward(ctx, d):
        gate, up = ctx.saved_tensors
        d, d_gate, d_up = d.contiguous(), torch.zeros_like(gate), torch.zeros_like(up)
        _swiglu_backward[_grid(gate.numel())](gate, up, d, d_gate, d_up, gate.numel(), B=BLOCK)
        return d_gate, d_up, None


def swiglu(gate, up, *, wrong):
    return _SwiGLU.apply(gate, up, wrong)


def rotary(x, angle, *, wrong):
    out = torch.zeros_like(x)
    _rotary[(x.shape[0] - 2,)](x, angle, out, PAIRS, WRONG=wrong, B=32)
    return out


def rotary_reference(x, angle):
    """Rotate all positions but the last two, which are padding."""
    first, second = x[:-2, :PAIRS], x[:-2, PAIRS:]
    cos, sin = angle[:-2].cos(), angle[:-2].sin()
    rotated = torch.cat([first * cos - second * sin, first * sin + second * cos], 1)
    return torch.cat([rotated, torch.zeros_like(x[-2:])])


def transposed(x, *, wrong):
    rows, columns = x.shape
    out = x.new_zeros(columns, rows)
    _transposed[(rows,)](x, out, rows, columns, WRONG=wrong, B=triton.next_power_of_2(columns))
    return out


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, keep, wrong):
        ctx.save_for_backward(keep)
        ctx.scale = 1.0 if wrong else 1.25
        out = torch.zeros_like(x)
        _dropout[_grid(x.numel())](x, keep, out, x.numel(), 1.25, B=BLOCK)
        return out

    @staticmethod
    def backward(ctx, d):
        (keep,) = ctx.saved_tensors
        d, out = d.contiguous(), torch.zeros_like(d)
        _dropout[_grid(d.numel())](d, keep, out, d.numel(), ctx.scale, B=BLOCK)
        return out, None, None


def dropout(x, keep, *, wrong):
    return _Dropout.apply(x, keep, wrong)


def _dropout_inputs(rng):
    return rng.standard_normal(LENGTH), (rng.random(LENGTH) < 0.8).astype(np.int32)


def _rotary_inputs(rng):
    frequency = 100.0 ** (-np.arange(PAIRS) / PAIRS)
    return rng.standard_normal((20, 2 * PAIRS)), np.arange(20)[:, None] * frequency


KERNELS = [
    Kernel(
        "vector add", add, torch.add, normal((LENGTH,), (LENGTH,)),
        "the mask ends one before the edge",
    ),
    Kernel(
        "scaled add", scaled_add, lambda x, y: 0.3 * x + y, normal((LENGTH,), (LENGTH,)),
        "the scale is missing",
    ),
    Kernel(
        "GELU", gelu, lambda x: 0.5 * x * (1 + torch.erf(x * math.sqrt(0.5))), normal((LENGTH,)),
        "x * sigmoid(1.702 x) in its place",
    ),
    Kernel(
        "SwiGLU", swiglu, lambda gate, up: gate * torch.sigmoid(gate) * up,
        normal((LENGTH,), (LENGTH,)), "saved tensors in the other order", has_gradient=True,
    ),
    Kernel(
        "rotary embedding", rotary, rotary_reference, _rotary_inputs,
        "angles of a wrong offset from the second tile on",
    ),
    Kernel(
        "scaled transpose", transposed, lambda x: 0.3 * x.T, normal((20, 45)),
        "the stride of the input used for the output",
    ),
    Kernel(
        "dropout", dropout, lambda x, keep: torch.where(keep != 0, x * 1.25, 0 * x),
        _dropout_inputs, "the backward pass lacks the scale", has_gradient=True,
    ),
]  # fmt: skip
