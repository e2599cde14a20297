"""Functions and pairs as people write them; ``k`` is 1 where they are right, 2 in one gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4))
W = RNG.normal(size=(4, 3))
B = RNG.normal(size=3)
W2 = RNG.normal(size=(3, 2))
B2 = RNG.normal(size=2)
LABELS = np.array([0, 2, 1, 1, 0])


class Weights(NamedTuple):
    W: np.ndarray
    b: np.ndarray


@dataclass
class Model:
    W: np.ndarray
    b: np.ndarray


def softmax_loss(scores, y):
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    n = len(y)
    d = p.copy()
    d[np.arange(n), y] -= 1
    return -np.log(p[np.arange(n), y]).mean(), d / n


def dict_of_parameters(k):
    def loss(params, X, y):
        value, d = softmax_loss(X @ params["W1"] + params["b1"], y)
        return value, {"W1": X.T @ d, "b1": k * d.sum(0)}

    return loss, ({"W1": W, "b1": B}, X, LABELS)


def dict_of_parameters_last(k):
    def loss(X, y, params):
        value, d = softmax_loss(X @ params["W1"] + params["b1"], y)
        return value, {"dW1": X.T @ d, "db1": k * d.sum(0)}

    return loss, (X, LABELS, {"W1": W, "b1": B})


def list_of_dicts(k):
    def loss(params, X, y):
        h = np.tanh(X @ params[0]["W"] + params[0]["b"])
        value, d = softmax_loss(h @ params[1]["W"] + params[1]["b"], y)
        dh = d @ params[1]["W"].T * (1 - h**2)
        return value, [
            {"W": X.T @ dh, "b": dh.sum(0)},
            {"W": h.T @ d, "b": k * d.sum(0)},
        ]

    return loss, ([{"W": W, "b": B}, {"W": W2, "b": B2}], X, LABELS % 2)


def list_of_pairs(k):
    def loss(params, batch):
        X, y = batch
        (w1, b1), (w2, b2) = params
        h = np.tanh(X @ w1 + b1)
        value, d = softmax_loss(h @ w2 + b2, y)
        dh = d @ w2.T * (1 - h**2)
        return value, [(k * (X.T @ dh), dh.sum(0)), (h.T @ d, d.sum(0))]

    return loss, ([(W, B), (W2, B2)], (X, LABELS % 2))


def pair_with_dict(k):
    def forward(x, params):
        return np.tanh(x @ params["W"] + params["b"]), (x, params)

    def backward(dout, cache):
        x, params = cache
        dz = dout * (1 - np.tanh(x @ params["W"] + params["b"]) ** 2)
        return dz @ params["W"].T, {"W": x.T @ dz, "b": k * dz.sum(0)}

    return (forward, backward), (X, {"W": W, "b": B})


def pair_with_flat_dict(k):
    def forward(x, p):
        return x @ p["W"] + p["b"], (x, p)

    def backward(dout, cache):
        x, p = cache
        return {"dx": dout @ p["W"].T, "dW": k * x.T @ dout, "db": dout.sum(0)}

    return (forward, backward), (X, {"W": W, "b": B})


def pair_with_list(k):
    def forward(x, params):
        w, b = params
        return x @ w + b, (x, w)

    def backward(dout, cache):
        x, w = cache
        return dout @ w.T, [x.T @ dout, k * dout.sum(0)]

    return (forward, backward), (X, [W, B])


def pair_returning_three(k):
    def forward(x, params):
        return x @ params["W"] + params["b"], (x, params)

    def backward(dout, cache):
        x, params = cache
        return dout @ params["W"].T, k * x.T @ dout, dout.sum(0)

    return (forward, backward), (X, {"W": W, "b": B})


def parameters_first(k):
    def forward(params, x):
        return x @ params.W + params.b

    def backward(params, x, dout):
        return Weights(k * x.T @ dout, dout.sum(0)), dout @ params.W.T

    return (forward, backward), (Weights(W, B), X)


def dataclass_of_parameters(k):
    def loss(model, X, y):
        value, d = softmax_loss(X @ model.W + model.b, y)
        return value, Model(X.T @ d, k * d.sum(0))

    return loss, (Model(W, B), X, LABELS)


def lstm_like(k):
    def step_forward(x, h, c, Wx, Wh):
        z = x @ Wx + h @ Wh
        g = np.tanh(z)
        next_c = 0.5 * c + g
        next_h = np.tanh(next_c)
        return next_h, next_c, (x, h, g, next_h, Wx, Wh)

    def step_backward(dnext_h, dnext_c, cache):
        x, h, g, next_h, Wx, Wh = cache
        dc = dnext_c + dnext_h * (1 - next_h**2)
        dz = dc * (1 - g**2)
        return dz @ Wx.T, dz @ Wh.T, 0.5 * dc, x.T @ dz, k * h.T @ dz

    h = RNG.normal(size=(5, 3))
    return (step_forward, step_backward), (X, h, h[::-1].copy(), W, RNG.normal(size=(3, 3)))


def states_together(k):
    def forward(x, w):
        h = np.tanh(x @ w)
        return h, h**2, (x, w, h)

    def backward(grads, cache):
        dh, dc = grads
        x, w, h = cache
        dz = (dh + 2 * h * dc) * (1 - h**2)
        return dz @ w.T, k * x.T @ dz

    return (forward, backward), (X, W)


def nested_outputs(k):
    def forward(x, w):
        h = np.tanh(x @ w)
        return (h, h.sum(0)), (x, w, h)

    def backward(douts, cache):
        dh, ds = douts
        x, w, h = cache
        dz = (dh + ds) * (1 - h**2)
        return dz @ w.T, k * x.T @ dz

    return (forward, backward), (X, W)


def two_caches(k):
    def forward(x, w, b):
        z = x @ w + b
        return np.maximum(z, 0), (x, w, b), z

    def backward(dA, linear_cache, activation_cache):
        x, w, _ = linear_cache
        dz = dA * (activation_cache > 0)
        return dz @ w.T, x.T @ dz, k * dz.sum(0)

    return (forward, backward), (X, W, B)


def cache_first(k):
    def forward(x, w):
        return x @ w, {"x": x, "w": w}

    def backward(cache, dZ):
        return {"dX": dZ @ cache["w"].T, "dW": k * cache["x"].T @ dZ}

    return (forward, backward), (X, W)


def no_cache(k):
    def forward(x, w, b):
        return x @ w + b

    def backward(x, w, b, grad_output):
        return grad_output @ w.T, k * x.T @ grad_output, grad_output.sum(0)

    return (forward, backward), (X, W, B)


def loss_and_prime(k):
    def mse(y_true, y_pred):
        return np.mean(np.power(y_true - y_pred, 2))

    def mse_prime(y_true, y_pred):
        return k * 2 * (y_pred - y_true) / np.size(y_true)

    return (mse, mse_prime), (np.eye(3)[LABELS], RNG.normal(size=(5, 3)))


def activation_with_flag(k):
    def sigmoid(x, derivative=False):
        s = 1 / (1 + np.exp(-x))
        return k * s * (1 - s) if derivative else s

    return sigmoid, (X,)


def loss_with_three(k):
    def loss(W, b, X, y):
        value, d = softmax_loss(X @ W + b, y)
        return value, X.T @ d, k * d.sum(0)

    return loss, (W, B, X, LABELS)


def gradients_as_list(k):
    def loss(W, b, X, y):
        value, d = softmax_loss(X @ W + b, y)
        return value, [X.T @ d, k * d.sum(0)]

    return loss, (W, B, X, LABELS)


def objective_of_a_dict(k):
    def f(params, X, y):
        return softmax_loss(X @ params["W"] + params["b"], y)[0]

    def grad(params, X, y):
        d = softmax_loss(X @ params["W"] + params["b"], y)[1]
        return {"W": X.T @ d, "b": k * d.sum(0)}

    return (f, grad), ({"W": W, "b": B}, X, LABELS)


def callback_with_dict(k):
    def layer(x, params):
        y = np.tanh(x @ params["W"] + params["b"])

        def backprop(dy):
            dz = dy * (1 - y**2)
            return dz @ params["W"].T, {"W": x.T @ dz, "b": k * dz.sum(0)}

        return y, backprop

    return layer, (X, {"W": W, "b": B})


def keyword_training(k):
    def forward(x, gamma, train=True):
        scale = 2.0 if train else 1.0
        return scale * x * gamma, (x, gamma, scale)

    def backward(dout, cache):
        x, gamma, scale = cache
        return scale * dout * gamma, k * scale * (dout * x).sum(0)

    return (forward, backward), (X, np.ones(4))


# what it is: its maker and the tensor whose gradient a k of 2 spoils
FUNCTIONS = {
    "dict of parameters": (dict_of_parameters, "b1"),
    "dict of parameters, last": (dict_of_parameters_last, "b1"),
    "list of dicts": (list_of_dicts, "params[1].b"),
    "list of pairs": (list_of_pairs, "params[0][0]"),
    "pair with a dict": (pair_with_dict, "b"),
    "pair with a flat dict": (pair_with_flat_dict, "W"),
    "pair with a list": (pair_with_list, "params[1]"),
    "pair with a dict returning three": (pair_returning_three, "W"),
    "parameters first, in a named tuple": (parameters_first, "W"),
    "dataclass of parameters": (dataclass_of_parameters, "b"),
    "two outputs and a cache": (lstm_like, "Wh"),
    "cotangents in a tuple": (states_together, "w"),
    "outputs in a tuple": (nested_outputs, "w"),
    "two caches": (two_caches, "b"),
    "cache first": (cache_first, "w"),
    "no cache": (no_cache, "w"),
    "loss and its prime": (loss_and_prime, "y_pred"),
    "activation with a flag": (activation_with_flag, "x"),
    "loss and gradients side by side": (loss_with_three, "b"),
    "loss and a list of gradients": (gradients_as_list, "b"),
    "objective of a dict": (objective_of_a_dict, "b"),
    "callback with a dict": (callback_with_dict, "b"),
    "training flag": (keyword_training, "gamma"),
}
