"""Layers about places: indices, broadcasting, sums along an axis, masks."""

from __future__ import annotations

import numpy as np

from benchmarks.twins.layer import bools, integers, layer, positive

KEPT = 0.8


def embedding_forward(table, indices):
    return table[indices], (table, indices)


def embedding_backward(grad, saved):
    table, indices = saved
    dtable = np.zeros_like(table)
    np.add.at(dtable, indices, grad)
    return dtable


embedding = layer(embedding_forward, embedding_backward, table=(5, 3), indices=integers(4, 8))
embedding.breaks("replaced", "np.add.at(dtable, indices, grad)", "dtable[indices] = grad",
                 "overwritten_not_accumulated")  # fmt: skip
embedding.breaks("next row", "at(dtable, indices, grad)", "at(dtable, indices + 1, grad)",
                 "wrong_index")  # fmt: skip
embedding.breaks("mean", "return dtable", "return dtable / indices.shape[0]",
                 "factor_batch_size constant_factor")  # fmt: skip
embedding.breaks("reversed", "np.add.at(dtable, indices, grad)",
                 "np.add.at(dtable, indices, np.flip(grad, axis=0))", "wrong_index")  # fmt: skip


def gather_forward(x, columns):
    n = x.shape[0]
    return x[np.arange(n), columns], (x, columns)


def gather_backward(grad, saved):
    x, columns = saved
    n = x.shape[0]
    dx = np.zeros_like(x)
    dx[np.arange(n), columns] = grad
    return dx


gather = layer(gather_forward, gather_backward, x=(5, 4), columns=integers(3, 5))
gather.breaks("next column", "columns] = grad", "columns + 1] = grad", "wrong_index")
gather.breaks("whole rows", "dx[np.arange(n), columns] = grad", "dx[np.arange(n)] = grad[:, None]",
              "wrong_index mask_not_applied wrong_mask")  # fmt: skip
gather.breaks("negative", "columns] = grad", "columns] = -grad", "sign_flipped")


def cumulative_sum_forward(x, w):
    return np.cumsum(x * w, axis=1), (x, w)


def cumulative_sum_backward(grad, saved):
    x, w = saved
    g = np.flip(np.cumsum(np.flip(grad, axis=1), axis=1), axis=1)
    return g * w, g * x


cumulative_sum = layer(cumulative_sum_forward, cumulative_sum_backward, x=(4, 5), w=(4, 5))
cumulative_sum.breaks("forwards", "np.flip(np.cumsum(np.flip(grad, axis=1), axis=1), axis=1)",
                      "np.cumsum(grad, axis=1)", "wrong_index transposed wrong_mask")  # fmt: skip
cumulative_sum.breaks("not turned back", "np.flip(np.cumsum(np.flip(grad, axis=1), axis=1), "
                      "axis=1)", "np.cumsum(np.flip(grad, axis=1), axis=1)",
                      "wrong_index")  # fmt: skip
cumulative_sum.breaks("passes through",
                      "np.flip(np.cumsum(np.flip(grad, axis=1), axis=1), axis=1)", "grad",
                      "path_missing jacobian_diagonal_only "
                      "activation_derivative_missing")  # fmt: skip
cumulative_sum.breaks("w for x", "g * w, g * x", "g * w, g * w", "derivative_at_wrong_point "
                      "swapped")  # fmt: skip


def masked_mean_forward(x, mask):
    count = mask.sum(axis=1, keepdims=True)
    y = (x * mask).sum(axis=1, keepdims=True) / count
    return y, (mask, count)


def masked_mean_backward(grad, saved):
    mask, count = saved
    dx = grad * mask / count
    return dx


masked_mean = layer(masked_mean_forward, masked_mean_backward, x=(5, 6), mask=bools(5, 6))
masked_mean.breaks("of all", "mask / count", "mask / mask.shape[1]", "constant_factor "
                   "derivative_at_wrong_point factor_batch_size path_missing")  # fmt: skip
masked_mean.breaks("mask forgotten", "grad * mask / count", "grad * (count > 0) / count + 0 * mask",
                   "mask_not_applied")  # fmt: skip
masked_mean.breaks("reversed", "grad * mask", "grad * ~mask", "wrong_mask")


def dropout_forward(x, mask):
    return x * mask / KEPT, (mask,)


def dropout_backward(grad, saved):
    (mask,) = saved
    dx = grad * mask / KEPT
    return dx


dropout = layer(dropout_forward, dropout_backward, x=(5, 6), mask=bools(5, 6))
dropout.breaks("scale forgotten", "grad * mask / KEPT", "grad * mask", "constant_factor")
dropout.breaks("mask forgotten", "grad * mask / KEPT", "grad / KEPT", "mask_not_applied")
dropout.breaks("scaled up", "mask / KEPT", "mask * KEPT", "constant_factor")
dropout.breaks("the dropped", "grad * mask", "grad * ~mask", "wrong_mask")


