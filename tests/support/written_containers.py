"""Functions of parameters in dicts, lists and the like; ``k`` is 1 where they are right, else 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tests.support.written_functions import B2, LABELS, W2, B, W, X, softmax_loss


class Weights(NamedTuple):
    W: np.ndarray
    b: np.ndarray


@dataclass
class Model:
    W: np.ndarray
    b: np.ndarray


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


CONTAINERS = {
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
    "objective of a dict": (objective_of_a_dict, "b"),
    "callback with a dict": (callback_with_dict, "b"),
}
