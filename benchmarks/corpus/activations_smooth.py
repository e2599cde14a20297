"""Smooth activations called like functions (``__call__``)."""

from __future__ import annotations

import numpy as np
from scipy.special import erf

from benchmarks.corpus.case import recipe


class Softplus:
    def __call__(self, x):
        self.x = x
        return np.logaddexp(0, x)

    def backward(self, grad):
        return grad / (1 + np.exp(-self.x))


class Tanh:
    def __call__(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, grad):
        return grad * (1 - self.y**2)


class Swish:
    """x * sigmoid(beta x) with a learned beta, a plain float."""

    def __init__(self, beta):
        self.beta = beta
        self.dbeta = 0.0

    def __call__(self, x):
        self.x = x
        self.s = 1 / (1 + np.exp(-self.beta * x))
        return x * self.s

    def backward(self, grad):
        slope = self.s * (1 - self.s)
        self.dbeta = np.sum(grad * self.x**2 * slope)
        return grad * (self.s + self.beta * self.x * slope)


class Norm:
    """Length of each row."""

    def __call__(self, x):
        self.x = x
        self.length = np.sqrt((x * x).sum(-1, keepdims=True))
        return self.length

    def backward(self, grad):
        safe = np.where(self.length == 0, 1, self.length)
        return grad * self.x / safe


class Erf:
    def __call__(self, x):
        self.x = x
        return erf(x)

    def backward(self, grad):
        return grad * 2 / np.sqrt(np.pi) * np.exp(-(self.x**2))


class Sinc:
    """sin(x) / x, one at zero."""

    def __call__(self, x):
        self.x = x
        return np.where(x == 0, 1.0, np.sin(x) / np.where(x == 0, 1, x))

    def backward(self, grad):
        x = np.where(self.x == 0, 1, self.x)
        return grad * np.where(self.x == 0, 0, (x * np.cos(x) - np.sin(x)) / x**2)


def simple(name, layer, *, shape=(4, 5), scale=1.5, notes=""):
    """A recipe of an activation without parameters."""

    def build(rng, layer, shape=shape, scale=scale, dtype=float, zeros=0, shift=0.0):
        x = np.asarray(shift + scale * rng.normal(size=shape), dtype)
        x.flat[:zeros] = 0
        return layer(), (x,)

    return recipe(name, "call/none", layer, notes=notes)(build)


