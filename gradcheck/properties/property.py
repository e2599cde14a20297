"""One property: what must hold, of what it is judged, what is tried first, and how it came out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gradcheck_arguments import checked

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


@checked
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


class Status(StrEnum):
    """How a property came out.

    ``ERRORED`` means that the function raised, which is not a wrong answer but no answer.
    """

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    EXPECTED = "expected"
    UNEXPECTEDLY_PASSED = "unexpectedly_passed"
    SKIPPED = "skipped"


BAD = frozenset({Status.FAILED, Status.ERRORED, Status.UNEXPECTEDLY_PASSED})


@dataclass(frozen=True)
class Result:
    """The outcome of one property.

    Attributes
    ----------
    name, status
        Which property, and how it came out.
    message
        All about a failure, or the reason for a skip; empty when it passed.
    counterexample
        Python code that shows the failure when pasted; empty when there is none.
    examples
        How many inputs were tried.
    parts
        The pieces of that by their labels, such as ``"got"`` and ``"cause"``.
    """

    name: str
    status: Status
    message: str = ""
    counterexample: str = ""
    examples: int = 0
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]
