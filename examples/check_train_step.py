"""Checks a training step as it is, against the loss it claims to descend."""

from __future__ import annotations

import numpy as np

import gradcheck

rng = np.random.default_rng(0)
X, y = rng.normal(size=(32, 6)), np.eye(4)[rng.integers(4, size=32)]
params = {"W": rng.normal(size=(6, 4)), "b": np.zeros(4)}


def predict(X):
    z = X @ params["W"] + params["b"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def train(learning_rate):
    delta = predict(X) - y  # summed over the batch, where the loss is the mean
    params["W"] -= learning_rate * X.T @ delta
    params["b"] -= learning_rate * delta.sum(axis=0)


def main():
    def loss():
        return -np.mean(np.sum(y * np.log(predict(X)), axis=1))

    known = {"predict": predict, "inputs": X, "targets": y}
    print(gradcheck.check_update(lambda: train(0.1), params, loss, learning_rate=0.1, **known))


if __name__ == "__main__":
    main()
