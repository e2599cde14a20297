"""Products: dense layers, bilinear ones, low rank, distances."""

from __future__ import annotations

import numpy as np

from benchmarks.twins.layer import layer


def dense_forward(x, w, b):
    y = x @ w + b
    return y, (x, w)


def dense_backward(grad, saved):
    x, w = saved
    dx = grad @ w.T
    dw = x.T @ grad
    db = grad.sum(axis=0)
    return dx, dw, db


dense = layer(dense_forward, dense_backward, x=(5, 4), w=(4, 4), b=(4,))
dense.breaks("w not transposed", "grad @ w.T", "grad @ w", "transposed")
dense.breaks("dw divided by n", "x.T @ grad", "x.T @ grad / x.shape[0]", "factor_batch_size")
dense.breaks("db is a mean", "grad.sum(axis=0)", "grad.mean(axis=0)", "factor_batch_size")
dense.breaks("dw negative", "x.T @ grad", "-x.T @ grad", "sign_flipped")
dense.breaks("weight decay", "x.T @ grad", "x.T @ grad + 0.1 * w", "additive_term")
dense.breaks("dw transposed", "dw = x.T @ grad", "dw = grad.T @ grad", "wrong_index "
             "derivative_at_wrong_point upstream_ignored")  # fmt: skip
dense.breaks("last sample", "dw = x.T @ grad", "dw = x[-1:].T @ grad[-1:]", "last_sample_only")
dense.breaks("half of dx", "dx = grad @ w.T", "dx = 0.5 * grad @ w.T", "factor_two")


def dense_relu_forward(x, w, b):
    z = x @ w + b
    return np.maximum(z, 0), (x, w, z)


def dense_relu_backward(grad, saved):
    x, w, z = saved
    dz = grad * (z > 0)
    dx = dz @ w.T
    dw = x.T @ dz
    db = dz.sum(axis=0)
    return dx, dw, db


dense_relu = layer(dense_relu_forward, dense_relu_backward, x=(6, 5), w=(5, 4), b=(4,))
dense_relu.breaks("mask left out", "grad * (z > 0)", "grad", "mask_not_applied "
                  "activation_derivative_missing")  # fmt: skip
dense_relu.breaks("mask reversed", "z > 0", "z < 0", "wrong_mask slope_wrong")
dense_relu.breaks("mask of the gradient", "z > 0", "grad > 0", "wrong_mask upstream_ignored")
dense_relu.breaks("dx past the mask", "dx = dz @ w.T", "dx = grad @ w.T", "mask_not_applied "
                  "activation_derivative_missing")  # fmt: skip
dense_relu.breaks("dw past the mask", "dw = x.T @ dz", "dw = x.T @ grad", "mask_not_applied "
                  "activation_derivative_missing")  # fmt: skip


def dense_tanh_forward(x, w):
    y = np.tanh(x @ w)
    return y, (x, w, y)


def dense_tanh_backward(grad, saved):
    x, w, y = saved
    dz = grad * (1 - y**2)
    dx = dz @ w.T
    dw = x.T @ dz
    return dx, dw


dense_tanh = layer(dense_tanh_forward, dense_tanh_backward, x=(6, 5), w=(5, 3))
dense_tanh.breaks("1 - y", "1 - y**2", "1 - y", "derivative_at_wrong_point "
                  "activation_derivative_missing")  # fmt: skip
dense_tanh.breaks("sigmoid's slope", "1 - y**2", "y * (1 - y)", "derivative_at_wrong_point "
                  "activation_derivative_missing")  # fmt: skip
dense_tanh.breaks("no slope", "grad * (1 - y**2)", "grad", "activation_derivative_missing")
dense_tanh.breaks("tanh again", "1 - y**2", "1 - np.tanh(y) ** 2", "derivative_at_wrong_point")
dense_tanh.breaks("upstream ignored", "grad * (1 - y**2)", "1 - y**2", "upstream_ignored")


def bilinear_forward(x, a, z):
    y = ((x @ a) * z).sum(axis=1)
    return y, (x, a, z)


def bilinear_backward(grad, saved):
    x, a, z = saved
    g = grad[:, None]
    dx = (g * z) @ a.T
    da = x.T @ (g * z)
    dz = g * (x @ a)
    return dx, da, dz