def channel_affine_forward(x, scale, shift):
    y = x * scale[None, :, None] + shift[None, :, None]
    return y, (x, scale)


def channel_affine_backward(grad, saved):
    x, scale = saved
    dx = grad * scale[None, :, None]
    dscale = (grad * x).sum(axis=(0, 2))
    dshift = grad.sum(axis=(0, 2))
    return dx, dscale, dshift


channel_affine = layer(
    channel_affine_forward, channel_affine_backward, x=(3, 3, 4), scale=positive(3), shift=(3,)
)
channel_affine.breaks("the other channels", "grad.sum(axis=(0, 2))", "grad.sum(axis=(1, 2))",
                      "wrong_axis")  # fmt: skip
channel_affine.breaks("mean", "grad.sum(axis=(0, 2))", "grad.mean(axis=(0, 2))",
                      "constant_factor factor_batch_size")  # fmt: skip
channel_affine.breaks("scale of the other axis", "grad * scale[None, :, None]",
                      "grad * scale[:, None, None]", "wrong_axis transposed "
                      "wrong_index")  # fmt: skip
channel_affine.breaks("one sample", "(grad * x).sum(axis=(0, 2))", "(grad * x)[0].sum(axis=1)",
                      "last_sample_only path_missing wrong_index")  # fmt: skip


def residual_forward(x, w, v):
    h = np.tanh(x @ w)
    return x + h @ v, (x, w, v, h)


def residual_backward(grad, saved):
    x, w, v, h = saved
    da = (grad @ v.T) * (1 - h**2)
    dx = grad + da @ w.T
    dw = x.T @ da
    dv = h.T @ grad
    return dx, dw, dv


residual = layer(residual_forward, residual_backward, x=(5, 4), w=(4, 4), v=(4, 4))
residual.breaks("skip left out", "grad + da @ w.T", "da @ w.T", "path_missing")
residual.breaks("skip alone", "grad + da @ w.T", "grad + 0 * x", "path_missing")
residual.breaks("past tanh", "(grad @ v.T) * (1 - h**2)", "grad @ v.T",
                "activation_derivative_missing")  # fmt: skip
residual.breaks("of the input", "dv = h.T @ grad", "dv = x.T @ grad", "derivative_at_wrong_point "
                "wrong_index swapped activation_derivative_missing")  # fmt: skip
residual.breaks("skip twice", "grad + da @ w.T", "2 * grad + da @ w.T", "path_missing factor_two "
                "constant_factor additive_term")  # fmt: skip


def logsumexp_forward(x):
    top = x.max(axis=1, keepdims=True)
    e = np.exp(x - top)
    total = e.sum(axis=1, keepdims=True)
    return (np.log(total) + top)[:, 0], (e, total)


def logsumexp_backward(grad, saved):
    e, total = saved
    dx = grad[:, None] * e / total
    return dx


logsumexp = layer(logsumexp_forward, logsumexp_backward, x=(5, 4))
logsumexp.breaks("not normalised", "e / total", "e", "path_missing constant_factor "
                 "activation_derivative_missing derivative_at_wrong_point")  # fmt: skip
logsumexp.breaks("the largest", "e / total", "(e >= 1)", "derivative_at_wrong_point wrong_mask "
                 "path_missing activation_derivative_missing")  # fmt: skip
logsumexp.breaks("mean too", "e / total", "e / total / e.shape[0]", "factor_batch_size")


def rotary_forward(x, angle):
    c, s = np.cos(angle), np.sin(angle)
    a, b = x[:, 0::2], x[:, 1::2]
    return np.concatenate([a * c - b * s, a * s + b * c], axis=1), (x, c, s)


def rotary_backward(grad, saved):
    x, c, s = saved
    half = c.shape[1]
    ga, gb = grad[:, :half], grad[:, half:]
    a, b = x[:, 0::2], x[:, 1::2]
    dx = np.zeros_like(x)
    dx[:, 0::2] = ga * c + gb * s
    dx[:, 1::2] = gb * c - ga * s
    dangle = ga * (-a * s - b * c) + gb * (a * c - b * s)
    return dx, dangle


rotary = layer(rotary_forward, rotary_backward, x=(4, 6), angle=(4, 3))
rotary.breaks("turned on", "ga * c + gb * s", "ga * c - gb * s", "sign_flipped path_missing "
              "transposed")  # fmt: skip
rotary.breaks("halves exchanged", "ga, gb = grad[:, :half], grad[:, half:]",
              "gb, ga = grad[:, :half], grad[:, half:]", "swapped wrong_index")  # fmt: skip
rotary.breaks("one part of the angle", " + gb * (a * c - b * s)", "", "path_missing")
rotary.breaks("sine's slope", "ga * (-a * s - b * c)", "ga * (a * s - b * c)", "sign_flipped "
              "path_missing")  # fmt: skip
