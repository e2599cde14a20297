"""One property: what must hold, of what it is judged, and what is tried first."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Inputs = Mapping[str, Any]
InputStrategy = Callable[[Any], "SearchStrategy[dict[str, Any]]"]


@dataclass(frozen=True)
class Property:
    """One thing that must hold for every input.

    Attributes
    ----------
    name
        The name of the function that judges it.
    description
        What must hold, in a sentence.
    why
        What goes wrong in practice where it does not.
    check
        ``check(subject, **inputs)`` judges one input and raises `PropertyViolationError`.
    inputs
        ``inputs(subject)`` is the Hypothesis strategy of the keyword arguments of ``check``, a
        dict; None where the pins are all there is to try.
    pins
        Inputs tried first, every time.
    needs
        What the function under test must offer, such as ``"axis"`` or ``"backward"``.
    """

    name: str
    description: str
    why: str
    check: Callable[..., None]
    inputs: InputStrategy | None
    pins: tuple[Inputs, ...]
    needs: tuple[str, ...]


def for_all(
    inputs: InputStrategy | None = None,
    *,
    why: str,
    pins: Iterable[Inputs] = (),
    needs: Iterable[str] = (),
) -> Callable[[Callable[..., None]], Property]:
    """Make a `Property` of the decorated function; its docstring is the description.

    Parameters
    ----------
    inputs, why, pins, needs
        As for `Property`.
    """

    def make(check: Callable[..., None]) -> Property:
        description = (inspect.getdoc(check) or check.__name__).split("\n\n")[0]
        words = " ".join(description.split())
        return Property(check.__name__, words, why, check, inputs, tuple(pins), tuple(needs))

    return make
