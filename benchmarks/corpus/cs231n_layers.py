"""Function pairs with a cache, as in the assignments of a well-known course."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    out = np.maximum(0, x)
    cache = x
    return out, cache


def relu_backward(dout, cache):
    x = cache
    return dout * (x > 0)


def affine_relu_forward(x, w, b):
    a, fc_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(a)
    return out, (fc_cache, relu_cache)


def affine_relu_backward(dout, cache):
    fc_cache, relu_cache = cache
    da = relu_backward(dout, relu_cache)
    return affine_backward(da, fc_cache)


@recipe("affine pair", "pair", affine_forward, affine_backward)
def affine_pair(rng, forward, backward, shape=(2, 4, 3), m=5):
    d = int(np.prod(shape[1:]))
    w, b = rng.normal(size=(d, m)), rng.normal(size=m)
    return (forward, backward), (rng.normal(size=shape), w, b)


affine_pair.also("linspace", shape=(10, 2, 3))
affine_pair.also("mnist", shape=(5, 784), m=300)
affine_pair.breaks(
    "order",
    "return dx, dw, db",
    "return dw, dx, db",
    "swapped wrong_shape",
    "x w",
    shape=(4, 4),
    m=4,
)
affine_pair.breaks(
    "db of first", "dout.sum(axis=0)", "dout[0]", "last_sample_only path_missing few_entries", "b"
)
affine_pair.breaks(
    "fortran reshape",
    "dout.dot(w.T).reshape(x.shape)",
    'dout.dot(w.T).reshape(x.shape, order="F")',
    "wrong_index transposed",
)
affine_pair.breaks("flattened", ".reshape(x.shape)\n", "\n", "wrong_shape")
affine_pair.breaks(
    "averaged",
    "dw = x.reshape(x.shape[0], -1).T.dot(dout)",
    "dw = x.reshape(x.shape[0], -1).T.dot(dout) / x.shape[0]",
    "factor_batch_size",
    "w",
    shape=(7, 3, 2),
)
affine_pair.breaks(
    "regularised",
    "dw = x.reshape(x.shape[0], -1).T.dot(dout)",
    "dw = x.reshape(x.shape[0], -1).T.dot(dout) + 1e-3 * w",
    "additive_term",
    "w",
)


@recipe(
    "affine relu pair",
    "pair",
    affine_forward,
    affine_backward,
    relu_forward,
    relu_backward,
    affine_relu_forward,
    affine_relu_backward,
)
def affine_relu(rng, affine_f, affine_b, relu_f, relu_b, forward, backward, n=3, d=6, m=5):
    return (forward, backward), (
        rng.normal(size=(n, d)),
        rng.normal(size=(d, m)),
        rng.normal(size=m),
    )


affine_relu.also("big", n=64, d=100, m=50)
affine_relu.breaks(
    "relu skipped",
    "da = relu_backward(dout, relu_cache)",
    "da = dout",
    "activation_derivative_missing mask_not_applied",
    "x w b",
)
affine_relu.breaks("mask of upstream", "dout * (x > 0)", "dout * (dout > 0)", "wrong_mask", "x w b")
affine_relu.breaks("mask counts", "dout * (x > 0)", "(x > 0) * 1.0", "upstream_ignored", "x w b")
affine_relu.breaks(
    "mask above one",
    "dout * (x > 0)",
    "dout * (x > 1)",
    "wrong_mask region_dependent",
    "x w b",
    n=8,
)
affine_relu.breaks(
    "mask multiplied by x",
    "dout * (x > 0)",
    "dout * np.maximum(0, x)",
    "derivative_at_wrong_point activation_derivative_missing",
    "x w b",
)
