"""Normalisations and softmaxes: every output depends on a whole row or column."""

from __future__ import annotations

import numpy as np

from benchmarks.twins.layer import layer, positive

EPS = 1e-5
TEMPERATURE = 1.7
GROUPS = 2


def layer_norm_forward(x, gamma, beta):
    mean = x.mean(axis=1, keepdims=True)
    centered = x - mean
    std = np.sqrt((centered**2).mean(axis=1, keepdims=True) + EPS)
    xn = centered / std
    return gamma * xn + beta, (xn, std, gamma)


def layer_norm_backward(grad, saved):
    xn, std, gamma = saved
    dgamma = (grad * xn).sum(axis=0)
    dbeta = grad.sum(axis=0)
    g = grad * gamma
    shift = g.mean(axis=1, keepdims=True)
    slant = xn * (g * xn).mean(axis=1, keepdims=True)
    dx = (g - shift - slant) / std
    return dx, dgamma, dbeta


layer_norm = layer(layer_norm_forward, layer_norm_backward, x=(6, 6), gamma=positive(6), beta=(6,))
layer_norm.breaks("mean's path", "g - shift - slant", "g - slant", "path_missing")
layer_norm.breaks("variance's path", "g - shift - slant", "g - shift", "path_missing")
layer_norm.breaks("as if constant", "g - shift - slant", "g", "path_missing "
                  "jacobian_diagonal_only")  # fmt: skip
layer_norm.breaks("gamma left out", "g = grad * gamma", "g = grad", "path_missing "
                  "activation_derivative_missing constant_factor")  # fmt: skip
layer_norm.breaks("dgamma of x", "grad * xn).sum", "grad * xn * std).sum",
                  "derivative_at_wrong_point path_missing")  # fmt: skip
layer_norm.breaks("sums for means", "(g * xn).mean(axis=1, keepdims=True)",
                  "(g * xn).sum(axis=1, keepdims=True)", "path_missing constant_factor "
                  "factor_batch_size")  # fmt: skip
layer_norm.breaks("statistics of columns", "g.mean(axis=1, keepdims=True)",
                  "g.mean(axis=0, keepdims=True)", "wrong_axis samples_mixed")  # fmt: skip
layer_norm.breaks("not divided", "(g - shift - slant) / std", "g - shift - slant",
                  "path_missing activation_derivative_missing constant_factor")  # fmt: skip


def batch_norm_forward(x, gamma, beta):
    centered = x - x.mean(axis=0)
    var = (centered**2).mean(axis=0)
    std = np.sqrt(var + EPS)
    xn = centered / std
    return gamma * xn + beta, (xn, std, gamma)


def batch_norm_backward(grad, saved):
    xn, std, gamma = saved
    n = grad.shape[0]
    dbeta = grad.sum(axis=0)
    dgamma = (grad * xn).sum(axis=0)
    dx = gamma / (n * std) * (n * grad - dbeta - xn * dgamma)
    return dx, dgamma, dbeta


batch_norm = layer(batch_norm_forward, batch_norm_backward, x=(6, 6), gamma=positive(6), beta=(6,))
batch_norm.breaks("mean's path", "n * grad - dbeta - xn * dgamma", "n * grad - xn * dgamma",
                  "path_missing")  # fmt: skip
batch_norm.breaks("variance's path", "n * grad - dbeta - xn * dgamma", "n * grad - dbeta",
                  "path_missing")  # fmt: skip
batch_norm.breaks("n forgotten", "gamma / (n * std)", "gamma / std", "factor_batch_size")
batch_norm.breaks("gamma forgotten", "gamma / (n * std)", "1 / (n * std)", "path_missing "
                  "activation_derivative_missing constant_factor")  # fmt: skip
batch_norm.breaks("dgamma a mean", "(grad * xn).sum(axis=0)", "(grad * xn).mean(axis=0)",
                  "factor_batch_size")  # fmt: skip
batch_norm.breaks("dbeta over the other axis", "grad.sum(axis=0)", "grad.sum(axis=1)",
                  "wrong_axis")  # fmt: skip


def rms_norm_forward(x, gamma):
    rms = np.sqrt((x**2).mean(axis=1, keepdims=True) + EPS)
    xn = x / rms
    return gamma * xn, (xn, rms, gamma)


def rms_norm_backward(grad, saved):
    xn, rms, gamma = saved
    g = grad * gamma
    dgamma = (grad * xn).sum(axis=0)
    dx = (g - xn * (g * xn).mean(axis=1, keepdims=True)) / rms
    return dx, dgamma


rms_norm = layer(rms_norm_forward, rms_norm_backward, x=(6, 6), gamma=positive(6))
rms_norm.breaks("root's path", "g - xn * (g * xn).mean(axis=1, keepdims=True)", "g",
                "path_missing jacobian_diagonal_only")  # fmt: skip
rms_norm.breaks("centred", "dx = (g - xn", "dx = (g - g.mean(axis=1, keepdims=True) - xn",
                "path_missing additive_term")  # fmt: skip
rms_norm.breaks("over the batch", "(g * xn).mean(axis=1", "(g * xn).mean(axis=0",
                "wrong_axis samples_mixed")  # fmt: skip
rms_norm.breaks("squared", ") / rms", ") / rms**2", "derivative_at_wrong_point constant_factor "
                "activation_derivative_missing path_missing")  # fmt: skip
rms_norm.breaks("dgamma by gamma", "(grad * xn).sum", "(g * xn).sum", "derivative_at_wrong_point "
                "constant_factor path_missing")  # fmt: skip


