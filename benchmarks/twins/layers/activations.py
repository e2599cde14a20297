"""Activations, alone and with a learned parameter."""

from __future__ import annotations

import numpy as np

from benchmarks.twins.layer import layer, positive

ALPHA = 0.2
ROOT = 0.7978845608028654  # the root of 2 / pi
CUBIC = 0.044715


def logistic(x):
    return 1 / (1 + np.exp(-x))


def relu_forward(x):
    return np.maximum(x, 0), (x,)


def relu_backward(grad, saved):
    (x,) = saved
    dx = grad.copy()
    dx[x <= 0] = 0
    return dx


relu = layer(relu_forward, relu_backward, x=(5, 6))
relu.breaks("not masked", "    dx[x <= 0] = 0\n", "", "mask_not_applied "
            "activation_derivative_missing slope_wrong")  # fmt: skip
relu.breaks("mask reversed", "dx[x <= 0] = 0", "dx[x > 0] = 0", "wrong_mask slope_wrong")
relu.breaks("leaks", "dx[x <= 0] = 0", "dx[x <= 0] *= 0.01", "slope_wrong")
relu.breaks("threshold", "x <= 0", "x <= 0.5", "wrong_mask region_dependent")


def leaky_relu_forward(x):
    return np.where(x > 0, x, ALPHA * x), (x,)


def leaky_relu_backward(grad, saved):
    (x,) = saved
    dx = np.where(x > 0, grad, ALPHA * grad)
    return dx


leaky_relu = layer(leaky_relu_forward, leaky_relu_backward, x=(5, 6))
leaky_relu.breaks("slope 0.01", "ALPHA * grad", "0.01 * grad", "slope_wrong")
leaky_relu.breaks("sign test reversed", "x > 0", "x < 0", "wrong_mask slope_wrong")
leaky_relu.breaks("slope everywhere", "np.where(x > 0, grad, ALPHA * grad)", "ALPHA * grad",
                  "slope_wrong sign_dependent")  # fmt: skip
leaky_relu.breaks("test of the gradient", "x > 0", "grad > 0", "wrong_mask upstream_ignored")


def elu_forward(x):
    y = np.where(x > 0, x, ALPHA * np.expm1(np.minimum(x, 0)))
    return y, (x, y)


def elu_backward(grad, saved):
    x, y = saved
    dx = np.where(x > 0, grad, grad * (y + ALPHA))
    return dx


elu = layer(elu_forward, elu_backward, x=(5, 6))
elu.breaks("alpha not added", "y + ALPHA", "y", "sign_dependent slope_wrong region_dependent "
           "derivative_at_wrong_point")  # fmt: skip
elu.breaks("exp of the output", "y + ALPHA", "ALPHA * np.exp(y)", "derivative_at_wrong_point "
           "sign_dependent")  # fmt: skip
elu.breaks("slope alpha", "grad * (y + ALPHA)", "grad * ALPHA", "slope_wrong sign_dependent "
           "activation_derivative_missing")  # fmt: skip


def prelu_forward(x, a):
    y = np.where(x > 0, x, a * x)
    return y, (x, a)


def prelu_backward(grad, saved):
    x, a = saved
    dx = np.where(x > 0, grad, a * grad)
    da = (grad * np.minimum(x, 0)).sum(axis=0)
    return dx, da


prelu = layer(prelu_forward, prelu_backward, x=(6, 6), a=positive(6))
prelu.breaks("slope not learned", "a * grad", "0.25 * grad", "slope_wrong sign_dependent")
prelu.breaks("unmasked da", "np.minimum(x, 0)", "x", "mask_not_applied wrong_mask slope_wrong "
             "region_dependent")  # fmt: skip
prelu.breaks("other half of da", "np.minimum(x, 0)", "np.maximum(x, 0)", "wrong_mask")
prelu.breaks("da over the other axis", ".sum(axis=0)", ".sum(axis=1)", "wrong_axis")


def sigmoid_forward(x):
    y = logistic(x)
    return y, (y,)


def sigmoid_backward(grad, saved):
    (y,) = saved
    dx = grad * y * (1 - y)
    return dx


sigmoid = layer(sigmoid_forward, sigmoid_backward, x=(5, 6))
sigmoid.breaks("tanh's slope", "y * (1 - y)", "(1 - y**2)", "derivative_at_wrong_point")
sigmoid.breaks("sigmoid again", "grad * y * (1 - y)", "grad * logistic(y) * (1 - logistic(y))",
               "derivative_at_wrong_point")  # fmt: skip
sigmoid.breaks("one factor", "grad * y * (1 - y)", "grad * (1 - y)", "derivative_at_wrong_point "
               "activation_derivative_missing")  # fmt: skip
