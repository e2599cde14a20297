"""scikit-learn: its own losses, penalised linear losses, likelihoods of Gaussian processes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.field.item import Item, Package
from benchmarks.field.made import binary, drawn, integers, load, normal, uniform
from benchmarks.field.readings import Reading, value_and_gradient


def _elementwise(name: str, labels: Any, **options: Any) -> Item:
    def make() -> tuple:
        thing = load(f"sklearn._loss.loss:{name}")(**options)
        return (thing, *drawn((labels, normal(8))))

    def read(thing: Any, y: np.ndarray, raw: np.ndarray) -> Reading:
        return Reading(lambda: thing.loss(y, raw), lambda c: [c * thing.gradient(y, raw)], [raw])

    return Item(name, make, read)


def _linear(name: str, labels: Any, penalty: float) -> Item:
    def make() -> tuple:
        base = load(f"sklearn._loss.loss:{name}")()
        model = load("sklearn.linear_model._linear_loss:LinearModelLoss")(base, fit_intercept=True)
        x, y, at = drawn((normal(20, 3), labels, normal(4)))
        return (lambda coef: model.loss_gradient(coef, x, y, l2_reg_strength=penalty), at)

    functions = ("sklearn.linear_model._linear_loss:LinearModelLoss.loss_gradient",)
    return Item(f"LinearModelLoss of {name}", make, value_and_gradient, functions)


def _huber() -> tuple:
    f = load("sklearn.linear_model._huber:_huber_loss_and_gradient")
    x, y, at = drawn((normal(20, 3), normal(20), uniform(5)))
    return (f, at, x, y, 1.35, 0.1, np.ones(20))


def _t_sne() -> tuple:
    f = load("sklearn.manifold._t_sne:_kl_divergence")
    (at,) = drawn((normal(12),))
    p = np.random.default_rng(1).uniform(0.1, 1.0, 15)
    return (lambda params: f(params, p / (2 * p.sum()), 1.0, 6, 2, skip_num_points=0), at)


def _nca() -> tuple:
    model = load("sklearn.neighbors:NeighborhoodComponentsAnalysis")()
    model.n_iter_ = 1
    x, labels, at = drawn((normal(10, 3), integers(10, below=3), normal(6)))
    same = labels[:, None] == labels[None, :]
    return (lambda flat: model._loss_grad_lbfgs(flat, x, same, -1.0), at)


def _likelihood(kernel: Callable) -> Callable[[], tuple]:
    def make() -> tuple:
        kernels = load("sklearn.gaussian_process.kernels")
        x, y = drawn((normal(12, 2), normal(12)))
        model = load("sklearn.gaussian_process:GaussianProcessRegressor")(
            kernel(kernels), optimizer=None, alpha=0.1
        ).fit(x, y)
        at = np.asarray(model.kernel_.theta) + 0.3
        return (lambda theta: model.log_marginal_likelihood(theta, eval_gradient=True), at)

    return make


PROCESS = ("sklearn.gaussian_process._gpr:GaussianProcessRegressor.log_marginal_likelihood",)
KERNELS = "sklearn.gaussian_process.kernels"

PACKAGE = Package(
    "scikit-learn==1.9.1",
    (
        _elementwise("HalfSquaredError", normal(8)),
        _elementwise("AbsoluteError", normal(8)),
        _elementwise("PinballLoss", normal(8), quantile=0.3),
        _elementwise("HuberLoss", normal(8), delta=0.7),
        _elementwise("HalfPoissonLoss", uniform(8)),
        _elementwise("HalfGammaLoss", uniform(8)),
        _elementwise("HalfTweedieLoss", uniform(8), power=1.5),
        _elementwise("HalfBinomialLoss", binary(8)),
        _elementwise("ExponentialLoss", binary(8)),
        _linear("HalfSquaredError", normal(20), 0.3),
        _linear("HalfBinomialLoss", binary(20), 0.3),
        _linear("HalfPoissonLoss", uniform(20), 0.0),
        Item("Huber regression", _huber, value_and_gradient,
             ("sklearn.linear_model._huber:_huber_loss_and_gradient",)),
        Item("t-SNE", _t_sne, value_and_gradient, ("sklearn.manifold._t_sne:_kl_divergence",)),
        Item("NCA", _nca, value_and_gradient,
             ("sklearn.neighbors._nca:NeighborhoodComponentsAnalysis._loss_grad_lbfgs",)),
        Item("GP of RBF", _likelihood(lambda k: k.ConstantKernel(1.3) * k.RBF([0.8, 1.2])),
             value_and_gradient, (*PROCESS, f"{KERNELS}:RBF.__call__")),
        Item("GP of Matern", _likelihood(lambda k: k.Matern(0.9, nu=1.5) + k.WhiteKernel(0.2)),
             value_and_gradient, (f"{KERNELS}:Matern.__call__",)),
        Item("GP of RationalQuadratic", _likelihood(lambda k: k.RationalQuadratic(0.9, 1.4)),
             value_and_gradient, (f"{KERNELS}:RationalQuadratic.__call__",)),
    ),
    needs=("joblib==1.6.0", "narwhals==2.29.0"),
)  # fmt: skip
