"""How an operator is called as a function of one variable: on arrays, and on numbers of mpmath."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.audit.libraries.library import Library

# What is held while one argument of two moves: signs, special values, and a threshold of none.
HELD = (-1.0, 0.0, 1.0, 0.296875, 2.5)

# Beside the entry of a row that moves: another that ties with it at 0, and a larger one.
REST_OF_ROW = (0.0, 1.5)


class Form(Protocol):
    """One way to call an operator; ``str()`` writes it down with ``x`` for the variable."""

    def on_arrays(self, library: Library, operator: Callable[..., Any], x: Any) -> Any:
        """Return the operator at each entry of an array of the library."""
        ...

    def on_number(self, formula: Callable[..., Any], x: Any) -> Any:
        """Return the formula of an operator at one number."""
        ...


@dataclass(frozen=True)
class Alone:
    """A function of one array."""

    def __str__(self) -> str:
        return "f(x)"

    def on_arrays(self, library: Library, operator: Callable[..., Any], x: Any) -> Any:
        return operator(x)

    def on_number(self, formula: Callable[..., Any], x: Any) -> Any:
        return formula(x)


@dataclass(frozen=True)
class Beside:
    """A function of two arrays, of which one holds the same number everywhere."""

    held: float
    held_first: bool

    def __str__(self) -> str:
        return f"f({self.held:g}, x)" if self.held_first else f"f(x, {self.held:g})"

    def on_arrays(self, library: Library, operator: Callable[..., Any], x: Any) -> Any:
        held = library.full_like(x, self.held)
        return operator(held, x) if self.held_first else operator(x, held)

    def on_number(self, formula: Callable[..., Any], x: Any) -> Any:
        held = type(x)(self.held)
        return formula(held, x) if self.held_first else formula(x, held)


@dataclass(frozen=True)
class InRow:
    """A function of rows, of whose entries the first moves.

    Attributes
    ----------
    entry
        The entry of the resulting row, or None where a row becomes one number.
    axis
        What tells the operator that rows are meant: ``(-1,)``, or nothing.
    """

    entry: int | None
    axis: tuple[int, ...] = ()

    def __str__(self) -> str:
        row = f"f([x, {', '.join(f'{c:g}' for c in REST_OF_ROW)}])"
        return row if self.entry is None else f"{row}[{self.entry}]"

    def on_arrays(self, library: Library, operator: Callable[..., Any], x: Any) -> Any:
        rows = library.stack([x, *(library.full_like(x, c) for c in REST_OF_ROW)])
        result = operator(rows, *self.axis)
        if self.entry is None:
            return result
        if tuple(result.shape) != tuple(rows.shape):
            raise TypeError("not a row for a row")
        return result[:, self.entry]

    def on_number(self, formula: Callable[..., Any], x: Any) -> Any:
        result = formula([x, *(type(x)(c) for c in REST_OF_ROW)])
        return result if self.entry is None else result[self.entry]


ALONE: tuple[Form, ...] = (Alone(),)
BESIDE: tuple[Form, ...] = tuple(Beside(c, first) for c in HELD for first in (False, True))
IN_ROW: tuple[Form, ...] = tuple(InRow(entry) for entry in (0, 1, None))
ALONG_AXIS: tuple[Form, ...] = tuple(InRow(entry, (-1,)) for entry in (0, 1, None))

# Each is tried only where none before it fits.
FORMS: Sequence[tuple[Form, ...]] = (ALONE, BESIDE, IN_ROW, ALONG_AXIS)
