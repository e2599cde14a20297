"""Losses: one number for a batch, or one for a sample."""

from __future__ import annotations

import numpy as np

from benchmarks.twins.layer import fractions, integers, layer, positive

SMOOTHING = 0.1
DELTA = 0.8
MARGIN = 1.0


def rows_softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy_forward(x, labels):
    p = rows_softmax(x)
    n = x.shape[0]
    loss = -np.log(p[np.arange(n), labels]).mean()
    return loss, (p, labels)


def cross_entropy_backward(grad, saved):
    p, labels = saved
    n = p.shape[0]
    dx = p.copy()
    dx[np.arange(n), labels] -= 1
    return grad * dx / n


cross_entropy = layer(cross_entropy_forward, cross_entropy_backward, x=(6, 4),
                      labels=integers(4, 6))  # fmt: skip
cross_entropy.breaks("n forgotten", "grad * dx / n", "grad * dx", "factor_batch_size")
cross_entropy.breaks("labels forgotten", "    dx[np.arange(n), labels] -= 1\n", "",
                     "path_missing additive_term few_entries")  # fmt: skip
cross_entropy.breaks("plus one", "-= 1", "+= 1", "sign_flipped path_missing few_entries "
                     "additive_term")  # fmt: skip
cross_entropy.breaks("by classes", "grad * dx / n", "grad * dx / p.shape[1]", "constant_factor "
                     "factor_batch_size")  # fmt: skip
cross_entropy.breaks("softmax twice", "dx = p.copy()", "dx = rows_softmax(p)",
                     "derivative_at_wrong_point softmax_jacobian_twice")  # fmt: skip


def smoothed_cross_entropy_forward(x, labels):
    p = rows_softmax(x)
    n = x.shape[0]
    logs = np.log(p)
    picked = logs[np.arange(n), labels]
    loss = -((1 - SMOOTHING) * picked + SMOOTHING * logs.mean(axis=1))
    return loss, (p, labels)


def smoothed_cross_entropy_backward(grad, saved):
    p, labels = saved
    n, classes = p.shape
    dx = p - SMOOTHING / classes
    dx[np.arange(n), labels] -= 1 - SMOOTHING
    return grad[:, None] * dx


smoothed_cross_entropy = layer(
    smoothed_cross_entropy_forward, smoothed_cross_entropy_backward, x=(6, 4),
    labels=integers(4, 6),
)  # fmt: skip
smoothed_cross_entropy.breaks("plain", "p - SMOOTHING / classes", "p.copy()",
                              "path_missing additive_term gradient_of_other_loss")  # fmt: skip
smoothed_cross_entropy.breaks("not divided", "SMOOTHING / classes", "SMOOTHING",
                              "path_missing additive_term constant_factor")  # fmt: skip
smoothed_cross_entropy.breaks("one", "-= 1 - SMOOTHING", "-= 1", "path_missing additive_term "
                              "few_entries constant_factor")  # fmt: skip
smoothed_cross_entropy.breaks("mean too", "grad[:, None] * dx", "grad[:, None] * dx / n",
                              "factor_batch_size")  # fmt: skip


def squared_error_forward(x, target):
    difference = x - target
    return (difference**2).mean(), (difference,)


def squared_error_backward(grad, saved):
    (difference,) = saved
    dx = 2 * grad * difference / difference.size
    return dx, -dx


squared_error = layer(squared_error_forward, squared_error_backward, x=(5, 3), target=(5, 3))
squared_error.breaks("two forgotten", "2 * grad * difference", "grad * difference", "factor_two")
squared_error.breaks("n alone", "/ difference.size", "/ difference.shape[0]", "constant_factor "
                     "factor_batch_size")  # fmt: skip
squared_error.breaks("same sign", "return dx, -dx", "return dx, dx", "sign_flipped")
squared_error.breaks("absolute", "2 * grad * difference", "grad * np.sign(difference)",
                     "gradient_of_other_loss derivative_at_wrong_point")  # fmt: skip


def huber_forward(x, target):
    difference = x - target
    size = np.abs(difference)
    loss = np.where(size < DELTA, 0.5 * difference**2, DELTA * (size - 0.5 * DELTA))
    return loss.sum(), (difference,)


def huber_backward(grad, saved):
    (difference,) = saved
    dx = grad * np.clip(difference, -DELTA, DELTA)
    return dx, -dx


huber = layer(huber_forward, huber_backward, x=(5, 4), target=(5, 4))
huber.breaks("not clipped", "np.clip(difference, -DELTA, DELTA)", "difference",
             "clip_ignored region_dependent gradient_of_other_loss slope_wrong")  # fmt: skip
huber.breaks("sign alone", "np.clip(difference, -DELTA, DELTA)", "DELTA * np.sign(difference)",
             "region_dependent gradient_of_other_loss derivative_at_wrong_point "
             "slope_wrong")  # fmt: skip
huber.breaks("clipped at one", "-DELTA, DELTA", "-1, 1", "clip_ignored region_dependent "
             "slope_wrong constant_factor")  # fmt: skip
huber.breaks("one side", "-DELTA, DELTA", "-9, DELTA", "clip_ignored region_dependent "
             "slope_wrong sign_dependent")  # fmt: skip


def logistic_loss_forward(x, target):
    loss = np.maximum(x, 0) - x * target + np.log1p(np.exp(-np.abs(x)))
    return loss.mean(), (x, target)


def logistic_loss_backward(grad, saved):
    x, target = saved
    p = 1 / (1 + np.exp(-x))
    g = grad / x.size
    return g * (p - target), -g * x