def group_norm_forward(x, gamma):
    rows = x.reshape(x.shape[0], GROUPS, -1)
    centered = rows - rows.mean(axis=2, keepdims=True)
    std = np.sqrt((centered**2).mean(axis=2, keepdims=True) + EPS)
    xn = centered / std
    return gamma * xn.reshape(x.shape), (xn, std, gamma)


def group_norm_backward(grad, saved):
    xn, std, gamma = saved
    dgamma = (grad * xn.reshape(grad.shape)).sum(axis=0)
    g = (grad * gamma).reshape(xn.shape)
    shift = g.mean(axis=2, keepdims=True)
    slant = xn * (g * xn).mean(axis=2, keepdims=True)
    dx = ((g - shift - slant) / std).reshape(grad.shape)
    return dx, dgamma


group_norm = layer(group_norm_forward, group_norm_backward, x=(5, 6), gamma=positive(6))
group_norm.breaks("mean's path", "g - shift - slant", "g - slant", "path_missing")
group_norm.breaks("variance's path", "g - shift - slant", "g - shift", "path_missing")
group_norm.breaks("statistics of groups", "shift = g.mean(axis=2", "shift = g.mean(axis=1",
                  "wrong_axis")  # fmt: skip
group_norm.breaks("not divided", "(g - shift - slant) / std", "(g - shift - slant)",
                  "path_missing activation_derivative_missing constant_factor")  # fmt: skip


def unit_rows_forward(x):
    norm = np.sqrt((x**2).sum(axis=1, keepdims=True))
    y = x / norm
    return y, (y, norm)


def unit_rows_backward(grad, saved):
    y, norm = saved
    dx = (grad - y * (grad * y).sum(axis=1, keepdims=True)) / norm
    return dx


unit_rows = layer(unit_rows_forward, unit_rows_backward, x=(5, 4))
unit_rows.breaks("norm constant", "grad - y * (grad * y).sum(axis=1, keepdims=True)", "grad",
                 "path_missing jacobian_diagonal_only")  # fmt: skip
unit_rows.breaks("plus", "grad - y", "grad + y", "sign_flipped path_missing")
unit_rows.breaks("diagonal", "(grad * y).sum(axis=1, keepdims=True)", "(grad * y)",
                 "jacobian_diagonal_only")  # fmt: skip
unit_rows.breaks("norm squared", ") / norm", ") / norm**2", "derivative_at_wrong_point "
                 "constant_factor activation_derivative_missing path_missing")  # fmt: skip


def softmax_forward(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p, (p,)


def softmax_backward(grad, saved):
    (p,) = saved
    dx = p * (grad - (grad * p).sum(axis=1, keepdims=True))
    return dx


softmax = layer(softmax_forward, softmax_backward, x=(5, 5))
softmax.breaks("diagonal", "p * (grad - (grad * p).sum(axis=1, keepdims=True))",
               "p * (1 - p) * grad", "jacobian_diagonal_only")  # fmt: skip
softmax.breaks("normalisation ignored", "grad - (grad * p).sum(axis=1, keepdims=True)", "grad",
               "path_missing jacobian_diagonal_only")  # fmt: skip
softmax.breaks("columns", "sum(axis=1", "sum(axis=0", "wrong_axis samples_mixed")
softmax.breaks("passes through", "p * (grad - (grad * p).sum(axis=1, keepdims=True))", "grad",
               "activation_derivative_missing")  # fmt: skip
softmax.breaks("grad for its mean", "(grad * p).sum", "grad.sum", "path_missing "
               "derivative_at_wrong_point")  # fmt: skip


def softmax_with_temperature_forward(x):
    z = x / TEMPERATURE
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p, (p,)


def softmax_with_temperature_backward(grad, saved):
    (p,) = saved
    dz = p * (grad - (grad * p).sum(axis=1, keepdims=True))
    return dz / TEMPERATURE


softmax_with_temperature = layer(
    softmax_with_temperature_forward, softmax_with_temperature_backward, x=(5, 5)
)
softmax_with_temperature.breaks("forgotten", "dz / TEMPERATURE", "dz", "constant_factor")
softmax_with_temperature.breaks("multiplied", "dz / TEMPERATURE", "dz * TEMPERATURE",
                                "constant_factor")  # fmt: skip
softmax_with_temperature.breaks("diagonal", "(grad * p).sum(axis=1, keepdims=True)", "grad * p",
                                "jacobian_diagonal_only")  # fmt: skip


def log_softmax_forward(x):
    z = x - x.max(axis=1, keepdims=True)
    y = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return y, (y,)


def log_softmax_backward(grad, saved):
    (y,) = saved
    dx = grad - np.exp(y) * grad.sum(axis=1, keepdims=True)
    return dx


log_softmax = layer(log_softmax_forward, log_softmax_backward, x=(5, 5))
log_softmax.breaks("sum forgotten", "grad.sum(axis=1, keepdims=True)", "grad",
                   "jacobian_diagonal_only path_missing")  # fmt: skip
log_softmax.breaks("exp forgotten", "np.exp(y)", "y", "derivative_at_wrong_point path_missing "
                   "activation_derivative_missing")  # fmt: skip
log_softmax.breaks("softmax's", "grad - np.exp(y) * grad.sum(axis=1, keepdims=True)",
                   "np.exp(y) * (grad - (np.exp(y) * grad).sum(axis=1, keepdims=True))",
                   "softmax_jacobian_twice path_missing activation_derivative_missing "
                   "derivative_at_wrong_point")  # fmt: skip
log_softmax.breaks("plus", "grad - np", "grad + np", "sign_flipped path_missing")
