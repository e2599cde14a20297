"""Layers about matrices: inverses, symmetric forms, groups, a weight with its optimiser inside."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class Inverse:
    def forward(self, A):
        self.inv = np.linalg.inv(A)
        return self.inv

    def backward(self, G):
        return -self.inv.T @ G @ self.inv.T


class SymmetricForm:
    """x^T S x per row, with S kept symmetric as (U + U^T) / 2."""

    def __init__(self, U):
        self.U = U
        self.dU = None

    def forward(self, x):
        self.x = x
        self.S = (self.U + self.U.T) / 2
        return np.einsum("ni,ij,nj->n", x, self.S, x)

    def backward(self, g):
        dS = np.einsum("n,ni,nj->ij", g, self.x, self.x)
        self.dU = (dS + dS.T) / 2
        return 2 * g[:, None] * (self.x @ self.S)


class GroupedLinear:
    """Each group of channels has its own matrix."""

    def __init__(self, weight):
        self.weight = weight
        self.weight_grad = np.zeros_like(weight)

    def forward(self, x):
        groups, d, _ = self.weight.shape
        self.xg = x.reshape(-1, groups, d)
        return np.einsum("ngd,gdk->ngk", self.xg, self.weight).reshape(len(x), -1)

    def backward(self, grad):
        groups, _, k = self.weight.shape
        gg = grad.reshape(-1, groups, k)
        self.weight_grad = np.einsum("ngd,ngk->gdk", self.xg, gg)
        return np.einsum("ngk,gdk->ngd", gg, self.weight).reshape(len(grad), -1)


class Momentum:
    """A dense layer whose optimiser state lives inside."""

    def __init__(self, W):
        self.W, self.dW, self.velocity = W, np.zeros_like(W), np.full_like(W, 0.3)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, g):
        self.dW = self.x.T @ g
        return g @ self.W.T


inverse = recipe("matrix inverse", "object/none", Inverse)(
    lambda rng, Inverse, n=4: (Inverse(), (rng.normal(size=(n, n)) + 3 * np.eye(n),))
)
inverse.breaks("sign", "-self.inv.T @ G", "self.inv.T @ G", "sign_flipped")
inverse.breaks(
    "not transposed", "-self.inv.T @ G @ self.inv.T", "-self.inv @ G @ self.inv", "transposed"
)
inverse.breaks(
    "one factor",
    "-self.inv.T @ G @ self.inv.T",
    "-self.inv.T @ G",
    "path_missing activation_derivative_missing",
)
inverse.breaks(
    "result transposed",
    "-self.inv.T @ G @ self.inv.T",
    "-(self.inv.T @ G @ self.inv.T).T",
    "transposed",
)
symmetric = recipe("symmetric form", "object/attributes", SymmetricForm)(
    lambda rng, SymmetricForm, n=5, d=4: (
        SymmetricForm(rng.normal(size=(d, d))),
        (rng.normal(size=(n, d)),),
    )
)
symmetric.breaks(
    "triangle only",
    "self.dU = (dS + dS.T) / 2",
    "self.dU = np.triu(dS)",
    "wrong_mask few_entries zero_gradient region_dependent",
    "U",
    notes="lower triangle left at zero",
)
symmetric.breaks(
    "triangle doubled",
    "self.dU = (dS + dS.T) / 2",
    "self.dU = dS + dS.T - np.diag(np.diag(dS))",
    "region_dependent factor_two",
    "U",
    notes="off-diagonal entries twice too large, diagonal right",
)
symmetric.breaks("one of two", "return 2 * g[:, None]", "return g[:, None]", "factor_two")
symmetric.breaks(
    "U for S",
    "(self.x @ self.S)",
    "(self.x @ self.U)",
    "unexplained transposed derivative_at_wrong_point path_missing",
)
grouped = recipe("grouped linear", "object/_grad", GroupedLinear)(
    lambda rng, GroupedLinear, n=3, g=2, d=3, k=4: (
        GroupedLinear(rng.normal(size=(g, d, k))),
        (rng.normal(size=(n, g * d)),),
    )
)
grouped.breaks(
    "groups exchanged",
    'np.einsum("ngd,ngk->gdk", self.xg, gg)',
    'np.einsum("ngd,ngk->gdk", self.xg, gg)[::-1]',
    "wrong_index kernel_flipped",
    "weight",
)
grouped.breaks(
    "first group only",
    'np.einsum("ngd,ngk->gdk", self.xg, gg)',
    'np.einsum("ngd,ngk->gdk", self.xg[:, :1], gg[:, :1]) * np.array([1, 0])[:, None, None]',
    "few_entries zero_gradient path_missing",
    "weight",
)
grouped.breaks(
    "interleaved",
    "gg = grad.reshape(-1, groups, k)",
    "gg = grad.reshape(-1, k, groups).swapaxes(1, 2)",
    "wrong_index transposed",
    "x weight",
)
momentum = recipe("optimiser inside", "object/attributes", Momentum)(
    lambda rng, Momentum, n=4, d=5, m=3: (
        Momentum(rng.normal(size=(d, m))),
        (rng.normal(size=(n, d)),),
    )
)
momentum.breaks(
    "velocity leaks",
    "self.dW = self.x.T @ g",
    "self.velocity = 0.9 * self.velocity + self.x.T @ g\n        self.dW = self.velocity",
    "additive_term upstream_ignored",
    "W",
    notes="momentum added to the gradient",
)
momentum.breaks(
    "learning rate leaks",
    "self.dW = self.x.T @ g",
    "self.dW = 0.1 * self.x.T @ g",
    "constant_factor",
    "W",
)
momentum.breaks(
    "step, not gradient",
    "self.dW = self.x.T @ g",
    "self.dW = -0.05 * self.x.T @ g",
    "constant_factor sign_flipped",
    "W",
)
momentum.breaks(
    "normalised",
    "self.dW = self.x.T @ g",
    "self.dW = self.x.T @ g\n        self.dW /= np.linalg.norm(self.dW)",
    "constant_factor upstream_ignored",
    "W",
    notes="gradient normalised to length one: not linear in the cotangent",
)
momentum.breaks(
    "sign only",
    "self.dW = self.x.T @ g",
    "self.dW = np.sign(self.x.T @ g)",
    "upstream_ignored",
    "W",
)
