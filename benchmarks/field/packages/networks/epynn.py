"""EpyNN: one function with a flag ``deriv`` for an activation or a loss and its derivative."""

from typing import Any

from benchmarks.field.item import RIGHT, Item, Package
from benchmarks.field.made import drawn, load, normal
from benchmarks.field.readings import elementwise


def _function(name: str, module: str, *given: Any, truth: str = RIGHT, **known: Any) -> Item:
    path = f"epynn.commons.{module}:{name}"

    def make() -> tuple:
        f = load(path)
        return ((f, lambda *inputs: f(*inputs, deriv=True)), *drawn(given))

    return Item(name, make, known.pop("read", elementwise()), (path,), truth, **known)


PACKAGE = Package(
    "EpyNN==1.2.13",
    (
        _function("identity", "maths", normal(5, 4)),
        _function("relu", "maths", normal(5, 4)),
        _function("sigmoid", "maths", normal(5, 4)),
        _function("tanh", "maths", normal(5, 4)),
    ),
    needs=("tabulate==0.10.0", "termcolor==3.3.0"),
)
