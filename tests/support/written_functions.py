"""Functions and pairs as people write them; ``k`` is 1 where they are right, 2 in one gradient."""

from __future__ import annotations

import numpy as np

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4))
W = RNG.normal(size=(4, 3))
B = RNG.normal(size=3)
W2 = RNG.normal(size=(3, 2))
B2 = RNG.normal(size=2)
LABELS = np.array([0, 2, 1, 1, 0])


def softmax_loss(scores, y):
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    n = len(y)
    d = p.copy()
    d[np.arange(n), y] -= 1
    return -np.log(p[np.arange(n), y]).mean(), d / n


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
    "training flag": (keyword_training, "gamma"),
}
