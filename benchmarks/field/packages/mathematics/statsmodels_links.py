"""statsmodels: links of generalised linear models, variance functions, norms of robust fits."""

from typing import Any

from benchmarks.field.item import RIGHT, Item, Package
from benchmarks.field.made import drawn, load, normal, uniform
from benchmarks.field.readings import elementwise

LINKS = "statsmodels.genmod.families.links"
NORMS = "statsmodels.robust.norms"
VARIANCES = "statsmodels.genmod.families.varfuncs"


def _pair(
    kind: str, name: str, f: str, g: str, x: Any, *arguments: Any, truth: str = RIGHT, **known: Any
) -> Item:
    def make() -> tuple:
        thing = load(f"{kind}:{name}")(*arguments)
        return ((getattr(thing, f), getattr(thing, g)), *drawn((x,)))

    functions = known.pop("functions", (f"{kind}:{known.pop('of', name)}.{g}",))
    kinds = {VARIANCES: "variance ", NORMS: "norm "}
    return Item(f"{kinds.get(kind, '')}{name} {f}", make, elementwise(), functions, truth, **known)


P, Z = uniform(12), normal(12)

PACKAGE = Package(
    "statsmodels==0.15.0",
    (
        _pair(LINKS, "Logit", "__call__", "deriv", P),
        _pair(LINKS, "Logit", "inverse", "inverse_deriv", Z),
        _pair(LINKS, "Logit", "deriv", "deriv2", P),
        _pair(LINKS, "Log", "__call__", "deriv", P),
        _pair(LINKS, "Log", "inverse", "inverse_deriv", Z),
        _pair(LINKS, "LogC", "__call__", "deriv", P),
        _pair(LINKS, "LogC", "inverse", "inverse_deriv", uniform(12, low=-2.0, high=-0.2)),
        _pair(LINKS, "LogC", "deriv", "deriv2", P),
        _pair(LINKS, "Power", "__call__", "deriv", P, 1.7),
        _pair(LINKS, "Power", "inverse", "inverse_deriv", P, 1.7),
        _pair(LINKS, "Power", "deriv", "deriv2", P, 1.7),
        _pair(LINKS, "CLogLog", "__call__", "deriv", P),
        _pair(LINKS, "CLogLog", "inverse", "inverse_deriv", Z),
        _pair(LINKS, "LogLog", "__call__", "deriv", P),
        _pair(LINKS, "LogLog", "inverse", "inverse_deriv", Z),
        _pair(LINKS, "Probit", "__call__", "deriv", P, of="CDFLink"),
        _pair(LINKS, "Probit", "deriv", "deriv2", P),
        _pair(LINKS, "Cauchy", "deriv", "deriv2", P),
        _pair(LINKS, "NegativeBinomial", "__call__", "deriv", P),
        _pair(LINKS, "NegativeBinomial", "inverse", "inverse_deriv",
              uniform(12, low=-3.0, high=-0.2)),
        _pair(VARIANCES, "Power", "__call__", "deriv", P, 1.5),
        _pair(VARIANCES, "Binomial", "__call__", "deriv", P),
        _pair(VARIANCES, "NegativeBinomial", "__call__", "deriv", P),
        _pair(NORMS, "LeastSquares", "rho", "psi", Z),
        _pair(NORMS, "HuberT", "rho", "psi", Z),
        _pair(NORMS, "HuberT", "psi", "psi_deriv", Z),
        _pair(NORMS, "RamsayE", "rho", "psi", Z),
        _pair(NORMS, "RamsayE", "psi", "psi_deriv", Z),
        _pair(NORMS, "AndrewWave", "rho", "psi", Z),
        _pair(NORMS, "AndrewWave", "psi", "psi_deriv", Z),
        _pair(NORMS, "Hampel", "rho", "psi", normal(12, scale=5.0)),
        _pair(NORMS, "TukeyBiweight", "rho", "psi", Z),
        _pair(NORMS, "TukeyBiweight", "psi", "psi_deriv", Z),
        _pair(NORMS, "TukeyQuartic", "rho", "psi", Z),
        _pair(NORMS, "StudentT", "rho", "psi", Z),
        _pair(NORMS, "StudentT", "psi", "psi_deriv", Z),
    ),
    needs=("patsy==1.0.3", "formulaic==1.2.2"),
)  # fmt: skip