softplus = simple("softplus", Softplus)
softplus.also("far", scale=200.0, notes="overflow-prone inputs, both tails")
softplus.breaks(
    "reversed",
    "np.exp(-self.x)",
    "np.exp(self.x)",
    "derivative_at_wrong_point sign_flipped",
    notes="sigmoid(-x) for sigmoid(x)",
)
softplus.breaks(
    "sigmoid' for sigmoid",
    "return grad / (1 + np.exp(-self.x))",
    "s = 1 / (1 + np.exp(-self.x))\n        return grad * s * (1 - s)",
    "derivative_at_wrong_point region_dependent",
)
softplus.breaks(
    "relu's",
    "return grad / (1 + np.exp(-self.x))",
    "return grad * (self.x > 0)",
    "derivative_at_wrong_point sign_dependent gradient_of_other_loss region_dependent",
    notes="the hard approximation's gradient",
)
tanh = simple("tanh", Tanh)
tanh.also("saturated", scale=30.0, notes="gradients of 1e-20 and exactly zero")
tanh.also("half precision", dtype=np.float16)
tanh.also("no dimensions", shape=())
tanh.breaks(
    "not squared",
    "1 - self.y**2",
    "1 - self.y",
    "derivative_at_wrong_point sign_dependent region_dependent",
)
tanh.breaks(
    "input for output",
    "self.y = np.tanh(x)\n        return self.y",
    "self.y = x\n        return np.tanh(x)",
    "derivative_at_wrong_point",
)
tanh.breaks("forgotten", "grad * (1 - self.y**2)", "grad", "activation_derivative_missing")
tanh.breaks(
    "applied twice", "(1 - self.y**2)", "(1 - np.tanh(self.y) ** 2)", "derivative_at_wrong_point"
)
tanh.breaks(
    "rounded",
    "(1 - self.y**2)",
    "(1 - np.round(self.y, 4) ** 2)",
    "uniformly_inaccurate precision_lost",
)
tanh.breaks(
    "cached in float32",
    "self.y = np.tanh(x)\n        return self.y",
    "self.y = np.tanh(x).astype(np.float32)\n        return np.tanh(x)",
    "precision_lost uniformly_inaccurate",
)
tanh.breaks(
    "returns float32",
    "return grad * (1 - self.y**2)",
    "return (grad * (1 - self.y**2)).astype(np.float32)",
    "wrong_dtype precision_lost uniformly_inaccurate",
)
tanh.breaks(
    "class-wide cache",
    "self.y = np.tanh(x)\n        return self.y",
    'if not hasattr(self, "y") or self.y.shape != np.shape(x):\n'
    "            self.y = np.tanh(x)\n        return np.tanh(x)",
    "stale_cache",
    notes="cache renewed only when the shape changes",
)
tanh.breaks(
    "noise in forward",
    "        return self.y\n",
    "        return self.y + 1e-3 * np.random.default_rng().standard_normal(np.shape(x))\n",
    "nondeterministic_forward",
)
error_function = simple("erf", Erf)
error_function.breaks(
    "factor of the integral",
    "grad * 2 / np.sqrt(np.pi) *",
    "grad *",
    "constant_factor",
    notes="2 / sqrt(pi) forgotten",
)
error_function.breaks(
    "sign in the exponent",
    "np.exp(-(self.x**2))",
    "np.exp(self.x**2)",
    "derivative_at_wrong_point region_dependent",
)
sinc = simple("sinc", Sinc, scale=3.0)
sinc.also("at zero", zeros=3)
sinc.breaks(
    "zero over zero",
    "x = np.where(self.x == 0, 1, self.x)\n        return grad * np.where(self.x == 0, 0, (x",
    "x = self.x\n        return grad * ((x",
    "not_finite",
    zeros=2,
)
norm = simple("row norm", Norm)
norm.also("a row of zeros", zeros=5, notes="at the tip of the cone: zero is a subgradient")
norm.breaks(
    "zero over zero",
    "self.x / safe",
    "self.x / self.length",
    "not_finite",
    and_edit={"        safe = np.where(self.length == 0, 1, self.length)\n": ""},
    zeros=5,
)
norm.breaks(
    "not divided",
    "self.x / safe",
    "self.x",
    "activation_derivative_missing derivative_at_wrong_point gradient_of_other_loss",
    notes="gradient of half the square",
)
norm.breaks(
    "squared", "self.x / safe", "2 * self.x", "gradient_of_other_loss activation_derivative_missing"
)
norm.breaks(
    "eps too large",
    "self.x / safe",
    "self.x / (safe + 1e-3)",
    "uniformly_inaccurate derivative_at_wrong_point additive_term",
    notes="eps in backward only",
)


@recipe("swish", "call/attributes", Swish)
def swish(rng, Swish, beta=1.7, shape=(4, 3)):
    return Swish(beta), (rng.normal(size=shape),)


swish.breaks(
    "beta not in chain",
    "self.s + self.beta * self.x * slope",
    "self.s + self.x * slope",
    "path_missing constant_factor",
)
swish.breaks(
    "gate's path", "grad * (self.s + self.beta * self.x * slope)", "grad * self.s", "path_missing"
)
swish.breaks(
    "beta averaged",
    "np.sum(grad * self.x**2",
    "np.mean(grad * self.x**2",
    "constant_factor",
    "beta",
)
swish.breaks(
    "x not squared",
    "self.x**2 * slope",
    "self.x * slope",
    "derivative_at_wrong_point constant_factor",
    "beta",
    notes="a single number: any factor fits",
)
