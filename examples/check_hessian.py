"""Checks a Hessian, a sparse Jacobian and a complex gradient, and differentiates by numbers."""

from __future__ import annotations

import numpy as np
from scipy.optimize import rosen, rosen_der, rosen_hess
from scipy.sparse import diags_array

import gradcheck


def hessian(x):
    H = rosen_hess(x)
    H[0, 1] = -H[0, 1]  # and H[1, 0] is as it was
    return H


def stencil(u):
    return -2 * u + np.roll(u, 1) + np.roll(u, -1)  # periodic


def jacobian(u):
    return diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(u.size, u.size))  # is not


def main():
    x, z = np.array([-1.2, 1.0, 0.7]), np.array([1 + 2j, -0.5 + 0.3j])
    print(gradcheck.check((rosen, rosen_der, hessian), x))
    u = np.linspace(0, 1, 12)
    print(gradcheck.check_jacobian(stencil, jacobian, u, sparsity=jacobian(u)))
    print(gradcheck.check((lambda z, w: z * w, lambda v, z, w: (v * w.conj(), v * z)), z, z[::-1]))
    print(gradcheck.hessian(rosen, x).value - rosen_hess(x))
    print(gradcheck.taylor_test((rosen, rosen_der), x))


if __name__ == "__main__":
    main()
