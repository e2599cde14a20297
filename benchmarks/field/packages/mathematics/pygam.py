"""pyGAM: links with ``link`` and ``gradient``, which take the distribution as well."""

from typing import Any

from benchmarks.field.item import Item, Package
from benchmarks.field.made import drawn, load, uniform
from benchmarks.field.readings import elementwise


def _link(name: str, distribution: str, *arguments: Any) -> Item:
    def make() -> tuple:
        link = load(f"pygam.links:{name}")()
        family = load(f"pygam.distributions:{distribution}")(*arguments)
        return ((link.link, link.gradient), *drawn((uniform(8),)), family)

    return Item(name, make, elementwise(), (f"pygam.links:{name}.gradient",))


PACKAGE = Package(
    "pygam==0.12.0",
    (
        _link("LogLink", "PoissonDist"),
        _link("LogitLink", "BinomialDist"),
        _link("InverseLink", "GammaDist"),
        _link("InvSquaredLink", "InvGaussDist"),
        _link("IdentityLink", "NormalDist"),
    ),
    needs=("progressbar2==4.6.0",),
)
