"""Checks gradients where they are meant: within a set, at several points, beside a reference."""

from __future__ import annotations

import numpy as np
from scipy.sparse.linalg import LinearOperator

import gradcheck


def log_det(S):
    return np.linalg.slogdet(S)[1]


def softplus(x):
    return np.log1p(np.exp(x)) + 1e-6  # an epsilon too many


def slope(x):
    return 1 / (1 + np.exp(-x))


def main():
    S, x = np.array([[2.0, 0.3], [0.3, 1.0]]), np.linspace(-1, 1, 5)
    print(gradcheck.check((log_det, np.linalg.inv), S, constraint="spd"))
    print(gradcheck.check((log_det, lambda S: 2 * np.linalg.inv(S)), S, constraint="symmetric"))
    print(gradcheck.check((np.abs, np.sign), points=[(x + 3,), (x,)]))
    print(gradcheck.check((softplus, slope), x, reference=lambda x: np.logaddexp(0, x)))
    shift = LinearOperator((5, 5), matvec=lambda v: v + 1, rmatvec=lambda v: v, dtype=float)
    print(gradcheck.check(shift))  # affine, and no operator
    wrong = (lambda x: np.sum(x**2), lambda x: x)
    print(gradcheck.assert_gradients(wrong, x, xfail={"x": "the half is meant"}))


if __name__ == "__main__":
    main()
