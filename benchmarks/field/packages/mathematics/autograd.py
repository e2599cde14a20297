"""autograd: pairs of a function and its ``grad``, whose vector-Jacobian products are by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.field.item import Item, Package
from benchmarks.field.made import drawn, load, normal, uniform
from benchmarks.field.readings import loss

VJPS = "autograd.numpy.numpy_vjps"


def _function(name: str, f: Callable[[Any, np.ndarray], Any], x: Any, *functions: str) -> Item:
    def make() -> tuple:
        numpy = load("autograd.numpy")
        return (
            (lambda x: f(numpy, x), load("autograd:grad")(lambda x: f(numpy, x))),
            *drawn((x,)),
        )

    return Item(name, make, loss(), functions)


PACKAGE = Package(
    "autograd==1.9.1",
    (
        _function("variance", lambda np_, x: np_.sum(np_.var(x, axis=0)), normal(5, 3),
                  f"{VJPS}:grad_np_var"),
        _function("standard deviation", lambda np_, x: np_.sum(np_.std(x, axis=1)), normal(5, 3),
                  f"{VJPS}:grad_np_std"),
        _function("mean", lambda np_, x: np_.sum(np_.mean(x, axis=0) ** 2), normal(5, 3),
                  f"{VJPS}:grad_np_mean"),
        _function("product", lambda np_, x: np_.sum(np_.prod(x, axis=1)), normal(4, 3),
                  f"{VJPS}:grad_np_prod"),
        _function("maximum", lambda np_, x: np_.sum(np_.max(x, axis=0)), normal(5, 3),
                  f"{VJPS}:grad_chooser"),
        _function("cumulative sum", lambda np_, x: np_.sum(np_.cumsum(x, axis=0) ** 2),
                  normal(5, 3), f"{VJPS}:grad_np_cumsum"),
        _function("sort", lambda np_, x: np_.sum(np_.sort(x) * np.arange(6.0)), normal(6),
                  f"{VJPS}:grad_sort"),
        _function("inner product", lambda np_, x: np_.sum(np_.inner(x, x[:2]) ** 2), normal(4, 3),
                  f"{VJPS}:grad_inner"),
        _function("tensor product", lambda np_, x: np_.sum(np_.tensordot(x, x, axes=1) ** 2),
                  normal(3, 3), f"{VJPS}:tensordot_adjoint_0", f"{VJPS}:tensordot_adjoint_1"),
        _function("inverse", lambda np_, x: np_.sum(np_.linalg.inv(x + 5 * np.eye(3)) ** 2),
                  normal(3, 3), "autograd.numpy.linalg:grad_inv"),
        _function("determinant", lambda np_, x: np_.linalg.slogdet(x + 5 * np.eye(3))[1],
                  normal(3, 3)),
        _function("solution", lambda np_, x: np_.sum(np_.linalg.solve(x + 5 * np.eye(3),
                  np.ones(3)) ** 2), normal(3, 3), "autograd.numpy.linalg:grad_solve"),
        _function("eigenvalues", lambda np_, x: np_.sum(np_.linalg.eigh(x @ x.T)[0] ** 3),
                  normal(3, 3), "autograd.numpy.linalg:grad_eigh"),
        _function("norm", lambda np_, x: np_.sum(np_.linalg.norm(x, axis=1)), normal(4, 3),
                  "autograd.numpy.linalg:grad_norm"),
        _function("cholesky", lambda np_, x: np_.sum(np_.linalg.cholesky(x @ x.T + np.eye(3))),
                  normal(3, 3), "autograd.numpy.linalg:grad_cholesky"),
        _function("logarithm", lambda np_, x: np_.sum(x * np_.log(x)), uniform(5, 3)),
    ),
)  # fmt: skip
