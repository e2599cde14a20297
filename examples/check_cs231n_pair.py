"""Checks a pair of functions in the form of the CS231n assignments."""

from __future__ import annotations

import numpy as np

import gradcheck


def affine_relu_forward(x, w, b):
    a = x @ w + b
    return np.maximum(a, 0), (x, w, a)


def affine_relu_backward(dout, cache):
    x, w, a = cache
    da = dout * (a > 0)
    return da @ w.T, x.T @ da, da.sum(axis=0)


def forgetful_backward(dout, cache):
    x, w, _ = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def main():
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)
    print(gradcheck.check((affine_relu_forward, affine_relu_backward), x, w, b))
    print()
    print(gradcheck.check((affine_relu_forward, forgetful_backward), x, w, b))


if __name__ == "__main__":
    main()
