"""One property: what must hold, of what it is judged, and what is tried first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Inputs = Mapping[str, Any]


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
    inputs: Callable[[Any], SearchStrategy[dict[str, Any]]] | None
    pins: tuple[Inputs, ...]
    needs: tuple[str, ...]
