"""Attention with masks, and other products of several inputs."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class ScaledDotProductAttention:
    def __init__(self, mask=None):
        self.mask = mask

    def forward(self, q, k, v):
        scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
        if self.mask is not None:
            scores = np.where(self.mask, scores, -np.inf)
        scores = scores - scores.max(-1, keepdims=True)
        e = np.exp(scores)
        self.a = e / e.sum(-1, keepdims=True)
        self.q, self.k, self.v = q, k, v
        return self.a @ v

    def backward(self, grad):
        dv = self.a.swapaxes(-1, -2) @ grad
        da = grad @ self.v.swapaxes(-1, -2)
        ds = self.a * (da - (da * self.a).sum(-1, keepdims=True))
        ds /= np.sqrt(self.q.shape[-1])
        dq = ds @ self.k
        dk = ds.swapaxes(-1, -2) @ self.q
        return dq, dk, dv


class SelfAttention:
    """One head with its projections; causal."""

    def __init__(self, rng, width, head):
        names = ("Wq", "Wk", "Wv")
        self.params = {name: rng.normal(0, 0.5, (width, head)) for name in names}
        self.grads = {name: np.zeros((width, head)) for name in names}

    def forward(self, x):
        self.x = x
        self.q, self.k, self.v = (x @ self.params[n] for n in ("Wq", "Wk", "Wv"))
        s = self.q @ self.k.transpose(0, 2, 1) / self.q.shape[-1] ** 0.5
        s += np.triu(np.full(s.shape[1:], -np.inf), 1)
        w = np.exp(s - s.max(-1, keepdims=True))
        self.w = w / w.sum(-1, keepdims=True)
        return self.w @ self.v

    def backward(self, g):
        dw = g @ self.v.transpose(0, 2, 1)
        dv = self.w.transpose(0, 2, 1) @ g
        ds = self.w * (dw - np.sum(dw * self.w, -1, keepdims=True)) / self.q.shape[-1] ** 0.5
        dq, dk = ds @ self.k, ds.transpose(0, 2, 1) @ self.q
        dx = 0
        for name, d in (("Wq", dq), ("Wk", dk), ("Wv", dv)):
            self.grads[name][...] = np.einsum("btd,bth->dh", self.x, d)
            dx = dx + d @ self.params[name].T
        return dx


class MaskedMean:
    """Mean over time of the valid steps."""

    def __init__(self, lengths):
        self.lengths = lengths

    def forward(self, x):
        self.mask = np.arange(x.shape[1]) < self.lengths[:, None]
        return (x * self.mask[..., None]).sum(1) / self.lengths[:, None]

    def backward(self, g):
        return (g / self.lengths[:, None])[:, None, :] * self.mask[..., None]


class Gate:
    """x * sigmoid(y): two inputs of which one gates the other."""

    def forward(self, x, y):
        self.x, self.s = x, 1 / (1 + np.exp(-y))
        return x * self.s

    def backward(self, g):
        return g * self.s, g * self.x * self.s * (1 - self.s)


class BroadcastAdd:
    """(n, m) + (m,) + (n, 1): gradients summed over what was broadcast."""

    def forward(self, a, row, column):
        return a + row + column

    def backward(self, g):
        return g, g.sum(0), g.sum(1, keepdims=True)


@recipe("attention", "object/none", ScaledDotProductAttention)
def attention(rng, ScaledDotProductAttention, shape=(2, 4, 3), keys=5, values=3, masked=True):
    *lead, t, d = shape
    mask = rng.random((t, keys)) < 0.7
    mask[:, 0] = True
    layer = ScaledDotProductAttention(mask if masked else None)
    q, k = rng.normal(size=shape), rng.normal(size=(*lead, keys, d))
    return layer, (q, k, rng.normal(size=(*lead, keys, values)))


attention.also("unmasked", masked=False)
attention.also("heads", shape=(2, 2, 3, 4), keys=3)
attention.breaks(
    "scale forgotten", "        ds /= np.sqrt(self.q.shape[-1])\n", "", "constant_factor", "x k"
)
attention.breaks(
    "scale squared",
    "        ds /= np.sqrt(self.q.shape[-1])\n",
    "        ds /= self.q.shape[-1]\n",
    "constant_factor",
    "x k",
)
attention.breaks(
    "softmax diagonal",
    "self.a * (da - (da * self.a).sum(-1, keepdims=True))",
    "self.a * (1 - self.a) * da",
    "jacobian_diagonal_only",
    "x k",
)
attention.breaks(
    "softmax over queries",
    "(da * self.a).sum(-1, keepdims=True)",
    "(da * self.a).sum(-2, keepdims=True)",
    "wrong_axis",
    "x k",
)
attention.breaks(
    "q and k exchanged", "return dq, dk, dv", "return dk, dq, dv", "swapped", "x k", keys=4
)
attention.breaks(
    "softmax skipped",
    "ds = self.a * (da - (da * self.a).sum(-1, keepdims=True))",
    "ds = da",
    "activation_derivative_missing path_missing",
    "x k",
    masked=False,
)
attention.breaks(
    "values through transposed weights",
    "dv = self.a.swapaxes(-1, -2) @ grad",
    "dv = self.a @ grad",
    "transposed",
    "v",
    keys=4,
)
attention.breaks(
    "mask not used in backward",
    "self.a = e / e.sum(-1, keepdims=True)\n",
    "self.a = e / e.sum(-1, keepdims=True)\n"
    "        out = self.a @ v\n"
    "        free = np.exp(q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]))\n"
    "        self.a = free / free.sum(-1, keepdims=True)\n",
    "mask_not_applied derivative_at_wrong_point",
    "x k v",
    and_edit={"return self.a @ v\n": "return out\n"},
)


@recipe("causal self-attention", "object/dict", SelfAttention)
def self_attention(rng, SelfAttention, b=2, t=4, width=5, head=3):
    return SelfAttention(rng, width, head), (rng.normal(size=(b, t, width)),)


self_attention.also(
    "one token", t=1, notes="weights are exactly one: query and key gradients vanish"
)
self_attention.breaks(
    "value path of x",
    '(("Wq", dq), ("Wk", dk), ("Wv", dv))',
    '(("Wv", dv), ("Wq", dq), ("Wk", dk))',
    "path_missing",
    and_edit={"dx = dx + d @": 'dx = dx * (name != "Wq") + d @'},
)
self_attention.breaks(
    "x of the last branch", "dx = dx + d @", "dx = d @", "overwritten_not_accumulated path_missing"
)
self_attention.breaks(
    "keys for queries",
    "dq, dk = ds @ self.k, ds.transpose(0, 2, 1) @ self.q",
    "dq, dk = ds @ self.q, ds.transpose(0, 2, 1) @ self.k",
    "swapped derivative_at_wrong_point",
    "x Wq Wk",
)
self_attention.breaks(
    "last sentence",
    'np.einsum("btd,bth->dh", self.x, d)',
    "self.x[-1].T @ d[-1]",
    "last_sample_only overwritten_not_accumulated",
    "Wq Wk Wv",
)
self_attention.breaks(
    "scores not transposed", "ds.transpose(0, 2, 1) @ self.q", "ds @ self.q", "transposed", "x Wk"
)


@recipe("masked mean", "object/none", MaskedMean)
def masked_mean(rng, MaskedMean, lengths=(2, 5, 3), d=4):
    return MaskedMean(np.array(lengths)), (rng.normal(size=(len(lengths), max(lengths), d)),)


masked_mean.breaks(
    "mask forgotten",
    " * self.mask[..., None]\n",
    " * np.ones_like(self.mask[..., None])\n",
    "mask_not_applied",
)
masked_mean.breaks(
    "padding counted",
    "(g / self.lengths[:, None])",
    "(g / self.mask.shape[1])",
    "constant_factor region_dependent",
    notes="divided by the padded length: ratio differs per sample",
)
masked_mean.breaks(
    "mask one short",
    "[:, None, :] * self.mask[..., None]",
    "[:, None, :] * np.roll(self.mask, -1, 1)[..., None]",
    "wrong_mask wrong_index",
)


@recipe("gate", "object/none", Gate)
def gate(rng, Gate, shape=(4, 3)):
    return Gate(), tuple(rng.normal(size=(2, *shape)))


gate.breaks(
    "sigmoid' missing",
    "g * self.x * self.s * (1 - self.s)",
    "g * self.x",
    "activation_derivative_missing",
    "y",
)
gate.breaks(
    "gate not applied", "return g * self.s, g", "return g, g", "mask_not_applied path_missing", "x"
)
gate.breaks(
    "exchanged",
    "g * self.s, g * self.x * self.s * (1 - self.s)",
    "g * self.x * self.s * (1 - self.s), g * self.s",
    "swapped",
    "x y",
)


@recipe("broadcast add", "object/none", BroadcastAdd)
def broadcast_add(rng, BroadcastAdd, n=3, m=4):
    return BroadcastAdd(), (rng.normal(size=(n, m)), rng.normal(size=m), rng.normal(size=(n, 1)))


broadcast_add.breaks("row not reduced", "g.sum(0)", "g", "broadcast_not_reduced wrong_shape", "row")
broadcast_add.breaks(
    "column squeezed", "g.sum(1, keepdims=True)", "g.sum(1)", "wrong_shape", "column"
)
broadcast_add.breaks("row summed the other way", "g.sum(0)", "g.sum(1)", "wrong_axis", "row", n=4)
broadcast_add.breaks(
    "row to one number", "g.sum(0)", "np.full(g.shape[1], g.sum())", "summed_to_scalar", "row"
)
broadcast_add.breaks(
    "column's first entry",
    "g.sum(1, keepdims=True)",
    "g[:, :1]",
    "path_missing overwritten_not_accumulated",
    "column",
)
