"""skglm: data fits with ``value(y, w, Xw)`` and ``raw_grad(y, Xw)``, and penalties."""

from typing import Any

from benchmarks.field.item import RIGHT, WRONG, Item, Package
from benchmarks.field.made import drawn, load, normal, signs, uniform
from benchmarks.field.readings import elementwise


def _fit(name: str, labels: Any) -> Item:
    def make() -> tuple:
        thing = load(f"skglm.datafits:{name}")()
        y, z = drawn((labels, normal(8)))
        return ((lambda z: thing.value(y, None, z), lambda z: thing.raw_grad(y, z)), z)

    return Item(name, make, elementwise(), (f"skglm.datafits.single_task:{name}.raw_grad",))


def _penalty(name: str, g: str, *arguments: Any, truth: str = RIGHT, **known: Any) -> Item:
    def make() -> tuple:
        return (load(f"skglm.penalties.separable:{name}")(*arguments), *drawn((normal(8),)))

    return Item(
        name,
        make,
        elementwise("value", g),
        (f"skglm.penalties.separable:{name}.{g}",),
        truth,
        **known,
    )


PACKAGE = Package(
    "skglm==0.5",
    (
        _fit("Logistic", signs(8)),
        _fit("Poisson", uniform(8)),
        _fit("Gamma", uniform(8)),
        _fit("Quadratic", normal(8)),
        _penalty("L2", "gradient", 0.7),
        _penalty("LogSumPenalty", "derivative", 1.0, 0.5),
        _penalty("L0_5", "derivative", 1.0, truth=WRONG, line="return 1. / (2. * np.sqrt",
                 names=("sign_dependent", "path_missing", "region_dependent", "slope_wrong")),
        _penalty("L2_3", "derivative", 1.0, truth=WRONG, line="return 2 / (3 * np.abs(w)",
                 names=("sign_dependent", "path_missing", "region_dependent", "slope_wrong")),
    ),
    needs=("numba==0.68.1", "scikit-learn==1.9.1", "joblib==1.6.0"),
)  # fmt: skip
