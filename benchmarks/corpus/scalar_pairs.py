"""Pairs (f, grad) of a scalar function, as for an optimiser."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


def rosen(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosen_der(x):
    der = np.zeros_like(x)
    der[1:] += 200 * (x[1:] - x[:-1] ** 2)
    der[:-1] += -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    return der


class LogisticRegression:
    """Negative log-likelihood with an L2 penalty; the data are the object's."""

    def __init__(self, X, y, C):
        self.X, self.y, self.C = X, y, C

    def objective(self, w):
        margin = self.y * (self.X @ w)
        return np.logaddexp(0, -margin).sum() + 0.5 / self.C * w @ w

    def jac(self, w):
        margin = self.y * (self.X @ w)
        sigma = 1 / (1 + np.exp(margin))
        return -self.X.T @ (self.y * sigma) + w / self.C


def quadratic(A, c):
    def f(x):
        return 0.5 * x @ A @ x - c @ x

    def grad(x):
        return 0.5 * (A + A.T) @ x - c

    return f, grad


def logsumexp(x):
    top = x.max()
    return top + np.log(np.sum(np.exp(x - top)))


def logsumexp_grad(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def logdet(A):
    return np.linalg.slogdet(A)[1]


def logdet_grad(A):
    return np.linalg.inv(A).T


def gaussian_energy(params):
    """Minus log-likelihood of fixed data under mean and log standard deviation."""
    data = np.linspace(-2, 3, 11)
    mean, log_std = params
    z = (data - mean) / np.exp(log_std)
    return np.sum(0.5 * z**2 + log_std)


def gaussian_energy_grad(params):
    data = np.linspace(-2, 3, 11)
    mean, log_std = params
    z = (data - mean) / np.exp(log_std)
    return np.array([-np.sum(z) / np.exp(log_std), np.sum(1 - z**2)])


def lasso(w):
    return np.abs(w).sum() + 0.5 * np.sum((w - 1.5) ** 2)


def lasso_grad(w):
    return np.sign(w) + w - 1.5


def total_variation(image):
    rows, cols = np.diff(image, axis=0), np.diff(image, axis=1)
    return np.sum(np.sqrt(rows[:, :-1] ** 2 + cols[:-1] ** 2 + 1e-2))


def total_variation_grad(image):
    rows, cols = np.diff(image, axis=0)[:, :-1], np.diff(image, axis=1)[:-1]
    length = np.sqrt(rows**2 + cols**2 + 1e-2)
    grad = np.zeros_like(image)
    grad[1:, :-1] += rows / length
    grad[:-1, :-1] -= rows / length
    grad[:-1, 1:] += cols / length
    grad[:-1, :-1] -= cols / length
    return grad


@recipe("rosenbrock", "scalar pair", rosen, rosen_der)
def rosenbrock(rng, rosen, rosen_der, n=6):
    return (rosen, rosen_der), (rng.normal(size=n),)


rosenbrock.also("near the minimum", n=2)
rosenbrock.breaks("second term", " - 2 * (1 - x[:-1])", "", "path_missing additive_term")
rosenbrock.breaks("wrong shift", "der[1:] += 200", "der[:-1] += 200", "wrong_index")
rosenbrock.breaks("sign", "return der\n", "return -der\n", "sign_flipped")
rosenbrock.breaks(
    "overwrites", "der[:-1] += -400", "der[:-1] = -400", "overwritten_not_accumulated"
)


@recipe("logistic regression", "scalar pair", LogisticRegression)
def logistic(rng, LogisticRegression, n=20, d=5, c=0.5):
    model = LogisticRegression(rng.normal(size=(n, d)), rng.choice([-1.0, 1.0], n), c)
    return (model.objective, model.jac), (rng.normal(size=d),)


logistic.also("separated", c=1e6, d=3)
logistic.breaks("penalty forgotten", " + w / self.C", "", "additive_term")
logistic.breaks("penalty doubled", "+ w / self.C", "+ 2 * w / self.C", "additive_term")
logistic.breaks(
    "data sign",
    "-self.X.T",
    "self.X.T",
    "additive_term sign_flipped path_missing",
    notes="only the data term has the wrong sign: a = -n + 2w/C",
)
logistic.breaks(
    "averaged",
    "-self.X.T @ (self.y * sigma) + w / self.C",
    "(-self.X.T @ (self.y * sigma) + w / self.C) / len(self.y)",
    "constant_factor factor_batch_size",
)


@recipe("quadratic form", "scalar pair", quadratic)
def quadratic_form(rng, quadratic, n=7, spread=0):
    A = rng.normal(size=(n, n)) * 10.0 ** np.linspace(-spread, spread, n)[:, None]
    return quadratic(A, rng.normal(size=n)), (rng.normal(size=n),)


quadratic_form.also("ten orders", spread=5)
quadratic_form.breaks(
    "A not symmetric",
    "0.5 * (A + A.T) @ x",
    "A @ x",
    "transposed path_missing",
    notes="right for a symmetric A only",
)
quadratic_form.breaks(
    "half forgotten",
    "0.5 * (A + A.T) @ x",
    "(A + A.T) @ x",
    "additive_term path_missing factor_two",
)
quadratic_form.breaks("linear term", " @ x - c\n", " @ x\n", "additive_term path_missing")


@recipe("log-sum-exp", "scalar pair", logsumexp, logsumexp_grad)
def lse(rng, f, grad, n=6, scale=1.0):
    return (f, grad), (scale * rng.normal(size=n),)


lse.also("saturated", scale=100.0)
lse.breaks("not normalised", "return e / e.sum()", "return e", "constant_factor")
lse.breaks(
    "hard max",
    "return e / e.sum()",
    "return (x == x.max()).astype(float)",
    "gradient_of_other_loss derivative_at_wrong_point path_missing few_entries",
)


@recipe("log-determinant", "scalar pair", logdet, logdet_grad)
def log_determinant(rng, f, grad, n=4):
    return (f, grad), (rng.normal(size=(n, n)) + 2 * np.eye(n),)


log_determinant.breaks("not transposed", "np.linalg.inv(A).T", "np.linalg.inv(A)", "transposed")
log_determinant.breaks(
    "diagonal only",
    "np.linalg.inv(A).T",
    "np.diag(np.diag(np.linalg.inv(A)))",
    "jacobian_diagonal_only few_entries zero_gradient path_missing mask_not_applied",
    notes="off-diagonal entries left at zero",
)
log_determinant.breaks(
    "symmetrised",
    "np.linalg.inv(A).T",
    "0.5 * (np.linalg.inv(A) + np.linalg.inv(A).T)",
    "unexplained transposed",
)


@recipe("gaussian fit", "scalar pair", gaussian_energy, gaussian_energy_grad)
def gaussian(rng, f, grad):
    return (f, grad), (rng.normal(size=2),)


gaussian.breaks(
    "std for log std",
    "np.sum(1 - z**2)",
    "np.sum(1 - z**2) / np.exp(log_std)",
    "few_entries",
    notes="derivative in the other parametrisation",
)
gaussian.breaks(
    "order",
    "[-np.sum(z) / np.exp(log_std), np.sum(1 - z**2)]",
    "[np.sum(1 - z**2), -np.sum(z) / np.exp(log_std)]",
    "wrong_index swapped",
)


@recipe("lasso", "scalar pair", lasso, lasso_grad, notes="a kink exactly at zero entries")
def lasso_problem(rng, f, grad, n=8, zeros=3):
    w = rng.normal(size=n)
    w[:zeros] = 0
    return (f, grad), (w,)


lasso_problem.also("no zeros", zeros=0)
lasso_problem.breaks(
    "penalty's derivative",
    "np.sign(w) + w - 1.5",
    "np.ones_like(w) + w - 1.5",
    "sign_dependent region_dependent slope_wrong",
    zeros=0,
    n=14,
)
lasso_problem.breaks(
    "squared for absolute",
    "np.sign(w) + w - 1.5",
    "2 * w + w - 1.5",
    "gradient_of_other_loss derivative_at_wrong_point additive_term",
    zeros=0,
)
lasso_problem.breaks(
    "outside the subdifferential",
    "np.sign(w) + w",
    "np.where(w == 0, 3.0, np.sign(w)) + w",
    "few_entries region_dependent",
    notes="at zero any slope in [-1, 1] would do; 3 does not",
)


@recipe("total variation", "scalar pair", total_variation, total_variation_grad)
def variation(rng, f, grad, shape=(6, 9)):
    return (f, grad), (rng.normal(size=shape),)


variation.breaks(
    "border",
    "    grad[1:, :-1] += rows / length\n",
    "    grad[1:-1, :-1] += (rows / length)[:-1]\n",
    "region_dependent few_entries path_missing",
    notes="the last row's difference is forgotten",
)
variation.breaks(
    "axes exchanged",
    "grad[:-1, 1:] += cols / length",
    "grad[1:, :-1] += cols / length",
    "wrong_index",
)
