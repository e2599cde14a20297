"""pints: densities of Bayesian inference with ``evaluateS1``, which returns value and gradient."""

from typing import Any

import numpy as np

from benchmarks.field.item import RIGHT, Item, Package
from benchmarks.field.made import drawn, load, normal, uniform
from benchmarks.field.readings import value_and_gradient


def _density(name: str, x: Any, *arguments: Any, module: str = "", **known: Any) -> Item:
    toy = bool(module)

    def make() -> tuple:
        thing = load(f"pints{'.toy' if toy else ''}:{name}")(*arguments)
        return (thing.evaluateS1, *drawn((x,)))

    place = f"pints.toy.{module}" if toy else "pints._log_priors"
    return Item(name, make, value_and_gradient, (f"{place}:{name}.evaluateS1",), RIGHT, **known)


ONE = uniform(1, low=0.4, high=0.8)

PACKAGE = Package(
    "pints==0.6.1",
    (
        _density("BetaLogPrior", ONE, 2.0, 3.0),
        _density("CauchyLogPrior", ONE, 0.1, 1.3),
        _density("ExponentialLogPrior", ONE, 1.7),
        _density("GammaLogPrior", ONE, 2.0, 3.0),
        _density("GaussianLogPrior", ONE, 0.1, 1.3),
        _density("HalfCauchyLogPrior", ONE, 0.1, 1.3),
        _density("InverseGammaLogPrior", ONE, 2.0, 3.0),
        _density("LogNormalLogPrior", ONE, 0.1, 1.3),
        _density("LogUniformLogPrior", ONE, 0.1, 2.0),
        _density("MultivariateGaussianLogPrior", normal(2), np.zeros(2),
                 np.array([[1.0, 0.3], [0.3, 2.0]])),
        _density("StudentTLogPrior", ONE, 0.1, 3.0, 1.3),
        _density("TruncatedGaussianLogPrior", ONE, 0.1, 1.3, 0.0, 2.0),
        _density("AnnulusLogPDF", normal(2), module="_annulus"),
        _density("ConeLogPDF", normal(2), module="_cone"),
        _density("GaussianLogPDF", normal(2), module="_gaussian"),
        _density("HighDimensionalGaussianLogPDF", normal(5), 5,
                 module="_high_dimensional_gaussian"),
        _density("MultimodalGaussianLogPDF", normal(2), module="_multimodal_gaussian"),
        _density("NealsFunnelLogPDF", normal(4), 4, module="_neals_funnel"),
        _density("RosenbrockLogPDF", normal(2), module="_rosenbrock"),
        _density("SimpleEggBoxLogPDF", normal(2), module="_simple_egg_box"),
        _density("TwistedGaussianLogPDF", normal(3), 3, module="_twisted_gaussian_banana"),
        _density("ParabolicError", normal(2), module="_parabola"),
    ),
)  # fmt: skip
