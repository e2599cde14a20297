"""statsmodels: log-likelihoods with scores, in total and by observation."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.field.item import Item, Package
from benchmarks.field.made import load
from benchmarks.field.readings import Reading, loss

DISCRETE = "statsmodels.discrete.discrete_model"


def _made(path: str, labels: Callable, extra: int, f: str, g: str, **options: Any) -> Callable:
    def make() -> tuple:
        rng = np.random.default_rng(0)
        x = np.column_stack([np.ones(30), rng.standard_normal((30, 2))])
        model = load(path)(labels(rng), x, **options)
        at = np.r_[0.2 * rng.standard_normal(3), np.full(extra, 0.5)]
        return ((getattr(model, f), getattr(model, g)), at)

    return make


def _read_rows(thing: Any, at: np.ndarray) -> Reading:
    f, g = thing
    return Reading(lambda: f(at), lambda c: [np.asarray(c) @ g(at)], [at])


def _model(path: str, labels: Callable, extra: int = 0, rows: bool = False, **known: Any) -> Item:
    f, g = ("loglikeobs", "score_obs") if rows else ("loglike", "score")
    module, _, name = path.partition(":")
    functions = known.pop("functions", (f"{module}:{name}.{g}",))
    return Item(
        f"{name} {f}",
        _made(path, labels, extra, f, g, **known),
        _read_rows if rows else loss(),
        functions,
        kind="jacobian" if rows else "gradient",
    )


def _binary(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 2, 30).astype(float)


def _counts(rng: np.random.Generator) -> np.ndarray:
    return rng.poisson(2.0, 30).astype(float)


GLM = "statsmodels.genmod.generalized_linear_model:GLM"


def _glm(family: str, labels: Callable) -> Item:
    def make() -> tuple:
        family_ = load(f"statsmodels.genmod.families:{family}")()
        return _made(GLM, labels, 0, "loglike", "score", family=family_)()

    functions = tuple(f"{GLM}.{name}" for name in ("score", "score_factor"))
    return Item(f"GLM {family}", make, loss(), functions)


PACKAGE = Package(
    "statsmodels==0.15.0",
    (
        _model(f"{DISCRETE}:Logit", _binary),
        _model(f"{DISCRETE}:Probit", _binary),
        _model(f"{DISCRETE}:Poisson", _counts),
        _model(f"{DISCRETE}:GeneralizedPoisson", _counts, 1,
               functions=(f"{DISCRETE}:GeneralizedPoisson.score_obs",)),
        _model(f"{DISCRETE}:NegativeBinomialP", _counts, 1,
               functions=(f"{DISCRETE}:NegativeBinomialP.score_obs",)),
        _model(f"{DISCRETE}:Logit", _binary, rows=True),
        _model(f"{DISCRETE}:Probit", _binary, rows=True),
        _model(f"{DISCRETE}:Poisson", _counts, rows=True),
        _glm("Poisson", _counts),
        _glm("Binomial", _binary),
    ),
    needs=("patsy==1.0.3", "formulaic==1.2.2"),
)  # fmt: skip
