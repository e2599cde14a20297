"""Losses as objects: margins, outliers, and logits of two classes."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class Huber:
    def __init__(self, delta=1.0):
        self.delta = delta

    def forward(self, pred, target):
        self.r = pred - target
        small = np.abs(self.r) <= self.delta
        loss = np.where(small, 0.5 * self.r**2, self.delta * (np.abs(self.r) - 0.5 * self.delta))
        return loss.mean()

    def backward(self):
        return np.clip(self.r, -self.delta, self.delta) / self.r.size


class MulticlassHinge:
    def forward(self, scores, y):
        rows = np.arange(len(y))
        self.margins = np.maximum(0, scores - scores[rows, y][:, None] + 1)
        self.margins[rows, y] = 0
        self.y = y
        return self.margins.sum() / len(y)

    def backward(self):
        grad = (self.margins > 0).astype(float)
        grad[np.arange(len(self.y)), self.y] = -grad.sum(axis=1)
        return grad / len(self.y)


class BCEWithLogits:
    def forward(self, z, t):
        self.z, self.t = z, t
        return (np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))).mean()

    def backward(self):
        return (1 / (1 + np.exp(-self.z)) - self.t) / self.z.size


@recipe("huber", "loss object/forward", Huber)
def huber(rng, Huber, n=8, delta=0.8):
    return Huber(delta), (2 * rng.normal(size=n), rng.normal(size=n))


huber.also("all quadratic", delta=100.0)
huber.breaks(
    "clip forgotten",
    "np.clip(self.r, -self.delta, self.delta)",
    "self.r",
    "clip_ignored slope_wrong region_dependent gradient_of_other_loss",
)
huber.breaks(
    "slope one",
    "np.clip(self.r, -self.delta, self.delta)",
    "np.where(np.abs(self.r) <= self.delta, self.r, np.sign(self.r))",
    "slope_wrong region_dependent activation_derivative_missing",
)
huber.breaks(
    "no sign",
    "np.clip(self.r, -self.delta, self.delta)",
    "np.where(np.abs(self.r) <= self.delta, self.r, self.delta)",
    "sign_dependent region_dependent slope_wrong",
    n=12,
)


@recipe("multiclass hinge", "loss object/forward", MulticlassHinge)
def hinge(rng, MulticlassHinge, n=5, classes=4):
    return MulticlassHinge(), (rng.normal(size=(n, classes)), rng.integers(0, classes, n))


hinge.breaks(
    "correct class forgotten",
    "        grad[np.arange(len(self.y)), self.y] = -grad.sum(axis=1)\n",
    "",
    "path_missing few_entries",
)
hinge.breaks(
    "correct class counted once",
    "= -grad.sum(axis=1)",
    "= -1",
    "path_missing few_entries",
    n=7,
    notes="-1 whatever the number of violated margins",
)
hinge.breaks(
    "margin of the square",
    "(self.margins > 0).astype(float)",
    "2 * self.margins",
    "gradient_of_other_loss derivative_at_wrong_point",
)


@recipe("bce with logits", "loss object/forward", BCEWithLogits)
def bce(rng, BCEWithLogits, n=6, scale=2.0):
    return BCEWithLogits(), (
        scale * rng.normal(size=(n, 1)),
        rng.integers(0, 2, (n, 1)).astype(float),
    )


bce.also("saturated", scale=30.0)
bce.breaks(
    "sigmoid' on top",
    "(1 / (1 + np.exp(-self.z)) - self.t)",
    "(1 / (1 + np.exp(-self.z)) - self.t) * np.exp(-self.z) / (1 + np.exp(-self.z)) ** 2",
    "gradient_of_other_loss activation_derivative_missing softmax_jacobian_twice "
    "derivative_at_wrong_point",
    notes="squared error's gradient",
)
bce.breaks(
    "logits for probabilities",
    "(1 / (1 + np.exp(-self.z)) - self.t)",
    "(self.z - self.t)",
    "gradient_of_other_loss derivative_at_wrong_point",
)
bce.breaks("sum over samples", " / self.z.size", "", "factor_batch_size")
