"""GPy: links and likelihoods of Gaussian processes, models with value and gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.field.item import RIGHT, Item, Package
from benchmarks.field.made import binary, drawn, integers, load, normal, uniform
from benchmarks.field.readings import elementwise, value_and_gradient

LINKS = "GPy.likelihoods.link_functions"


def _link(name: str, f: str, g: str, x: Any = None, truth: str = RIGHT, **known: Any) -> Item:
    def make() -> tuple:
        thing = load(f"{LINKS}:{name}")()
        return ((getattr(thing, f), getattr(thing, g)), *drawn((x or normal(8),)))

    return Item(f"{name} {f}", make, elementwise(), (f"{LINKS}:{name}.{g}",), truth, **known)


def _likelihood(name: str, labels: Any, f: Any = None, **known: Any) -> Item:
    def make() -> tuple:
        thing = load(f"GPy.likelihoods:{name}")()
        return ((thing.logpdf_link, thing.dlogpdf_dlink), *drawn((f or uniform(8, 1), labels)))

    module = known.pop("module", name.lower())
    functions = (f"GPy.likelihoods.{module}:{name}.dlogpdf_dlink",)
    return Item(name, make, elementwise(), functions, **known)


def _model(name: str, kernel: Callable[[Any], Any], *functions: str) -> Item:
    def make() -> tuple:
        x, y = drawn((normal(10, 2), normal(10, 1)))
        model = load("GPy.models:GPRegression")(x, y, kernel(load("GPy.kern")))
        at = np.array(model.optimizer_array) + 0.2
        return (model._objective_grads, at)

    return Item(name, make, value_and_gradient, functions)


STATIONARY = "GPy.kern.src.stationary:Stationary.update_gradients_full"

PACKAGE = Package(
    "GPy==1.15.0",
    (
        _link("Probit", "transf", "dtransf_df"),
        _link("Probit", "dtransf_df", "d2transf_df2"),
        _link("ScaledProbit", "transf", "dtransf_df"),
        _link("Cloglog", "transf", "dtransf_df"),
        _link("Cloglog", "dtransf_df", "d2transf_df2"),
        _link("Log", "transf", "dtransf_df"),
        _link("Log_ex_1", "transf", "dtransf_df"),
        _link("Log_ex_1", "dtransf_df", "d2transf_df2"),
        _link("Reciprocal", "transf", "dtransf_df", uniform(8)),
        _likelihood("Poisson", integers(8, 1, below=5)),
        _likelihood("Bernoulli", binary(8, 1)),
        _likelihood("StudentT", normal(8, 1), module="student_t"),
        _likelihood("Gamma", uniform(8, 1)),
        _likelihood("Exponential", uniform(8, 1)),
        _model("GPRegression of RBF", lambda k: k.RBF(2, ARD=True), STATIONARY),
        _model("GPRegression of Matern52", lambda k: k.Matern52(2), STATIONARY),
        _model("GPRegression of RatQuad", lambda k: k.RatQuad(2),
               "GPy.kern.src.stationary:RatQuad.update_gradients_full"),
        _model("GPRegression of Linear", lambda k: k.Linear(2, ARD=True),
               "GPy.kern.src.linear:Linear.update_gradients_full"),
        _model("GPRegression of Poly", lambda k: k.Poly(2, order=2),
               "GPy.kern.src.poly:Poly.update_gradients_full"),
    ),
    needs=("paramz==0.10.0", "decorator==5.3.1", "six==1.17.0"),
)  # fmt: skip
