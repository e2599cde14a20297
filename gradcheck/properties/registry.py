"""The suites in which properties stand, and finding either by name."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from gradcheck.properties.function_under_test import FunctionUnderTest
from gradcheck.properties.property import Inputs, Property

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Check = TypeVar("Check", bound=Callable[..., None])

# Where each suite lives; a suite is imported, and Hypothesis with it, when it is first asked for.
MODULES = {
    "softmax": "gradcheck.properties.softmax",
    "log_softmax": "gradcheck.properties.rowwise.log_softmax",
    "loss": "gradcheck.properties.loss",
    "activation": "gradcheck.properties.activation.activation_laws",
    "layer": "gradcheck.properties.layer",
    "optimizer": "gradcheck.properties.optimizer",
}


class Suite:
    """Properties of one kind of function, in reading order.

    Parameters
    ----------
    name
        How it is asked for.
    subject
        ``subject(fn, **options)`` wraps the function under test in the form the properties call.
    include
        Suites whose properties this one takes over, in reading order: what holds of every row-wise
        function holds of a softmax.
    """

    def __init__(
        self, name: str, subject: Callable[..., FunctionUnderTest], *, include: Iterable[Suite] = ()
    ) -> None:
        self.name = name
        self.properties: list[Property] = [prop for part in include for prop in part.properties]
        self._subject = subject

    def register(
        self,
        inputs: Callable[[Any], SearchStrategy[dict[str, Any]]] | None = None,
        *,
        why: str,
        pins: Iterable[Inputs] = (),
        needs: Iterable[str] = (),
    ) -> Callable[[Check], Check]:
        """Register the decorated function as a property; its docstring is the description."""

        def append(check: Check) -> Check:
            description = (inspect.getdoc(check) or check.__name__).split("\n\n")[0]
            self.properties.append(
                Property(
                    check.__name__,
                    " ".join(description.split()),
                    why,
                    check,
                    inputs,
                    tuple(pins),
                    tuple(needs),
                )
            )
            return check

        return append

    @property
    def names(self) -> list[str]:
        """Names of the properties, in order."""
        return [prop.name for prop in self.properties]

    def __getitem__(self, name: str) -> Property:
        self.require_known([name])
        return self.properties[self.names.index(name)]

    def subject(self, fn: Any, options: Mapping[str, Any]) -> FunctionUnderTest:
        """Wrap ``fn`` for the properties, refusing options the suite does not have."""
        known = list(inspect.signature(self._subject).parameters)[1:]
        for option in options:
            if option not in known:
                raise TypeError(_unknown(f"option of the {self.name} suite", option, known))
        return self._subject(fn, **options)

    def require_known(self, names: Iterable[str]) -> None:
        """Raise ValueError with near matches if one of ``names`` is no property of the suite."""
        for name in names:
            if name not in self.names:
                raise ValueError(_unknown(f"property of the {self.name} suite", name, self.names))


def suite(name: str | Suite) -> Suite:
    """Return a suite by name (a `Suite` is returned as it is).

    Raises
    ------
    ValueError
        If there is none of that name; near matches are listed.
    """
    if isinstance(name, Suite):
        return name
    if name not in MODULES:
        raise ValueError(_unknown("suite", name, list(MODULES)))
    found: Suite = importlib.import_module(MODULES[name]).SUITE
    return found


def _unknown(kind: str, given: str, known: list[str]) -> str:
    near = difflib.get_close_matches(given, known, n=3, cutoff=0.5)
    listed = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {known}"
    return f"unknown {kind} {given!r}; {listed}"
