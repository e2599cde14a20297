"""lifelines: the partial likelihood of Cox, with gradient."""

from collections.abc import Callable

import numpy as np

from benchmarks.field.item import Item, Package
from benchmarks.field.made import drawn, load, normal, uniform
from benchmarks.field.readings import value_and_gradient


def _cox(method: str) -> Callable[[], tuple]:
    def make() -> tuple:
        pandas = load("pandas")
        x, durations, at = drawn((normal(12, 3), uniform(12), normal(3, scale=0.3)))
        order = np.argsort(durations)
        events = np.arange(12) % 3 != 0
        cls = load("lifelines.fitters.coxph_fitter:SemiParametricPHFitter")
        fitter = cls()
        columns = pandas.DataFrame(x[order])
        times = pandas.Series(durations[order])
        seen = pandas.Series(events)
        weights = pandas.Series(np.ones(12))

        def value(beta: np.ndarray) -> tuple[float, np.ndarray]:
            _, gradient, likelihood = getattr(fitter, method)(
                columns, times, seen, weights, None, beta
            )
            return float(likelihood), gradient

        return (value, at)

    return make


def _item(method: str) -> Item:
    place = "lifelines.fitters.coxph_fitter:SemiParametricPHFitter"
    return Item(f"Cox {method}", _cox(method), value_and_gradient, (f"{place}.{method}",))


PACKAGE = Package(
    "lifelines==0.30.3",
    (_item("_get_efron_values_single"),),
    needs=("autograd==1.9.1", "autograd-gamma==0.5.0", "formulaic==1.2.2"),
)
