"""Attention, gates and cells of recurrent networks."""

from __future__ import annotations

import numpy as np

from benchmarks.twins.layer import layer

SCALE = 0.5


def logistic(x):
    return 1 / (1 + np.exp(-x))


def attention_forward(q, k, v):
    scores = SCALE * (q @ k.T)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p @ v, (q, k, v, p)


def attention_backward(grad, saved):
    q, k, v, p = saved
    dv = p.T @ grad
    dp = grad @ v.T
    ds = p * (dp - (dp * p).sum(axis=1, keepdims=True))
    dq = SCALE * (ds @ k)
    dk = SCALE * (ds.T @ q)
    return dq, dk, dv


attention = layer(attention_forward, attention_backward, q=(5, 4), k=(5, 4), v=(5, 3))
attention.breaks("scale forgotten in dk", "SCALE * (ds.T @ q)", "ds.T @ q",
                 "constant_factor factor_two")  # fmt: skip
attention.breaks("scale forgotten in dq", "SCALE * (ds @ k)", "ds @ k", "constant_factor "
                 "factor_two")  # fmt: skip
attention.breaks("p not transposed", "p.T @ grad", "p @ grad", "transposed")
attention.breaks("ds not transposed", "ds.T @ q", "ds @ q", "transposed")
attention.breaks("softmax diagonal", "p * (dp - (dp * p).sum(axis=1, keepdims=True))",
                 "p * (1 - p) * dp", "jacobian_diagonal_only")  # fmt: skip
attention.breaks("normalisation ignored", "p * (dp - (dp * p).sum(axis=1, keepdims=True))",
                 "p * dp", "path_missing jacobian_diagonal_only")  # fmt: skip
attention.breaks("softmax left out", "p * (dp - (dp * p).sum(axis=1, keepdims=True))", "dp",
                 "activation_derivative_missing path_missing")  # fmt: skip
attention.breaks("softmax by columns", "(dp * p).sum(axis=1, keepdims=True)",
                 "(dp * p).sum(axis=0, keepdims=True)", "wrong_axis samples_mixed")  # fmt: skip
attention.breaks("q for k", "dq = SCALE * (ds @ k)", "dq = SCALE * (ds @ q)", "wrong_index swapped "
                 "derivative_at_wrong_point")  # fmt: skip


def causal_attention_forward(q, k, v):
    mask = np.tril(np.ones_like(q @ k.T))
    scores = np.where(mask > 0, SCALE * (q @ k.T), -1e9)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p @ v, (q, k, v, p)


def causal_attention_backward(grad, saved):
    q, k, v, p = saved
    dv = p.T @ grad
    dp = grad @ v.T
    ds = SCALE * p * (dp - (dp * p).sum(axis=1, keepdims=True))
    dq = ds @ k
    dk = ds.T @ q
    return dq, dk, dv


causal_attention = layer(
    causal_attention_forward, causal_attention_backward, q=(4, 3), k=(4, 3), v=(4, 3)
)
causal_attention.breaks("scale forgotten", "ds = SCALE * p", "ds = p", "constant_factor factor_two")
causal_attention.breaks("dv unweighted", "dv = p.T @ grad", "dv = np.tril(np.ones_like(p)).T @ "
                        "grad", "path_missing derivative_at_wrong_point mask_not_applied "
                        "activation_derivative_missing")  # fmt: skip
causal_attention.breaks("the last key left out", "dk = ds.T @ q",
                        "dk = np.tril(ds, -1).T @ q", "wrong_mask path_missing wrong_index "
                        "region_dependent")  # fmt: skip
causal_attention.breaks("normalisation ignored", "dp - (dp * p).sum(axis=1, keepdims=True)", "dp",
                        "path_missing jacobian_diagonal_only")  # fmt: skip


def rnn_cell_forward(x, h, w, u, b):
    new = np.tanh(x @ w + h @ u + b)
    return new, (x, h, w, u, new)


def rnn_cell_backward(grad, saved):
    x, h, w, u, new = saved
    da = grad * (1 - new**2)
    dx = da @ w.T
    dh = da @ u.T
    dw = x.T @ da
    du = h.T @ da
    db = da.sum(axis=0)
    return dx, dh, dw, du, db


rnn_cell = layer(rnn_cell_forward, rnn_cell_backward, x=(4, 3), h=(4, 3), w=(3, 3), u=(3, 3),
                 b=(3,))  # fmt: skip
rnn_cell.breaks("of the old state", "1 - new**2", "1 - h**2", "derivative_at_wrong_point")
rnn_cell.breaks("w for u", "dh = da @ u.T", "dh = da @ w.T", "swapped wrong_index "
                "derivative_at_wrong_point")  # fmt: skip
