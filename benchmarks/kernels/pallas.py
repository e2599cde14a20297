"""Kernels in JAX Pallas, run by its interpreter."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl

from benchmarks.kernels.case import BFLOAT16, FLOAT32, Kernel, normal

ROWS, COLUMNS, TILE = 16, 50, 4
EPS = 1e-5


def _call(body, out, grid, in_specs, out_specs, *inputs):
    shape = jax.ShapeDtypeStruct(*out)
    call = pl.pallas_call(
        body, out_shape=shape, grid=grid, in_specs=in_specs, out_specs=out_specs, interpret=True
    )
    return call(*inputs)


def _on_rows(body, x, *others):
    """Run a kernel over tiles of rows of `x`; others are whole vectors."""
    columns = x.shape[1]
    rows = pl.BlockSpec((TILE, columns), lambda i: (i, 0))
    whole = [pl.BlockSpec(v.shape, lambda i: (0,)) for v in others]
    return _call(body, (x.shape, x.dtype), (x.shape[0] // TILE,), [rows, *whole], rows, x, *others)


def silu(x, *, wrong):
    def body(x_ref, out_ref):
        v = x_ref[...].astype(jnp.float32)
        tile = pl.program_id(0)
        y = v * jax.nn.sigmoid(v)
        if wrong:  # the tiles after the first repeat the value before the product
            y = jnp.where(tile > 0, jax.nn.sigmoid(v), y)
        out_ref[...] = y.astype(out_ref.dtype)

    return _on_rows(body, x)


def _softmax_body(x_ref, out_ref):
    v = x_ref[...].astype(jnp.float32)
    e = jnp.exp(v - v.max(1, keepdims=True))
    out_ref[...] = (e / e.sum(1, keepdims=True)).astype(out_ref.dtype)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _log_sum_exp(x, wrong):
    v = x.astype(jnp.float32)
    return jax.nn.logsumexp(v, axis=1).astype(x.dtype)


def _log_sum_exp_forward(x, wrong):
    return _log_sum_exp(x, wrong), x


def _log_sum_exp_backward(wrong, x, d):
    p = _on_rows(_softmax_body, x.astype(jnp.float32))
    return ((p if wrong else p * d.astype(jnp.float32)[:, None]).astype(x.dtype),)


_log_sum_exp.defvjp(_log_sum_exp_forward, _log_sum_exp_backward)


def log_sum_exp(x, *, wrong):
    return _log_sum_exp(x, wrong)


def matmul(a, b, *, wrong):
    (m, k), n, step = a.shape, b.shape[1], 16

    def body(a_ref, b_ref, out_ref):
        total = jnp.zeros((TILE, n), jnp.float32)
        for start in range(0, k, step):
            left, right = a_ref[:, start : start + step], b_ref[start : start + step]
            total += left.astype(jnp.float32) @ right.astype(jnp.float32)
            if wrong:
                total = total.astype(a.dtype).astype(jnp.float32)
        out_ref[...] = total.astype(out_ref.dtype)

    specs = [pl.BlockSpec((TILE, k), lambda i: (i, 0)), pl.BlockSpec((k, n), lambda i: (0, 0))]
    out = pl.BlockSpec((TILE, n), lambda i: (i, 0))
    return _call(body, ((m, n), a.dtype), (m // TILE,), specs, out, a, b)


def layer_norm(x, w, *, wrong):
    def body(x_ref, w_ref, out_ref):
        v = x_ref[...].astype(jnp.float32)
        centred = v - v.mean(1, keepdims=True)
        variance = jnp.sum(centred * centred, 1, keepdims=True) / (v.shape[1] - wrong)
        y = centred * jax.lax.rsqrt(variance + EPS) * w_ref[...].astype(jnp.float32)
        out_ref[...] = y.astype(out_ref.dtype)

    return _on_rows(body, x, w)


def layer_norm_reference(x, w):
    return (x - x.mean(1, keepdims=True)) / jnp.sqrt(x.var(1, keepdims=True) + EPS) * w


def _scaled_exponential_body(wrong, x_ref, out_ref):
    y = jnp.exp(x_ref[...].astype(jnp.float32))
    if wrong:
        y = y.astype(jnp.float16)
    out_ref[...] = y.astype(out_ref.dtype)


def exponential(x, *, wrong):
    return _on_rows(partial(_scaled_exponential_body, wrong), x)


def _tanh_slope_body(wrong, x_ref, d_ref, out_ref):
    y = jnp.tanh(x_ref[...].astype(jnp.float32))
    d = d_ref[...].astype(jnp.float32)
    if wrong:  # the cotangent of the tile before
        d = jnp.roll(d, 1, axis=0)
    out_ref[...] = (d * (1 - y * y)).astype(out_ref.dtype)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _tanh(x, wrong):
    return jnp.tanh(x.astype(jnp.float32)).astype(x.dtype)


def _tanh_forward(x, wrong):
    return _tanh(x, wrong), x


def _tanh_backward(wrong, x, d):
    rows = pl.BlockSpec((TILE, x.shape[1]), lambda i: (i, 0))
    body = partial(_tanh_slope_body, wrong)
    grid = (x.shape[0] // TILE,)
    return (_call(body, (x.shape, x.dtype), grid, [rows, rows], rows, x, d),)


_tanh.defvjp(_tanh_forward, _tanh_backward)


def tanh(x, *, wrong):
    return _tanh(x, wrong)


MATRIX = (ROWS, COLUMNS)

KERNELS = [
    Kernel(
        "SiLU", silu, lambda x: x * jax.nn.sigmoid(x), normal(MATRIX),
        "the factor x is missing from the second tile on",
    ),
    Kernel(
        "log-sum-exp", log_sum_exp, lambda x: jax.nn.logsumexp(x, axis=1), normal(MATRIX),
        "the gradient lacks the upstream factor", has_gradient=True,
    ),
    Kernel(
        "matmul", matmul, lambda a, b: a @ b, normal((16, 200), (200, 12)),
        "tiles added up in the dtype of the input", "short_accumulator",
    ),
    Kernel(
        "layer norm", layer_norm, layer_norm_reference, normal(MATRIX, (COLUMNS,)),
        "the variance divided by n - 1",
    ),
    Kernel(
        "exponential", exponential, jnp.exp, normal(MATRIX, scale=6.0),
        "cast through float16 in code for others", dtypes=(BFLOAT16, FLOAT32),
    ),
    Kernel(
        "tanh", tanh, jnp.tanh, normal(MATRIX),
        "the cotangent shifted by one row within a tile", has_gradient=True,
    ),
]  # fmt: skip
