"""pyunlocbox: functions of convex optimisation with ``eval`` and ``grad``."""

from typing import Any

from benchmarks.field.item import Item, Package
from benchmarks.field.made import drawn, load, normal, uniform
from benchmarks.field.readings import elementwise


def _norm(name: str, **options: Any) -> Item:
    def make() -> tuple:
        (x,) = drawn((normal(6),))
        given = dict(zip(options, drawn(tuple(options.values())), strict=True))
        return (load("pyunlocbox.functions:norm_l2")(**given), x)

    return Item(name, make, elementwise("eval", "grad"), ("pyunlocbox.functions:norm_l2._grad",))


PACKAGE = Package(
    "pyunlocbox==0.6.1",
    (
        _norm("norm_l2", y=normal(6), lambda_=0.7),
        _norm("norm_l2 with weights", y=normal(6), w=uniform(6), tight=False),
        _norm("norm_l2 of a matrix", y=normal(4), A=normal(4, 6), tight=False),
    ),
)
