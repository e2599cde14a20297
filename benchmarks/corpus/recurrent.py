"""LSTM and GRU: packed gates, separate gates, single steps and whole sequences."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


def sigmoid(z):
    return 0.5 * (1 + np.tanh(0.5 * z))


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    a = x @ Wx + prev_h @ Wh + b
    ai, af, ao, ag = np.split(a, 4, axis=1)
    i, f, o, g = sigmoid(ai), sigmoid(af), sigmoid(ao), np.tanh(ag)
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    cache = (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)
    return (next_h, next_c), cache


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    tc = np.tanh(next_c)
    do = dnext_h * tc
    dc = dnext_c + dnext_h * o * (1 - tc**2)
    di, df, dg = dc * g, dc * prev_c, dc * i
    da = np.hstack([di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)])
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, da.sum(axis=0)


def lstm_forward(x, h0, Wx, Wh, b):
    h, c = h0, np.zeros_like(h0)
    hs, caches = [], []
    for t in range(x.shape[1]):
        (h, c), cache = lstm_step_forward(x[:, t], h, c, Wx, Wh, b)
        hs.append(h)
        caches.append(cache)
    return np.stack(hs, axis=1), caches


def lstm_backward(dh, caches):
    dx, dWx, dWh, db = [], 0, 0, 0
    dprev_h = dprev_c = 0 * dh[:, 0]
    for t in reversed(range(dh.shape[1])):
        dxt, dprev_h, dprev_c, dWxt, dWht, dbt = lstm_step_backward(
            dh[:, t] + dprev_h, dprev_c, caches[t]
        )
        dx.insert(0, dxt)
        dWx = dWx + dWxt
        dWh = dWh + dWht
        db = db + dbt
    return np.stack(dx, axis=1), dprev_h, dWx, dWh, db


class GRUCell:
    def __init__(self, W, U, b):
        self.params = {"W": W, "U": U, "b": b}
        self.grads = {}

    def forward(self, x, h):
        W, U, b = self.params["W"], self.params["U"], self.params["b"]
        r = sigmoid(x @ W[0] + h @ U[0] + b[0])
        z = sigmoid(x @ W[1] + h @ U[1] + b[1])
        n = np.tanh(x @ W[2] + (r * h) @ U[2] + b[2])
        self.cache = x, h, r, z, n
        return (1 - z) * n + z * h

    def backward(self, grad):
        x, h, r, z, n = self.cache
        W, U = self.params["W"], self.params["U"]
        dn = grad * (1 - z) * (1 - n**2)
        dz = grad * (h - n) * z * (1 - z)
        drh = dn @ U[2].T
        dr = drh * h * r * (1 - r)
        dh = grad * z + drh * r + dz @ U[1].T + dr @ U[0].T
        dx = dn @ W[2].T + dz @ W[1].T + dr @ W[0].T
        self.grads["W"] = np.stack([x.T @ d for d in (dr, dz, dn)])
        self.grads["U"] = np.stack([h.T @ dr, h.T @ dz, (r * h).T @ dn])
        self.grads["b"] = np.stack([d.sum(0) for d in (dr, dz, dn)])
        return dx, dh


class ElmanSum:
    """One number per sequence: the last state's projection; weights shared by every step."""

    def __init__(self, w, u, v):
        self.w, self.u, self.v = w, u, v
        self.dw, self.du, self.dv = (np.zeros_like(p) for p in (w, u, v))

    def forward(self, x):
        steps, n, _ = x.shape
        self.x, self.h = x, [np.zeros((n, self.u.shape[0]))]
        for t in range(steps):
            self.h.append(np.tanh(x[t] @ self.w + self.h[-1] @ self.u))
        return self.h[-1] @ self.v

    def backward(self, dy):
        self.dw[:], self.du[:] = 0, 0
        self.dv[:] = self.h[-1].T @ dy
        dx = np.zeros_like(self.x)
        dh = dy @ self.v.T
        for t in range(len(self.x) - 1, -1, -1):
            dz = dh * (1 - self.h[t + 1] ** 2)
            self.dw += self.x[t].T @ dz
            self.du += self.h[t].T @ dz
            dx[t] = dz @ self.w.T
            dh = dz @ self.u.T
        return dx


LSTM = (sigmoid, lstm_step_forward, lstm_step_backward, lstm_forward, lstm_backward)
LSTM_ALL = "x h0 Wx Wh b"