logistic_loss = layer(
    logistic_loss_forward, logistic_loss_backward, x=(6, 3), target=fractions(6, 3)
)
logistic_loss.breaks("reversed", "p - target", "target - p", "sign_flipped")
logistic_loss.breaks("sigmoid left out", "g * (p - target)", "g * (x - target)",
                     "derivative_at_wrong_point activation_derivative_missing "
                     "gradient_of_other_loss")  # fmt: skip
logistic_loss.breaks("slope too", "g * (p - target)", "g * (p - target) * p * (1 - p)",
                     "derivative_at_wrong_point gradient_of_other_loss "
                     "activation_derivative_missing")  # fmt: skip
logistic_loss.breaks("n alone", "grad / x.size", "grad / x.shape[0]", "constant_factor "
                     "factor_batch_size")  # fmt: skip


def hinge_forward(x, labels):
    n = x.shape[0]
    own = x[np.arange(n), labels][:, None]
    margins = np.maximum(x - own + MARGIN, 0)
    return margins.sum(axis=1) - MARGIN, (margins, labels)


def hinge_backward(grad, saved):
    margins, labels = saved
    n = margins.shape[0]
    dx = grad[:, None] * (margins > 0)
    dx[np.arange(n), labels] -= dx.sum(axis=1)
    return dx


hinge = layer(hinge_forward, hinge_backward, x=(6, 4), labels=integers(4, 6))
hinge.breaks("own score forgotten", "    dx[np.arange(n), labels] -= dx.sum(axis=1)\n", "",
             "path_missing few_entries wrong_index")  # fmt: skip
hinge.breaks("own score once", "-= dx.sum(axis=1)", "-= grad", "path_missing few_entries "
             "derivative_at_wrong_point")  # fmt: skip
hinge.breaks("not masked", " * (margins > 0)", " * (margins > -9)", "mask_not_applied "
             "clip_ignored")  # fmt: skip
hinge.breaks("sign of the own score", "-= dx.sum", "+= dx.sum", "sign_flipped path_missing "
             "few_entries")  # fmt: skip


def divergence_forward(p, q):
    loss = (p * (np.log(p) - np.log(q))).sum(axis=1)
    return loss, (p, q)


def divergence_backward(grad, saved):
    p, q = saved
    g = grad[:, None]
    dp = g * (np.log(p) - np.log(q) + 1)
    dq = -g * p / q
    return dp, dq


divergence = layer(divergence_forward, divergence_backward, p=positive(5, 4), q=positive(5, 4))
divergence.breaks("one forgotten", "np.log(p) - np.log(q) + 1", "np.log(p) - np.log(q)",
                  "path_missing additive_term")  # fmt: skip
divergence.breaks("q over p", "p / q", "q / p", "derivative_at_wrong_point")
divergence.breaks("dq's sign", "-g * p / q", "g * p / q", "sign_flipped")
divergence.breaks("p forgotten", "-g * p / q", "-g / q", "path_missing derivative_at_wrong_point "
                  "activation_derivative_missing")  # fmt: skip


def cosine_forward(a, b):
    na = np.sqrt((a**2).sum(axis=1, keepdims=True))
    nb = np.sqrt((b**2).sum(axis=1, keepdims=True))
    ua, ub = a / na, b / nb
    c = (ua * ub).sum(axis=1)
    return c, (ua, ub, na, nb, c)


def cosine_backward(grad, saved):
    ua, ub, na, nb, c = saved
    g, cosine = grad[:, None], c[:, None]
    da = g * (ub - cosine * ua) / na
    db = g * (ua - cosine * ub) / nb
    return da, db


cosine = layer(cosine_forward, cosine_backward, a=(5, 4), b=(5, 4))
cosine.breaks("norm constant", "ub - cosine * ua", "ub", "path_missing")
cosine.breaks("other norm", "(ub - cosine * ua) / na", "(ub - cosine * ua) / nb",
              "derivative_at_wrong_point wrong_index constant_factor path_missing")  # fmt: skip
cosine.breaks("exchanged", "return da, db", "return db, da", "swapped")
cosine.breaks("not divided", "(ua - cosine * ub) / nb", "(ua - cosine * ub)",
              "path_missing activation_derivative_missing constant_factor")  # fmt: skip


def gaussian_nll_forward(mean, log_var, target):
    residual = target - mean
    precision = np.exp(-log_var)
    loss = 0.5 * (log_var + residual**2 * precision)
    return loss.sum(axis=1), (residual, precision)


def gaussian_nll_backward(grad, saved):
    residual, precision = saved
    g = grad[:, None]
    dmean = -g * residual * precision
    dlog_var = 0.5 * g * (1 - residual**2 * precision)
    return dmean, dlog_var, -dmean


gaussian_nll = layer(
    gaussian_nll_forward, gaussian_nll_backward, mean=(5, 3), log_var=(5, 3), target=(5, 3)
)
gaussian_nll.breaks("sign", "dmean = -g", "dmean = g", "sign_flipped")
gaussian_nll.breaks("precision left out", "-g * residual * precision", "-g * residual",
                    "path_missing activation_derivative_missing constant_factor "
                    "derivative_at_wrong_point gradient_of_other_loss")  # fmt: skip
gaussian_nll.breaks("one left out", "1 - residual", "-residual", "path_missing additive_term")
gaussian_nll.breaks("half left out", "0.5 * g * (1", "g * (1", "factor_two")
