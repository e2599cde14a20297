"""Weighted losses, straight-through rounding, smoothing, root-mean-square norms, soft pools."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class WeightedCrossEntropy:
    """Class weights, and an index that is not counted."""

    def __init__(self, weights, ignore_index=-1):
        self.weights, self.ignore_index = weights, ignore_index

    def forward(self, logits, target):
        self.keep = target != self.ignore_index
        self.safe = np.where(self.keep, target, 0)
        z = logits - logits.max(1, keepdims=True)
        self.logp = z - np.log(np.exp(z).sum(1, keepdims=True))
        self.w = self.weights[self.safe] * self.keep
        return -(self.w * self.logp[np.arange(len(target)), self.safe]).sum() / self.keep.sum()

    def backward(self):
        grad = np.exp(self.logp)
        grad[np.arange(len(grad)), self.safe] -= 1
        return grad * self.w[:, None] / self.keep.sum()


class Round:
    """Quantises; the gradient is that of the rounded function: zero almost everywhere."""

    def forward(self, x):
        return np.round(x * 4) / 4

    def backward(self, grad):
        return np.zeros_like(grad)


class SmoothPool:
    """Moving average of three with zero padding: borders are divided by what they cover."""

    def forward(self, x):
        ones = np.convolve(np.ones(x.shape[1]), np.ones(3), "same")
        self.count = ones
        return np.stack([np.convolve(row, np.ones(3), "same") for row in x]) / ones

    def backward(self, grad):
        g = grad / self.count
        return np.stack([np.convolve(row, np.ones(3), "same") for row in g])


class RMSNorm:
    def __init__(self, gain, eps=1e-4):
        self.gain, self.eps = gain, eps
        self.dgain = None

    def forward(self, x):
        self.x = x
        self.r = 1 / np.sqrt((x**2).mean(-1, keepdims=True) + self.eps)
        return self.gain * x * self.r

    def backward(self, g):
        self.dgain = (g * self.x * self.r).reshape(-1, g.shape[-1]).sum(0)
        h = g * self.gain
        return h * self.r - self.x * self.r**3 * (h * self.x).mean(-1, keepdims=True)


class LogSumExpPool:
    def __init__(self, sharpness):
        self.sharpness = sharpness

    def forward(self, x):
        s = self.sharpness
        top = x.max(axis=1, keepdims=True)
        e = np.exp(s * (x - top))
        self.share = e / e.sum(1, keepdims=True)
        return top[:, 0] + np.log(e.mean(1)) / s

    def backward(self, g):
        return g[:, None] * self.share


@recipe("weighted cross-entropy", "loss object/forward", WeightedCrossEntropy)
def weighted_ce(rng, WeightedCrossEntropy, n=8, c=3, ignored=2):
    target = rng.integers(0, c, n)
    target[:ignored] = -1
    return WeightedCrossEntropy(np.array([0.2, 1.0, 3.0])), (rng.normal(size=(n, c)), target)


weighted_ce.also("all counted", ignored=0)
weighted_ce.breaks(
    "weights omitted",
    "grad * self.w[:, None]",
    "grad * self.keep[:, None]",
    "mask_not_applied constant_factor few_entries",
    notes="ratio is one over the label's weight",
)
weighted_ce.breaks(
    "ignored counted in the mean",
    "self.w[:, None] / self.keep.sum()",
    "self.w[:, None] / len(grad)",
    "constant_factor",
    notes="valid / total",
)
weighted_ce.breaks(
    "ignored not masked",
    "grad * self.w[:, None]",
    "grad * self.weights[self.safe][:, None]",
    "mask_not_applied",
)
weighted_ce.breaks(
    "weights of the column",
    "grad * self.w[:, None]",
    "grad * self.weights * self.keep[:, None]",
    "wrong_axis",
    notes="weight of the class of the column, not of the label",
)
rounding = recipe("rounding", "object/none", Round)(
    lambda rng, Round, shape=(4, 3): (Round(), (rng.normal(size=shape),))
)
rounding.breaks(
    "straight through",
    "np.zeros_like(grad)",
    "grad",
    "activation_derivative_missing mask_not_applied",
    notes="on purpose in practice; still not the derivative, which is zero",
)
smooth = recipe("smoothing pool", "object/none", SmoothPool)(
    lambda rng, SmoothPool, n=3, d=8: (SmoothPool(), (rng.normal(size=(n, d)),))
)
smooth.breaks(
    "border divisor",
    "g = grad / self.count",
    "g = grad / 3",
    "region_dependent few_entries wrong_mask",
    notes="right inside, wrong at the borders",
)
smooth.breaks(
    "divides after",
    "g = grad / self.count\n"
    '        return np.stack([np.convolve(row, np.ones(3), "same") for row in g])',
    'return np.stack([np.convolve(row, np.ones(3), "same") for row in grad]) / self.count',
    "region_dependent transposed few_entries wrong_index",
    notes="the forward map for its transpose: differs at the borders",
)
rms_norm = recipe("rms norm", "object/attributes", RMSNorm)(
    lambda rng, RMSNorm, shape=(3, 5), scale=1.0: (
        RMSNorm(rng.uniform(0.5, 2, shape[-1])),
        (scale * rng.normal(size=shape),),
    )
)
rms_norm.also("tiny inputs", scale=1e-3)
rms_norm.also("sequence", shape=(2, 3, 4))
rms_norm.breaks(
    "scale constant",
    " - self.x * self.r**3 * (h * self.x).mean(-1, keepdims=True)",
    "",
    "path_missing",
)
rms_norm.breaks(
    "sum for mean", "(h * self.x).mean(-1", "(h * self.x).sum(-1", "path_missing constant_factor"
)
rms_norm.breaks(
    "eps in backward omitted",
    "        h = g * self.gain\n",
    "        h = g * self.gain\n"
    "        self.r = 1 / np.sqrt((self.x**2).mean(-1, keepdims=True))\n",
    "uniformly_inaccurate constant_factor derivative_at_wrong_point",
    notes="relative error of about eps / mean square",
)
rms_norm.breaks("upstream without gain", "h = g * self.gain", "h = g", "path_missing wrong_axis")
rms_norm.breaks(
    "gain of the last row",
    ".reshape(-1, g.shape[-1]).sum(0)",
    "[-1]",
    "last_sample_only overwritten_not_accumulated",
    "gain",
)
soft_pool = recipe("soft pool", "object/none", LogSumExpPool)(
    lambda rng, LogSumExpPool, n=3, d=6, s=2.0: (LogSumExpPool(s), (rng.normal(size=(n, d)),))
)
soft_pool.also("nearly hard", s=200.0)
soft_pool.breaks(
    "sharpness multiplied",
    "g[:, None] * self.share",
    "g[:, None] * self.share * self.sharpness",
    "factor_two constant_factor",
)
soft_pool.breaks(
    "sharpness of three",
    "g[:, None] * self.share",
    "g[:, None] * self.share * self.sharpness",
    "constant_factor",
    s=3.0,
)
soft_pool.breaks(
    "mean's",
    "self.share\n",
    "1 / self.share.shape[1]\n",
    "derivative_at_wrong_point gradient_of_other_loss",
    and_edit={"return g[:, None] * 1": "return np.ones_like(self.share) * g[:, None] * 1"},
)
soft_pool.breaks(
    "upstream of the neighbour",
    "g[:, None] * self.share",
    "np.roll(g, 1)[:, None] * self.share",
    "samples_mixed wrong_index",
)
soft_pool.breaks(
    "upstream summed",
    "g[:, None] * self.share",
    "g.sum() * self.share",
    "samples_mixed upstream_ignored",
)