sigmoid.breaks("1 + y", "1 - y", "1 + y", "derivative_at_wrong_point")


def silu_forward(x):
    s = logistic(x)
    return x * s, (x, s)


def silu_backward(grad, saved):
    x, s = saved
    dx = grad * (s + x * s * (1 - s))
    return dx


silu = layer(silu_forward, silu_backward, x=(5, 6))
silu.breaks("the gate alone", "s + x * s * (1 - s)", "s", "path_missing derivative_at_wrong_point")
silu.breaks("x left out", "x * s * (1 - s)", "s * (1 - s)", "path_missing "
            "derivative_at_wrong_point")  # fmt: skip
silu.breaks("minus", "s + x * s", "s - x * s", "sign_flipped path_missing "
            "derivative_at_wrong_point")  # fmt: skip
silu.breaks("slope of the gate alone", "s + x * s * (1 - s)", "x * s * (1 - s)", "path_missing")


def swish_forward(x, beta):
    s = logistic(beta * x)
    return x * s, (x, beta, s)


def swish_backward(grad, saved):
    x, beta, s = saved
    slope = s * (1 - s)
    dx = grad * (s + beta * x * slope)
    dbeta = (grad * x * x * slope).sum(axis=0)
    return dx, dbeta


swish = layer(swish_forward, swish_backward, x=(6, 5), beta=positive(5))
swish.breaks("beta left out", "beta * x * slope", "x * slope", "path_missing "
             "constant_factor derivative_at_wrong_point")  # fmt: skip
swish.breaks("x once", "grad * x * x * slope", "grad * x * slope", "derivative_at_wrong_point "
             "path_missing")  # fmt: skip
swish.breaks("mean", ".sum(axis=0)", ".mean(axis=0)", "factor_batch_size")
swish.breaks("the slope missing", "grad * x * x * slope", "grad * x * x",
             "activation_derivative_missing")  # fmt: skip


def softplus_forward(x):
    y = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return y, (x,)


def softplus_backward(grad, saved):
    (x,) = saved
    dx = grad / (1 + np.exp(-x))
    return dx


softplus = layer(softplus_forward, softplus_backward, x=(5, 6))
softplus.breaks("sign of x", "np.exp(-x)", "np.exp(x)", "sign_flipped derivative_at_wrong_point")
softplus.breaks("a step", "grad / (1 + np.exp(-x))", "grad * (x > 0)", "derivative_at_wrong_point "
                "wrong_mask activation_derivative_missing")  # fmt: skip
softplus.breaks("of the output", "np.exp(-x)", "np.exp(-(x + np.log1p(np.exp(-x))))",
                "derivative_at_wrong_point")  # fmt: skip


def gelu_forward(x):
    t = np.tanh(ROOT * (x + CUBIC * x**3))
    return 0.5 * x * (1 + t), (x, t)


def gelu_backward(grad, saved):
    x, t = saved
    inner = ROOT * (1 + 3 * CUBIC * x**2)
    dx = grad * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * inner)
    return dx


gelu = layer(gelu_forward, gelu_backward, x=(5, 6))
gelu.breaks("inner slope", "1 + 3 * CUBIC * x**2", "1 + CUBIC * x**2", "derivative_at_wrong_point "
            "path_missing constant_factor")  # fmt: skip
gelu.breaks("tanh's slope", "1 - t**2", "1 - t", "derivative_at_wrong_point "
            "activation_derivative_missing path_missing")  # fmt: skip
gelu.breaks("inner left out", " * inner", "", "path_missing activation_derivative_missing "
            "derivative_at_wrong_point constant_factor")  # fmt: skip
gelu.breaks("gate alone", " + 0.5 * x * (1 - t**2) * inner", "", "path_missing "
            "derivative_at_wrong_point")  # fmt: skip


def hard_tanh_forward(x):
    return np.clip(x, -1, 1), (x,)


def hard_tanh_backward(grad, saved):
    (x,) = saved
    inside = (x > -1) & (x < 1)
    dx = grad * inside
    return dx


hard_tanh = layer(hard_tanh_forward, hard_tanh_backward, x=(5, 6))
hard_tanh.breaks("clip ignored", "grad * inside", "grad", "clip_ignored mask_not_applied "
                 "region_dependent activation_derivative_missing")  # fmt: skip
hard_tanh.breaks("one side", "(x > -1) & (x < 1)", "x < 1", "clip_ignored wrong_mask "
                 "region_dependent sign_dependent")  # fmt: skip
hard_tanh.breaks("narrower", "x < 1", "x < 0.5", "wrong_mask clip_ignored region_dependent")
hard_tanh.breaks("clips the gradient", "grad * inside", "np.clip(grad, -1, 1)",
                 "upstream_ignored clip_ignored region_dependent gradient_clipped")  # fmt: skip
