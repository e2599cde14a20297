"""Piecewise activations called like functions (``__call__``)."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.activations_smooth import simple
from benchmarks.corpus.case import recipe


class LeakyReLU:
    def __init__(self, alpha=0.1):
        self.alpha = alpha

    def __call__(self, x):
        self.x = x
        return np.where(x > 0, x, self.alpha * x)

    def backward(self, grad):
        return grad * np.where(self.x > 0, 1.0, self.alpha).astype(grad.dtype)


class ELU:
    def __init__(self, alpha=1.3):
        self.alpha = alpha

    def __call__(self, x):
        self.x = x
        self.negative = self.alpha * np.expm1(np.minimum(x, 0))
        return np.where(x > 0, x, self.negative)

    def backward(self, grad):
        return np.where(self.x > 0, grad, grad * (self.negative + self.alpha))


class HardTanh:
    def __call__(self, x):
        self.inside = (x > -1) & (x < 1)
        return np.clip(x, -1, 1)

    def backward(self, grad):
        return grad * self.inside


class Abs:
    def __call__(self, x):
        self.sign = np.sign(x)
        return np.abs(x)

    def backward(self, grad):
        return grad * self.sign


class PReLU:
    """One slope per feature, learned."""

    def __init__(self, a):
        self.a = a
        self.da = np.zeros_like(a)

    def __call__(self, x):
        self.x = x
        return np.maximum(x, 0) + self.a * np.minimum(x, 0)

    def backward(self, grad):
        self.da = (grad * np.minimum(self.x, 0)).sum(axis=0)
        return np.where(self.x > 0, grad, grad * self.a)


leaky = simple("leaky relu", LeakyReLU)
leaky.also("at zero", zeros=6)
leaky.also("float32", dtype=np.float32)
leaky.breaks(
    "slope forgotten",
    "np.where(self.x > 0, 1.0, self.alpha)",
    "np.where(self.x > 0, 1.0, 0)",
    "slope_wrong sign_dependent wrong_mask",
)
leaky.breaks(
    "slope 0.01",
    "np.where(self.x > 0, 1.0, self.alpha)",
    "np.where(self.x > 0, 1.0, 0.01)",
    "slope_wrong sign_dependent",
)
leaky.breaks(
    "slope everywhere",
    "np.where(self.x > 0, 1.0, self.alpha)",
    "np.full(self.x.shape, self.alpha)",
    "slope_wrong sign_dependent",
)
leaky.breaks(
    "sign test reversed",
    "np.where(self.x > 0, 1.0, self.alpha)",
    "np.where(self.x < 0, 1.0, self.alpha)",
    "slope_wrong wrong_mask sign_dependent",
)
elu = simple("elu", ELU)
elu.also("deeply negative", shift=-30.0)
elu.breaks(
    "alpha not added",
    "grad * (self.negative + self.alpha)",
    "grad * self.negative",
    "sign_dependent region_dependent derivative_at_wrong_point slope_wrong",
)
elu.breaks(
    "exp of x again",
    "grad * (self.negative + self.alpha)",
    "grad * np.exp(self.negative)",
    "sign_dependent derivative_at_wrong_point region_dependent",
)
hard_tanh = simple("hard tanh", HardTanh)
hard_tanh.breaks(
    "clip ignored",
    "grad * self.inside",
    "grad",
    "clip_ignored region_dependent mask_not_applied activation_derivative_missing",
)
hard_tanh.breaks(
    "upper side only",
    "(x > -1) & (x < 1)",
    "x < 1",
    "clip_ignored wrong_mask region_dependent sign_dependent",
)
hard_tanh.breaks(
    "clips the gradient",
    "grad * self.inside",
    "np.clip(grad, -1, 1)",
    "upstream_ignored clip_ignored region_dependent",
    notes="clips the wrong thing: not linear in the cotangent",
)
absolute = simple("abs", Abs, notes="none at zero")
absolute.also("at zero", zeros=4)
absolute.breaks(
    "sign forgotten",
    "grad * self.sign",
    "grad",
    "sign_dependent activation_derivative_missing slope_wrong",
)
absolute.breaks(
    "negatives to zero",
    "grad * self.sign",
    "grad * (self.sign > 0)",
    "sign_dependent slope_wrong region_dependent",
)


@recipe("prelu", "call/attributes", PReLU)
def prelu(rng, PReLU, n=5, d=4):
    return PReLU(rng.uniform(0.05, 0.4, d)), (rng.normal(size=(n, d)),)


prelu.breaks(
    "slopes from the positive side",
    "np.minimum(self.x, 0)).sum(axis=0)",
    "np.maximum(self.x, 0)).sum(axis=0)",
    "wrong_mask sign_dependent derivative_at_wrong_point",
    "a",
)
prelu.breaks(
    "one slope for all",
    "(grad * np.minimum(self.x, 0)).sum(axis=0)",
    "np.full_like(self.a, (grad * np.minimum(self.x, 0)).sum())",
    "summed_to_scalar",
    "a",
)
prelu.breaks("slope forgotten", "grad * self.a)", "0)", "slope_wrong sign_dependent")