bilinear = layer(bilinear_forward, bilinear_backward, x=(6, 4), a=(4, 4), z=(6, 4))
bilinear.breaks("a not transposed", "a.T", "a", "transposed")
bilinear.breaks("da the other way", "x.T @ (g * z)", "(g * z).T @ x", "transposed")
bilinear.breaks("dz by a.T", "g * (x @ a)", "g * (x @ a.T)", "transposed")
bilinear.breaks("upstream left out of dz", "g * (x @ a)", "x @ a", "upstream_ignored")
bilinear.breaks("exchanged", "return dx, da, dz", "return dz, da, dx", "swapped")


def quadratic_form_forward(x, a):
    y = np.einsum("ni,ij,nj->n", x, a, x)
    return y, (x, a)


def quadratic_form_backward(grad, saved):
    x, a = saved
    dx = grad[:, None] * (x @ a + x @ a.T)
    da = np.einsum("n,ni,nj->ij", grad, x, x)
    return dx, da


quadratic_form = layer(quadratic_form_forward, quadratic_form_backward, x=(5, 4), a=(4, 4))
quadratic_form.breaks("one side", "x @ a + x @ a.T", "x @ a", "path_missing")
quadratic_form.breaks("as if symmetric", "x @ a + x @ a.T", "2 * x @ a", "transposed path_missing")
quadratic_form.breaks("da halved", "da = np.einsum", "da = 0.5 * np.einsum", "factor_two")
quadratic_form.breaks("upstream summed", "grad[:, None] *", "grad.sum() *", "samples_mixed "
                      "summed_to_scalar upstream_ignored wrong_axis")  # fmt: skip


def low_rank_forward(x, w, a, b):
    h = x @ a
    y = x @ w + SCALE * h @ b
    return y, (x, w, a, b, h)


def low_rank_backward(grad, saved):
    x, w, a, b, h = saved
    dh = SCALE * grad @ b.T
    dx = grad @ w.T + dh @ a.T
    dw = x.T @ grad
    da = x.T @ dh
    db = SCALE * h.T @ grad
    return dx, dw, da, db


SCALE = 0.7
low_rank = layer(low_rank_forward, low_rank_backward, x=(6, 5), w=(5, 4), a=(5, 2), b=(2, 4))
low_rank.breaks("adapter left out of dx", "grad @ w.T + dh @ a.T", "grad @ w.T", "path_missing")
low_rank.breaks("scale forgotten in db", "SCALE * h.T @ grad", "h.T @ grad", "constant_factor")
low_rank.breaks("scale forgotten in dh", "SCALE * grad @ b.T", "grad @ b.T", "constant_factor")
low_rank.breaks("scale twice", "da = x.T @ dh", "da = SCALE * x.T @ dh", "constant_factor")


def pairwise_distance_forward(x, y):
    difference = x[:, None, :] - y[None, :, :]
    d = np.sqrt((difference**2).sum(axis=2))
    return d, (difference, d)


def pairwise_distance_backward(grad, saved):
    difference, d = saved
    g = (grad / d)[:, :, None] * difference
    dx = g.sum(axis=1)
    dy = -g.sum(axis=0)
    return dx, dy


pairwise_distance = layer(pairwise_distance_forward, pairwise_distance_backward, x=(4, 3), y=(4, 3))
pairwise_distance.breaks("dy's sign", "-g.sum(axis=0)", "g.sum(axis=0)", "sign_flipped")
pairwise_distance.breaks("dx over the wrong axis", "dx = g.sum(axis=1)", "dx = g.sum(axis=0)",
                         "wrong_axis transposed swapped")  # fmt: skip
pairwise_distance.breaks("root forgotten", "grad / d", "grad", "activation_derivative_missing "
                         "derivative_at_wrong_point path_missing")  # fmt: skip
pairwise_distance.breaks("half", "grad / d", "0.5 * grad / d", "factor_two")


def solve_forward(a, b):
    x = np.linalg.solve(a, b)
    return x, (a, x)


def solve_backward(grad, saved):
    a, x = saved
    db = np.linalg.solve(a.T, grad)
    da = -db @ x.T
    return da, db


solve = layer(solve_forward, solve_backward, a=lambda rng: rng.normal(size=(4, 4)) + 4 * np.eye(4),
              b=(4, 4))  # fmt: skip
solve.breaks("a not transposed", "solve(a.T, grad)", "solve(a, grad)", "transposed")
solve.breaks("da's sign", "-db @ x.T", "db @ x.T", "sign_flipped")
solve.breaks("x not transposed", "-db @ x.T", "-db @ x", "transposed")
solve.breaks("da the other way", "-db @ x.T", "-x @ db.T", "transposed")
