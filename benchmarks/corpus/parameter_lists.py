"""Layers with lists ``params`` and ``grads``, gradients written in place: time layers of a book."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class MatMul:
    def __init__(self, W):
        self.params = [W]
        self.grads = [np.zeros_like(W)]
        self.x = None

    def forward(self, x):
        (W,) = self.params
        self.x = x
        return np.dot(x, W)

    def backward(self, dout):
        (W,) = self.params
        dx = np.dot(dout, W.T)
        dW = np.dot(self.x.T, dout)
        self.grads[0][...] = dW
        return dx


class Embedding:
    def __init__(self, W):
        self.params = [W]
        self.grads = [np.zeros_like(W)]
        self.idx = None

    def forward(self, idx):
        (W,) = self.params
        self.idx = idx
        return W[idx]

    def backward(self, dout):
        (dW,) = self.grads
        dW[...] = 0
        np.add.at(dW, self.idx, dout)
        return


class TimeRNN:
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]

    def forward(self, xs):
        Wx, Wh, b = self.params
        N, T = xs.shape[:2]
        H = Wh.shape[0]
        self.xs = xs
        self.hs = np.zeros((N, T + 1, H), dtype=xs.dtype)
        for t in range(T):
            self.hs[:, t] = np.tanh(xs[:, t] @ Wx + self.hs[:, t - 1] @ Wh + b)
        return self.hs[:, :T].copy()

    def backward(self, dhs):
        Wx, Wh, b = self.params
        N, T, H = dhs.shape
        dxs = np.empty_like(self.xs)
        dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
        dh = np.zeros((N, H), dtype=dhs.dtype)
        for t in reversed(range(T)):
            dt = (dhs[:, t] + dh) * (1 - self.hs[:, t] ** 2)
            db += dt.sum(axis=0)
            dWh += self.hs[:, t - 1].T @ dt
            dWx += self.xs[:, t].T @ dt
            dxs[:, t] = dt @ Wx.T
            dh = dt @ Wh.T
        for i, grad in enumerate((dWx, dWh, db)):
            self.grads[i][...] = grad
        return dxs


class WeightSum:
    def __init__(self):
        self.params, self.grads = [], []

    def forward(self, hs, a):
        self.cache = (hs, a)
        return np.sum(hs * a[:, :, None], axis=1)

    def backward(self, dc):
        hs, a = self.cache
        N, T, H = hs.shape
        dt = dc.reshape(N, 1, H).repeat(T, axis=1)
        dar = dt * hs
        dhs = dt * a[:, :, None]
        da = np.sum(dar, axis=2)
        return dhs, da


@recipe("matmul in list", "object/lists", MatMul)
def matmul(rng, MatMul, n=3, d=5, m=4, dtype=float):
    return MatMul(rng.normal(size=(d, m)).astype(dtype)), (rng.normal(size=(n, d)).astype(dtype),)


matmul.breaks(
    "never written", "self.grads[0][...] = dW", "grads = [dW]", "zero_gradient", "params[0]"
)
matmul.breaks(
    "dx through dW",
    "dx = np.dot(dout, W.T)",
    "dx = np.dot(dout, self.grads[0].T)",
    "zero_gradient stale_cache",
    notes="the gradient used for the weight: zeros at first",
)
matmul.breaks(
    "subtracted", "self.grads[0][...] = dW", "self.grads[0] -= dW", "sign_flipped", "params[0]"
)


@recipe("embedding in list", "object/lists", Embedding)
def embedding(rng, Embedding, words=7, dim=4, ids=(1, 3, 1, 5, 1, 0)):
    return Embedding(rng.normal(size=(words, dim))), (np.array(ids),)


embedding.also("unique ids", ids=(4, 2, 0))
embedding.also("sentences", ids=((1, 1, 2), (6, 1, 0)), notes="(batch, time) indices")
embedding.breaks(
    "repeats overwrite",
    "np.add.at(dW, self.idx, dout)",
    "dW[self.idx] = dout",
    "overwritten_not_accumulated",
    "params[0]",
)
embedding.breaks(
    "fancy +=",
    "np.add.at(dW, self.idx, dout)",
    "dW[self.idx] += dout",
    "overwritten_not_accumulated",
    "params[0]",
)
embedding.breaks(
    "shifted ids",
    "np.add.at(dW, self.idx, dout)",
    "np.add.at(dW, self.idx + 1, dout)",
    "wrong_index",
    "params[0]",
)
embedding.breaks(
    "loop stops early",
    "np.add.at(dW, self.idx, dout)",
    "for i, word in enumerate(self.idx[:-1]):\n            dW[word] += dout[i]",
    "path_missing few_entries last_sample_only",
    "params[0]",
    notes="the last id never counts",
)
embedding.breaks(
    "divided by count",
    "np.add.at(dW, self.idx, dout)",
    "np.add.at(dW, self.idx, dout)\n"
    "        dW /= np.maximum(np.bincount(self.idx, minlength=len(dW)), 1)[:, None]",
    "region_dependent constant_factor few_entries",
    "params[0]",
    notes="gradient of a word averaged over its occurrences",
)


@recipe("time rnn", "object/lists", TimeRNN)
def time_rnn(rng, TimeRNN, n=2, t=5, d=3, h=4, dtype=float):
    Wx, Wh = rng.normal(0, 0.6, (d, h)).astype(dtype), rng.normal(0, 0.6, (h, h)).astype(dtype)
    return TimeRNN(Wx, Wh, rng.normal(0, 0.1, h).astype(dtype)), (
        rng.normal(size=(n, t, d)).astype(dtype),
    )


time_rnn.also("float32", dtype=np.float32)
time_rnn.also("long", t=30)
time_rnn.also("one step", t=1)
time_rnn.breaks(
    "no recurrent gradient",
    "(dhs[:, t] + dh) *",
    "dhs[:, t] *",
    "path_missing",
    "x params[0] params[1] params[2]",
)
time_rnn.breaks(
    "overwritten per step",
    "dWh += self.hs",
    "dWh = self.hs",
    "overwritten_not_accumulated zero_gradient",
    "params[1]",
    notes="the first step is processed last, and its previous state is zero",
)
time_rnn.breaks(
    "input weights overwritten",
    "dWx += self.xs",
    "dWx = self.xs",
    "overwritten_not_accumulated path_missing",
    "params[0]",
)
time_rnn.breaks(
    "h_t for h_t-1",
    "self.hs[:, t - 1].T @ dt",
    "self.hs[:, t].T @ dt",
    "wrong_index derivative_at_wrong_point",
    "params[1]",
)
time_rnn.breaks(
    "tanh' missing",
    " * (1 - self.hs[:, t] ** 2)",
    "",
    "activation_derivative_missing",
    "x params[0] params[1] params[2]",
)
time_rnn.breaks(
    "tanh' of previous",
    "(1 - self.hs[:, t] ** 2)",
    "(1 - self.hs[:, t - 1] ** 2)",
    "derivative_at_wrong_point wrong_index",
    "x params[0] params[1] params[2]",
)
time_rnn.breaks(
    "Wh not transposed",
    "dh = dt @ Wh.T",
    "dh = dt @ Wh",
    "transposed",
    "x params[0] params[1] params[2]",
)
time_rnn.breaks(
    "truncated",
    "            dh = dt @ Wh.T\n",
    "            dh = dt @ Wh.T * (t % 3 != 0)\n",
    "path_missing",
    "x params[0] params[1] params[2]",
    t=7,
    notes="back-propagation cut every third step",
)
time_rnn.breaks(
    "bias averaged over steps",
    "db += dt.sum(axis=0)",
    "db += dt.sum(axis=0) / T",
    "constant_factor",
    "params[2]",
)
time_rnn.breaks(
    "skips the first step",
    "reversed(range(T))",
    "reversed(range(1, T))",
    "path_missing few_entries not_finite",
    "x params[0] params[2]",
    and_edit={"np.empty_like(self.xs)": "np.zeros_like(self.xs)"},
)


@recipe("weight sum", "object/lists", WeightSum)
def weight_sum(rng, WeightSum, n=3, t=4, h=5):
    return WeightSum(), (rng.normal(size=(n, t, h)), rng.dirichlet(np.ones(t), n))


weight_sum.breaks(
    "summed over time", "np.sum(dar, axis=2)", "np.sum(dar, axis=1)", "wrong_axis", "a", t=5
)
weight_sum.breaks(
    "not reduced", "da = np.sum(dar, axis=2)", "da = dar", "broadcast_not_reduced wrong_shape", "a"
)
weight_sum.breaks(
    "mean for sum", "np.sum(dar, axis=2)", "np.mean(dar, axis=2)", "constant_factor", "a"
)
weight_sum.breaks(
    "weights not applied",
    "dt * a[:, :, None]",
    "dt",
    "mask_not_applied path_missing wrong_axis",
    notes="gradient as if every weight were one",
)
