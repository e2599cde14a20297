"""Numbers of many magnitudes, zero gradients, fast oscillations."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class Polynomial:
    """c0 + c1 x + c2 x^2 + ..., by Horner's rule."""

    def __init__(self, coefficients):
        self.c = coefficients
        self.dc = np.zeros_like(coefficients)

    def forward(self, x):
        self.x = x
        y = np.zeros_like(x)
        for c in self.c[::-1]:
            y = y * x + c
        return y

    def backward(self, g):
        powers = self.x[None] ** np.arange(len(self.c)).reshape(-1, *[1] * self.x.ndim)
        self.dc = (powers * g).sum(tuple(range(1, powers.ndim)))
        slope = sum(k * self.c[k] * powers[k - 1] for k in range(1, len(self.c)))
        return g * slope


class ScaleShift:
    def __init__(self, scale, shift):
        self.params = [scale, shift]
        self.grads = [np.zeros_like(scale), np.zeros_like(shift)]

    def forward(self, x):
        self.x = x
        return self.params[0] * x + self.params[1]

    def backward(self, g):
        self.grads[0][:] = (g * self.x).sum(0)
        self.grads[1][:] = g.sum(0)
        return g * self.params[0]


class DeadRelu:
    """Every unit is off: all gradients are zero."""

    def __init__(self, W):
        self.W, self.b = W, np.full(W.shape[1], -100.0)
        self.dW = self.db = None

    def forward(self, x):
        self.x, self.z = x, x @ self.W + self.b
        return np.maximum(self.z, 0)

    def backward(self, g):
        g = g * (self.z > 0)
        self.dW, self.db = self.x.T @ g, g.sum(0)
        return g @ self.W.T


class Oscillating:
    """sin(k x): third derivatives of k^3."""

    def __init__(self, k):
        self.k = k

    def forward(self, x):
        self.x = x
        return np.sin(self.k * x)

    def backward(self, g):
        return g * self.k * np.cos(self.k * self.x)


@recipe("polynomial", "object/attributes", Polynomial)
def polynomial(rng, Polynomial, degree=4, shape=(5,), scale=1.0, dtype=float):
    return Polynomial(rng.normal(size=degree + 1).astype(dtype)), (
        (scale * rng.normal(size=shape)).astype(dtype),
    )


polynomial.also("high degree", degree=9)
polynomial.also("large inputs", scale=1e3)
polynomial.also("matrix float32", shape=(3, 2), dtype=np.float32)
polynomial.breaks(
    "power not lowered", "powers[k - 1]", "powers[k]", "derivative_at_wrong_point sign_dependent"
)
polynomial.breaks(
    "exponent not brought down",
    "k * self.c[k] *",
    "self.c[k] *",
    "unexplained derivative_at_wrong_point",
)
polynomial.breaks(
    "highest term",
    "range(1, len(self.c))",
    "range(1, len(self.c) - 1)",
    "path_missing",
    notes="loop range one too short",
)
polynomial.breaks(
    "constant's gradient",
    "self.dc = (powers * g).sum(tuple(range(1, powers.ndim)))",
    "self.dc = (powers * g).sum(tuple(range(1, powers.ndim)))\n        self.dc[0] = g[0]",
    "few_entries last_sample_only",
    "c",
)
polynomial.breaks(
    "coefficients reversed",
    "self.dc = (powers * g).sum(tuple(range(1, powers.ndim)))",
    "self.dc = (powers * g).sum(tuple(range(1, powers.ndim)))[::-1]",
    "wrong_index kernel_flipped",
    "c",
)


@recipe("scale and shift", "object/lists", ScaleShift)
def scale_shift(rng, ScaleShift, n=4, d=6, orders=5, dtype=float):
    scales = 10.0 ** np.linspace(-orders, orders, d)
    layer = ScaleShift(scales.astype(dtype), rng.normal(size=d).astype(dtype))
    return layer, ((rng.normal(size=(n, d)) / scales).astype(dtype),)


scale_shift.also("float32", orders=3, dtype=np.float32)
scale_shift.also("even", orders=0)
scale_shift.breaks(
    "smallest feature",
    "        return g * self.params[0]\n",
    "        self.grads[0][-1] *= 2\n        return g * self.params[0]\n",
    "few_entries factor_two",
    "params[0]",
    orders=2,
)
scale_shift.breaks(
    "input gradient unscaled",
    "return g * self.params[0]",
    "return g.copy()",
    "path_missing activation_derivative_missing wrong_axis",
    orders=1,
)
scale_shift.breaks(
    "shift not summed",
    "g.sum(0)",
    "g[-1]",
    "last_sample_only overwritten_not_accumulated",
    "params[1]",
    orders=1,
)


@recipe("dead relu", "object/attributes", DeadRelu, notes="all gradients exactly zero")
def dead(rng, DeadRelu, n=3, d=4, m=5):
    return DeadRelu(rng.normal(size=(d, m))), (rng.normal(size=(n, d)),)


dead.breaks(
    "leaks",
    "g = g * (self.z > 0)",
    "g = g * np.where(self.z > 0, 1, 0.01)",
    "wrong_mask slope_wrong mask_not_applied",
    "x W b",
    notes="the true gradient is zero everywhere",
)
dead.breaks(
    "mask missing",
    "        g = g * (self.z > 0)\n",
    "",
    "mask_not_applied activation_derivative_missing",
    "x W b",
)


@recipe("oscillating", "object/none", Oscillating)
def oscillating(rng, Oscillating, k=40.0, shape=(3, 3), dtype=float):
    return Oscillating(k), (rng.normal(size=shape).astype(dtype),)


oscillating.also("very fast", k=3000.0)
oscillating.also("float32", k=20.0, dtype=np.float32)
oscillating.breaks("inner derivative", "g * self.k * np", "g * np", "constant_factor")
oscillating.breaks("sign", "np.cos(self.k * self.x)", "-np.cos(self.k * self.x)", "sign_flipped")
oscillating.breaks(
    "sine", "np.cos(self.k * self.x)", "np.sin(self.k * self.x)", "derivative_at_wrong_point"
)
