"""Layers with a memory: masks, random numbers, running statistics."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class Dropout:
    """Inverted dropout with a mask given from outside, or drawn from a seed on each forward."""

    def __init__(self, p, seed):
        self.p, self.seed = p, seed

    def forward(self, x):
        rng = np.random.default_rng(self.seed)
        self.mask = rng.random(x.shape) >= self.p
        return x * self.mask / (1 - self.p)

    def backward(self, grad):
        return grad * self.mask / (1 - self.p)


class FixedDropout:
    def __init__(self, mask):
        self.mask = mask

    def forward(self, x):
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask


class BatchNorm2d:
    """Over (N, H, W) per channel; counts its calls and keeps running averages in place."""

    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias
        self.grad_weight = self.grad_bias = None
        self.running_mean, self.running_var = np.zeros_like(weight), np.ones_like(weight)
        self.calls = 0

    def forward(self, x):
        axes = (0, 2, 3)
        mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
        self.running_mean *= 0.9
        self.running_mean += 0.1 * mean.ravel()
        self.running_var *= 0.9
        self.running_var += 0.1 * var.ravel()
        self.calls += 1
        self.std = np.sqrt(var + 1e-5)
        self.xhat = (x - mean) / self.std
        return self.xhat * self.weight[:, None, None] + self.bias[:, None, None]

    def backward(self, g):
        axes = (0, 2, 3)
        self.grad_bias = g.sum(axes)
        self.grad_weight = (g * self.xhat).sum(axes)
        g = g * self.weight[:, None, None]
        m1 = g.mean(axes, keepdims=True)
        m2 = (g * self.xhat).mean(axes, keepdims=True)
        return (g - m1 - self.xhat * m2) / self.std


@recipe("seeded dropout", "object/none", Dropout)
def dropout(rng, Dropout, p=0.4, shape=(6, 7)):
    return Dropout(p, 11), (rng.normal(size=shape),)


dropout.breaks(
    "unseeded",
    "np.random.default_rng(self.seed)",
    "np.random.default_rng()",
    "nondeterministic_forward",
    "",
    notes="the gradient itself is right for the mask drawn",
)
dropout.breaks(
    "legacy generator made anew",
    "rng = np.random.default_rng(self.seed)",
    "rng = np.random.RandomState()",
    "nondeterministic_forward",
    "",
    notes="drawn from no generator that a checker could hold",
)
dropout.breaks(
    "scale missing", "grad * self.mask / (1 - self.p)", "grad * self.mask", "constant_factor"
)
dropout.breaks(
    "scaled by p", "grad * self.mask / (1 - self.p)", "grad * self.mask / self.p", "constant_factor"
)
dropout.breaks(
    "no mask", "grad * self.mask / (1 - self.p)", "grad / (1 - self.p)", "mask_not_applied"
)
dropout.breaks(
    "no mask, no scale",
    "grad * self.mask / (1 - self.p)",
    "grad",
    "mask_not_applied activation_derivative_missing",
)
dropout.breaks(
    "new mask",
    "return grad * self.mask",
    "self.mask = np.random.default_rng(5).random(grad.shape) >= self.p\n"
    "        return grad * self.mask",
    "wrong_mask",
)
dropout.breaks("complement", "return grad * self.mask", "return grad * ~self.mask", "wrong_mask")
fixed = recipe("fixed dropout", "object/none", FixedDropout)(
    lambda rng, FixedDropout, shape=(4, 6): (
        FixedDropout((rng.random(shape) < 0.5) * 2.0),
        (rng.normal(size=shape),),
    )
)
fixed.breaks(
    "squared", "return grad * self.mask", "return grad * self.mask**2", "factor_two constant_factor"
)
fixed.breaks(
    "of the first sample", "return grad * self.mask", "return grad * self.mask[:1]", "wrong_mask"
)
fixed.breaks(
    "rolled",
    "return grad * self.mask",
    "return grad * np.roll(self.mask, 1, axis=1)",
    "wrong_mask wrong_index",
)


@recipe("batch norm 2d", "object/grad_", BatchNorm2d)
def batch_norm_2d(rng, BatchNorm2d, shape=(2, 3, 8, 8)):
    c = shape[1]
    return BatchNorm2d(rng.uniform(0.5, 2, c), rng.normal(size=c)), (rng.normal(1, 3, shape),)


batch_norm_2d.also("tiny", shape=(3, 2, 1, 2))
batch_norm_2d.breaks("mean path", "(g - m1 - self.xhat", "(g - self.xhat", "path_missing")
batch_norm_2d.breaks("variance path", "(g - m1 - self.xhat * m2)", "(g - m1)", "path_missing")
batch_norm_2d.breaks(
    "means per sample",
    "m1 = g.mean(axes, keepdims=True)",
    "m1 = g.mean((2, 3), keepdims=True)",
    "wrong_axis path_missing",
)
batch_norm_2d.breaks(
    "weight over batch",
    "self.grad_weight = (g * self.xhat).sum(axes)",
    "self.grad_weight = (g * self.xhat).sum(axes) / len(g)",
    "factor_batch_size",
    "weight",
    shape=(5, 3, 4, 4),
)
batch_norm_2d.breaks(
    "bias averaged",
    "self.grad_bias = g.sum(axes)",
    "self.grad_bias = g.mean(axes)",
    "constant_factor",
    "bias",
)
batch_norm_2d.breaks(
    "running deviation",
    "- self.xhat * m2) / self.std",
    "- self.xhat * m2) / np.sqrt(self.running_var + 1e-5)[:, None, None]",
    "derivative_at_wrong_point constant_factor wrong_axis",
    notes="statistics of evaluation mode in training mode",
)
batch_norm_2d.breaks(
    "normalises by running",
    "self.xhat = (x - mean) / self.std\n",
    "self.std = np.sqrt(self.running_var[:, None, None] + 1e-5)\n"
    "        self.xhat = (x - mean) / self.std\n",
    "path_missing additive_term nondeterministic_forward",
    notes="forward divides by statistics that move with every call",
)