@recipe("lstm", "pair", *LSTM)
def lstm(rng, _sigmoid, _step, _back, forward, backward, n=2, t=4, d=3, h=4, dtype=float):
    shapes = (n, t, d), (n, h), (d, 4 * h), (h, 4 * h), (4 * h,)
    return (forward, backward), tuple((0.7 * rng.normal(size=s)).astype(dtype) for s in shapes)


lstm.also("float32", dtype=np.float32)
lstm.also("long", t=20)
lstm.also("one step, one sample", n=1, t=1)
lstm.breaks("cell path missing", "dc = dnext_c + dnext_h", "dc = dnext_h", "path_missing", LSTM_ALL)
lstm.breaks("hidden path missing", "dh[:, t] + dprev_h", "dh[:, t]", "path_missing", LSTM_ALL)
lstm.breaks(
    "gates exchanged",
    "np.hstack([di * i * (1 - i), df * f * (1 - f),",
    "np.hstack([df * f * (1 - f), di * i * (1 - i),",
    "wrong_index swapped",
    LSTM_ALL,
)
lstm.breaks(
    "forget gate", "df * f * (1 - f)", "0 * df", "path_missing few_entries zero_gradient", LSTM_ALL
)
lstm.breaks(
    "tanh' of candidate",
    "dg * (1 - g**2)",
    "dg",
    "activation_derivative_missing region_dependent",
    LSTM_ALL,
)
lstm.breaks(
    "sigmoid for tanh",
    "dg * (1 - g**2)",
    "dg * g * (1 - g)",
    "derivative_at_wrong_point region_dependent",
    LSTM_ALL,
)
lstm.breaks(
    "weights of the first step",
    "dWh = dWh + dWht",
    "dWh = dWht",
    "overwritten_not_accumulated path_missing",
    "Wh",
)
lstm.breaks(
    "sequence reversed", "np.stack(dx, axis=1)", "np.stack(dx[::-1], axis=1)", "wrong_index"
)
lstm.breaks(
    "tanh of cell",
    "dnext_h * o * (1 - tc**2)",
    "dnext_h * o * (1 - next_c**2)",
    "derivative_at_wrong_point",
    LSTM_ALL,
)


@recipe("gru cell", "object/dict", GRUCell)
def gru(rng, GRUCell, n=3, d=4, h=5):
    layer = GRUCell(*(0.6 * rng.normal(size=s) for s in ((3, d, h), (3, h, h), (3, h))))
    return layer, (rng.normal(size=(n, d)), rng.normal(size=(n, h)))


gru.breaks("direct path", "dh = grad * z + drh", "dh = drh", "path_missing", "h")
gru.breaks(
    "reset path",
    "dh = grad * z + drh * r +",
    "dh = grad * z + drh +",
    "path_missing derivative_at_wrong_point",
    "h",
)
gru.breaks(
    "update sign",
    "(h - n)",
    "(n - h)",
    "sign_flipped path_missing",
    "x h W U b",
    notes="sign of the update gate's block only",
)
gru.breaks("h for r*h", "(r * h).T @ dn", "h.T @ dn", "derivative_at_wrong_point few_entries", "U")
gru.breaks("U not transposed", "drh = dn @ U[2].T", "drh = dn @ U[2]", "transposed", "x h W U b")


@recipe("elman", "object/attributes", ElmanSum)
def elman(rng, ElmanSum, t=5, n=3, d=2, h=4, k=2):
    weights = (rng.normal(0, 0.5, s) for s in ((d, h), (h, h), (h, k)))
    return ElmanSum(*weights), (rng.normal(size=(t, n, d)),)


elman.breaks(
    "not reset",
    "self.dw[:], self.du[:] = 0, 0",
    "self.dw[:], self.du[:] = 1, 0",
    "additive_term upstream_ignored",
    "w",
    notes="starts from ones: a constant is added",
)
elman.breaks(
    "stops after one step",
    "            dh = dz @ self.u.T\n",
    "            dh = 0 * dz\n",
    "path_missing",
    "x w u",
)
elman.breaks(
    "one step too few",
    "range(len(self.x) - 1, -1, -1)",
    "range(len(self.x) - 1, 0, -1)",
    "path_missing few_entries",
    "x w",
)
elman.breaks(
    "last state",
    "self.h[t].T @ dz",
    "self.h[-1].T @ dz",
    "derivative_at_wrong_point wrong_index",
    "u",
)
