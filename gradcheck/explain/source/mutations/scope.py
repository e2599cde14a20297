"""What a function's variables held, by the expressions that name them."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.mutations.sites import Site
from gradcheck.explain.source.mutations.syntax import text
from gradcheck.explain.source.mutations.words import NUMPY, Words, is_module, words_of
from gradcheck.formulas.elementwise import ACTIVATIONS

# How much likelier a variable is meant that is computed and never read.
FORGOTTEN = 0.25


@dataclass(frozen=True)
class Scope:
    """The values a function worked with.

    Attributes
    ----------
    values
        Arrays and numbers, by the expression that names them.
    batches
        Numbers that are likely the number of samples.
    namespace
        All names that the function knew.
    arguments
        Names of its arguments.
    unread
        Variables that are computed and never read: what is forgotten is likely one of them.
    factors
        Expressions that the forward multiplies or divides by.
    derivative_calls
        Calls of the code's functions that return a derivative, with ``{}`` for the argument.
    lists
        Names among ``values`` of lists of arrays.
    words
        How the code is written, by what its arrays are.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    batches: frozenset[int] = frozenset()
    namespace: Mapping[str, Any] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()
    factors: tuple[str, ...] = ()
    derivative_calls: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    words: Words = NUMPY
    _known: dict[str, tuple[tuple[int, ...] | None, bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {name: _as_numpy(value) for name, value in self.values.items()}
        kept = {name: value for name, value in known.items() if _is_number(value)}
        lists = tuple(name for name, value in known.items() if _is_list(value))
        object.__setattr__(self, "words", words_of(self.values.values()))
        object.__setattr__(self, "values", kept)
        object.__setattr__(self, "lists", lists)

    @cached_property
    def different(self) -> dict[str, Any]:
        """Values with the shortest name for each: those that are equal do the same."""
        found: dict[str, Any] = {}
        for name in sorted(self.values, key=lambda n: ("." in n, len(n))):
            value = self.values[name]
            if not any(_equal(value, other) for other in found.values()):
                found[name] = value
        return found

    @cached_property
    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """What has axes."""
        return {n: v for n, v in self.different.items() if isinstance(v, np.ndarray) and v.ndim}

    @cached_property
    def derivatives(self) -> list[tuple[Any, Array]]:
        """Arrays, and the derivatives of the usual activations at or from each."""
        with np.errstate(all="ignore"):
            return [
                (array, np.asarray(derivative(array)))
                for array in self.arrays.values()
                if array.dtype.kind == "f"
                for activation in (ACTIVATIONS[name] for name in ("relu", "tanh", "sigmoid"))
                for derivative in (activation.derivative, activation.from_output)
                if derivative is not None
            ]

    def cost(self, name: str, usual: float) -> float:
        """Return what it costs to put in a variable: less for one that nothing reads."""
        return usual - FORGOTTEN if name in self.unread else usual

    def value(self, node: ast.AST) -> Any:
        """Return the value of a name, an attribute or a number; None of anything else."""
        if isinstance(node, ast.Constant):
            return node.value if _is_number(node.value) else None
        return self.values.get(text(node))

    def shape(self, source: ast.AST | str) -> tuple[int, ...] | None:
        """Return the shape an expression had when the function returned; None where unknown."""
        return self._of(source)[0]

    def is_complex(self, source: ast.AST | str) -> bool:
        """Whether an expression was a complex array or number when the function returned."""
        return self._of(source)[1]

    @cached_property
    def has_complex(self) -> bool:
        """Whether anything is complex."""
        return any(map(_is_complex, self.values.values()))

    def _of(self, source: ast.AST | str) -> tuple[tuple[int, ...] | None, bool]:
        """Return the shape of an expression, and whether it was complex."""
        source = source if isinstance(source, str) else text(source)
        if source not in self._known:
            try:
                with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                    value = eval(source, {}, dict(self.namespace))  # the user's own expression
                shape = np.shape(value)  # of a class, such as np.ndarray, it is no tuple
                known = isinstance(shape, tuple)
                self._known[source] = shape if known else None, _is_complex(value)
            except Exception:  # noqa: BLE001 (names may be gone by then)
                self._known[source] = None, False
        return self._known[source]

    def written(self, source: str) -> str:
        """Return NumPy's source as this code would have it."""
        return self.words.put(source, self.namespace)

    def is_module(self, node: ast.AST) -> bool:
        """Whether an expression names a module, or a part of one: ``np``, ``jax.numpy``."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and is_module(self.namespace.get(node.id))

    def fitting(self, site: Site) -> dict[str, Any]:
        """Return the variables that leave an expression's shape as it is, joined to it.

        Variables may have changed their shapes since, so that the expression makes no sense now.
        """
        shape = self.shape(site.node)
        if shape is None and site.assigned is not None:
            shape = self.shape(site.assigned)
        if shape is None:
            return {}
        return {n: v for n, v in self.different.items() if _broadcasts(np.shape(v), shape)}

    def factor_code(self, value: Any) -> Bug:
        """Name a factor too many, or missing, by what it is."""
        if value is None:
            return Bug.DERIVATIVE_AT_WRONG_POINT
        if isinstance(value, np.ndarray) and value.ndim:
            return Bug.MASK_NOT_APPLIED if value.dtype == bool else Bug.DERIVATIVE_AT_WRONG_POINT
        size = abs(float(value))
        if size in (2.0, 0.5):
            return Bug.FACTOR_TWO
        if any(size in (batch, 1 / batch) for batch in self.batches):
            return Bug.FACTOR_BATCH_SIZE
        return Bug.SIGN_FLIPPED if value == -1 else Bug.CONSTANT_FACTOR


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False


def _as_numpy(value: Any) -> Any:
    """Return the numbers of a framework's tensor; anything else as it is."""
    of_jax = type(value).__module__.partition(".")[0] in ("jax", "jaxlib")
    if not (of_jax or hasattr(value, "detach")):
        return value
    try:
        return np.asarray(value if of_jax else value.detach())
    except (TypeError, ValueError, RuntimeError):  # traced, elsewhere, of a type NumPy lacks
        return value


def _is_list(value: Any) -> bool:
    return type(value) is list and bool(value) and all(isinstance(v, np.ndarray) for v in value)


def _equal(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and np.array_equal(a, b, equal_nan=True)


def _is_number(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "bifc"
    return isinstance(value, int | float | complex | np.number) and not isinstance(value, bool)


def _is_complex(value: Any) -> bool:
    """Whether an array of NumPy or of a framework, or a number, is complex."""
    return isinstance(value, complex) or "complex" in str(getattr(value, "dtype", ""))
