"""Kernels made of PyTorch's own operations, and `autograd.Function`s of them."""

from __future__ import annotations

import math

import numpy as np
import torch

from benchmarks.kernels.case import BFLOAT16, FLOAT16, Kernel, normal

EPS = 1e-5
SIZE = 24
CHUNK = 16
UPCAST = "float32"


def layer_norm(x, w, *, wrong):
    v = x if wrong else x.float()
    centred = v - v.mean(-1, keepdim=True)
    rstd = torch.rsqrt((centred * centred).mean(-1, keepdim=True) + EPS)
    return (centred * rstd * w).to(x.dtype)


def layer_norm_reference(x, w):
    return torch.nn.functional.layer_norm(x, x.shape[-1:], w, None, EPS)


def attention(q, k, v, *, wrong):
    scores = q.float() @ k.float().T
    if not wrong:
        scores = scores / math.sqrt(q.shape[-1])
    return (torch.softmax(scores, -1) @ v.float()).to(q.dtype)


def attention_reference(q, k, v):
    return torch.softmax(q @ k.T / math.sqrt(q.shape[-1]), -1) @ v


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, wrong):
        ctx.save_for_backward(x.T if wrong else x, w)
        return x @ w

    @staticmethod
    def backward(ctx, d):
        x, w = ctx.saved_tensors
        return d @ w.T, x.T @ d, None


def linear(x, w, *, wrong):
    return _Linear.apply(x, w, wrong)


def rms_norm(x, w, *, wrong):
    v = x.float()
    mean = (v * v).mean(-1, keepdim=True)
    return (v * torch.rsqrt(mean if wrong else mean + EPS) * w.float()).to(x.dtype)


def rms_norm_reference(x, w):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * w


class _Tanh(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, wrong):
        y = torch.tanh(x.float())
        ctx.save_for_backward(x.float() if wrong else y)
        return y.to(x.dtype)

    @staticmethod
    def backward(ctx, d):
        (y,) = ctx.saved_tensors
        return (d.float() * (1 - y * y)).to(d.dtype), None


def tanh(x, *, wrong):
    return _Tanh.apply(x, wrong)


def float8_linear(x, w, scale, *, wrong):
    """Multiply by a weight in units of `scale`, given as the bytes of its float8."""
    product = x.float() @ w.view(torch.float8_e4m3fn).float()
    return (product if wrong else product * scale.float()).to(x.dtype)


def float8_linear_reference(x, w, scale):
    return x @ w.view(torch.float8_e4m3fn).to(x.dtype) * scale


class _SquaredError(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y, wrong):
        gap = x.float() - y.float()
        ctx.save_for_backward(gap)
        ctx.divisor = 1 if wrong else gap.numel()
        return gap.square().mean().to(x.dtype)

    @staticmethod
    def backward(ctx, d):
        (gap,) = ctx.saved_tensors
        slope = (2 * d.float() * gap / ctx.divisor).to(d.dtype)
        return slope, -slope, None


def squared_error(x, y, *, wrong):
    return _SquaredError.apply(x, y, wrong)


def chunked_sum(x, *, wrong):
    total = torch.zeros(x.shape[0], dtype=x.dtype if wrong else torch.float32)
    for chunk in x.split(CHUNK, dim=1):
        total = total + chunk.float().sum(1).to(total.dtype)
    return total.to(x.dtype)


def _float8_inputs(rng):
    w = torch.tensor(30 * rng.standard_normal((64, SIZE))).to(torch.float8_e4m3fn)
    return rng.standard_normal((SIZE, 64)), w.view(torch.uint8).numpy(), np.array(0.02)


KERNELS = [
    Kernel(
        "layer norm", layer_norm, layer_norm_reference,
        normal((SIZE, 64), (64,), mean=0.5),
        "computes in the dtype of the input", "missed_upcast", intermediates=UPCAST,
        dtypes=(BFLOAT16, FLOAT16), has_gradient=True,
    ),
    Kernel(
        "attention", attention, attention_reference, normal((40, 16), (40, 16), (40, 16)),
        "scores not divided by the root of the width", has_gradient=True,
    ),
    Kernel(
        "linear", linear, torch.matmul, normal((SIZE, SIZE), (SIZE, SIZE)),
        "the input is saved transposed", has_gradient=True,
    ),
    Kernel(
        "RMS norm", rms_norm, rms_norm_reference, normal((SIZE, 64), (64,), scale=0.01),
        "eps is missing", has_gradient=True,
    ),
    Kernel(
        "tanh", tanh, torch.tanh, normal((500,), scale=0.5),
        "1 - x^2 in place of 1 - y^2", has_gradient=True,
    ),
    Kernel(
        "float8 linear", float8_linear, float8_linear_reference, _float8_inputs,
        "the scale of the weight is missing",
    ),
    Kernel(
        "squared error", squared_error, lambda x, y: (x - y).square().mean(),
        normal((SIZE, 20), (SIZE, 20)), "the gradient is that of the sum", has_gradient=True,
    ),
    Kernel(
        "sum in chunks", chunked_sum, lambda x: x.sum(1), normal((4, 2000), mean=0.5),
        "chunks added up in the dtype of the input", "short_accumulator",
        accumulator=UPCAST, intermediates=UPCAST, dtypes=(BFLOAT16, FLOAT16),
    ),
]  # fmt: skip