rnn_cell.breaks("u not transposed", "da @ u.T", "da @ u", "transposed")
rnn_cell.breaks("bias past tanh", "da.sum(axis=0)", "grad.sum(axis=0)",
                "activation_derivative_missing")  # fmt: skip
rnn_cell.breaks("x for h", "du = h.T @ da", "du = x.T @ da", "swapped wrong_index "
                "derivative_at_wrong_point")  # fmt: skip


def gru_cell_forward(x, h, wz, wn, uz, un):
    z = logistic(x @ wz + h @ uz)
    n = np.tanh(x @ wn + h @ un)
    return (1 - z) * n + z * h, (x, h, wz, wn, uz, un, z, n)


def gru_cell_backward(grad, saved):
    x, h, wz, wn, uz, un, z, n = saved
    dz = grad * (h - n) * z * (1 - z)
    dn = grad * (1 - z) * (1 - n**2)
    dx = dz @ wz.T + dn @ wn.T
    dh = dz @ uz.T + dn @ un.T + grad * z
    dwz = x.T @ dz
    dwn = x.T @ dn
    duz = h.T @ dz
    dun = h.T @ dn
    return dx, dh, dwz, dwn, duz, dun


gru_cell = layer(
    gru_cell_forward, gru_cell_backward,
    x=(4, 3), h=(4, 3), wz=(3, 3), wn=(3, 3), uz=(3, 3), un=(3, 3),
)  # fmt: skip
gru_cell.breaks("straight path", " + grad * z\n", "\n", "path_missing")
gru_cell.breaks("n - h", "h - n", "n - h", "sign_flipped")
gru_cell.breaks("h alone", "(h - n)", "h", "path_missing derivative_at_wrong_point")
gru_cell.breaks("tanh's slope", "1 - n**2", "1 - n", "derivative_at_wrong_point "
                "activation_derivative_missing")  # fmt: skip
gru_cell.breaks("gate exchanged", "grad * (1 - z) * (1", "grad * z * (1",
                "derivative_at_wrong_point swapped")  # fmt: skip
gru_cell.breaks("gate of x alone", "dz @ uz.T + dn @ un.T", "dn @ un.T", "path_missing")


def lstm_cell_forward(x, c, wi, wf, wg):
    i = logistic(x @ wi)
    f = logistic(x @ wf)
    g = np.tanh(x @ wg)
    return f * c + i * g, (x, c, wi, wf, wg, i, f, g)


def lstm_cell_backward(grad, saved):
    x, c, wi, wf, wg, i, f, g = saved
    dc = grad * f
    di = grad * g * i * (1 - i)
    df = grad * c * f * (1 - f)
    dg = grad * i * (1 - g**2)
    dx = di @ wi.T + df @ wf.T + dg @ wg.T
    return dx, dc, x.T @ di, x.T @ df, x.T @ dg


lstm_cell = layer(
    lstm_cell_forward, lstm_cell_backward, x=(4, 3), c=(4, 5), wi=(3, 5), wf=(3, 5), wg=(3, 5)
)
lstm_cell.breaks("forget gate of the input", "dc = grad * f", "dc = grad * i",
                 "derivative_at_wrong_point swapped wrong_index")  # fmt: skip
lstm_cell.breaks("candidate's slope", "1 - g**2", "g * (1 - g)", "derivative_at_wrong_point "
                 "activation_derivative_missing")  # fmt: skip
lstm_cell.breaks("forget gate left out of dx", " + df @ wf.T", "", "path_missing")
lstm_cell.breaks("gates exchanged", "x.T @ di, x.T @ df", "x.T @ df, x.T @ di", "swapped")
lstm_cell.breaks("slope left out", "grad * c * f * (1 - f)", "grad * c",
                 "activation_derivative_missing")  # fmt: skip


def gated_forward(x, w, v):
    a, s = x @ w, logistic(x @ v)
    return a * s, (x, w, v, a, s)


def gated_backward(grad, saved):
    x, w, v, a, s = saved
    da = grad * s
    ds = grad * a * s * (1 - s)
    dx = da @ w.T + ds @ v.T
    return dx, x.T @ da, x.T @ ds


gated = layer(gated_forward, gated_backward, x=(5, 4), w=(4, 3), v=(4, 3))
gated.breaks("gate left out of dx", " + ds @ v.T", "", "path_missing")
gated.breaks("replaced", "da @ w.T + ds @ v.T", "ds @ v.T", "path_missing "
             "overwritten_not_accumulated")  # fmt: skip
gated.breaks("gate's slope", "grad * a * s * (1 - s)", "grad * a", "activation_derivative_missing")
gated.breaks("gate for value", "da = grad * s", "da = grad * a", "derivative_at_wrong_point "
             "swapped")  # fmt: skip
gated.breaks("v for w", "da @ w.T", "da @ v.T", "wrong_index swapped "
             "derivative_at_wrong_point")  # fmt: skip
