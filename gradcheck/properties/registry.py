"""The suites in which properties stand, and finding either by name."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradcheck.properties.function_under_test import FunctionUnderTest
from gradcheck.properties.property import Property
from gradcheck_arguments import checked

# For each suite what it tests, and the modules of its properties in reading order: what holds of
# every row-wise function holds of a softmax. They are imported, and Hypothesis with them, when the
# suite is first asked for.
CONTENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "softmax": (
        "softmax.softmax_under_test.SoftmaxUnderTest",
        (
            *("softmax.laws", "rowwise.laws", "softmax.extremes", "softmax.jacobian"),
            *("rowwise.backward", "softmax.backward", "array_function"),
        ),
    ),
    "log_softmax": (
        "log_softmax.LogSoftmaxUnderTest",
        ("log_softmax", "rowwise.laws", "rowwise.backward", "array_function"),
    ),
    "loss": (
        "loss.loss_under_test.LossUnderTest",
        ("loss.laws", "loss.extremes", "loss.gradient", "loss.contract"),
    ),
    "activation": (
        "activation.ActivationUnderTest",
        ("activation", "array_function"),
    ),
    "layer": (
        "layer.layer_under_test.LayerUnderTest",
        ("layer.forward", "layer.backward", "layer.precision"),
    ),
    "optimizer": (
        "optimizer.optimizer_under_test.OptimizerUnderTest",
        ("optimizer.optimizer_laws",),
    ),
}


class Suite:
    """Properties of one kind of function, in reading order.

    Parameters
    ----------
    name
        How it is asked for.
    subject
        ``subject(fn, **options)`` wraps the function under test in the form the properties call.
    properties
        Each made by `gradcheck.properties.for_all`.
    """

    @checked
    def __init__(
        self, name: str, subject: Callable[..., FunctionUnderTest], properties: Iterable[Property]
    ) -> None:
        self.name = name
        self.properties = list(properties)
        self._subject = subject

    @property
    def names(self) -> list[str]:
        """Names of the properties, in order."""
        return [prop.name for prop in self.properties]

    def __getitem__(self, name: str) -> Property:
        self.require_known([name])
        return self.properties[self.names.index(name)]

    @checked
    def subject(self, fn: Any, options: Mapping[str, Any]) -> FunctionUnderTest:
        """Wrap ``fn`` for the properties, refusing options the suite does not have."""
        known = list(inspect.signature(self._subject).parameters)[1:]
        for option in options:
            if option not in known:
                raise TypeError(_unknown(f"option of the {self.name} suite", option, known))
        return self._subject(fn, **options)

    @checked
    def chosen(
        self, only: Iterable[str] | None, skip: Iterable[str] | None, expected: Iterable[str]
    ) -> tuple[list[str], set[str]]:
        """Return the names to run, in order, and those to leave out; all must be known."""
        wanted, skipped = set(self.names if only is None else only), set(skip or ())
        self.require_known([*wanted, *skipped, *expected])
        return [name for name in self.names if name in wanted - skipped], skipped

    @checked
    def require_known(self, names: Iterable[str]) -> None:
        """Raise ValueError with near matches if one of ``names`` is no property of the suite."""
        for name in names:
            if name not in self.names:
                raise ValueError(_unknown(f"property of the {self.name} suite", name, self.names))


@checked
def suite(name: str | Suite) -> Suite:
    """Return a suite by name (a `Suite` is returned as it is).

    Raises
    ------
    ValueError
        If there is none of that name; near matches are listed.
    """
    if isinstance(name, Suite):
        return name
    if name not in CONTENTS:
        raise ValueError(_unknown("suite", name, list(CONTENTS)))
    subject, modules = CONTENTS[name]
    home, _, kind = subject.rpartition(".")
    written = [value for module in modules for value in vars(_module(module)).values()]
    return Suite(
        name, getattr(_module(home), kind), [it for it in written if isinstance(it, Property)]
    )


def _module(name: str) -> Any:
    return importlib.import_module(f"gradcheck.properties.{name}")


def _unknown(kind: str, given: str, known: list[str]) -> str:
    near = difflib.get_close_matches(given, known, n=3, cutoff=0.5)
    listed = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {known}"
    return f"unknown {kind} {given!r}; {listed}"
