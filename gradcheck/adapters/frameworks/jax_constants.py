"""What a JAX function reads beside its arguments: no derivative is taken with respect to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.discovery.attributes import ArrayAttribute
from gradcheck.adapters.discovery.coverage import REASONS, CoverageEvidence
from gradcheck.adapters.discovery.reachable_arrays import reachable
from gradcheck.report.data import Unchecked
from gradcheck.target import Target

NO_NUMPY = "NumPy has no such numbers as {}; check it in float32 or float64"

CLOSED_OVER = (
    "the function closes over it, and JAX takes gradients of arguments alone; pass it, or the "
    "module that holds it, as an argument: check(lambda module, x: ..., module, x)"
)


@dataclass(frozen=True)
class Constants:
    """Finds the arrays that a function closes over, by tracing it.

    JAX compiles them into the function, so that nothing is seen by moving them.

    Parameters
    ----------
    call
        The function of ``floats``.
    thing
        What the caller gave, in which the arrays are looked for by name.
    leaves
        All leaves of the arguments.
    floats
        Those that are checked.
    """

    call: Callable[..., Any]
    thing: Any
    leaves: Mapping[str, Any]
    floats: Mapping[str, Array]

    def __call__(self, target: Target) -> tuple[Unchecked, ...]:
        """Return the arrays that no gradient is taken of."""
        found = [
            _argument(name, leaf)
            for name, leaf in self.leaves.items()
            if name not in self.floats and _is_floating(leaf)
        ]
        given = {id(leaf) for leaf in self.leaves.values()}
        accessors = [s for s in reachable([self.thing], _is_floating) if id(s.read()) not in given]
        closed_over = self._closed_over(target)
        evidence = CoverageEvidence(set(), frozenset(), by_name=True)
        for attribute in self._read(accessors, closed_over):
            role = "parameter" if evidence.of(attribute) else "constant"
            reason = CLOSED_OVER if role == "parameter" else REASONS[role]
            found.append(Unchecked(attribute.name, role, reason))
        found += [
            Unchecked(f"a constant of shape {np.shape(c)}", "constant", REASONS["constant"])
            for c in closed_over or ()
            if _place_of(c, accessors) is None and id(c) not in given
        ]
        return tuple(dict.fromkeys(found))

    def _read(
        self, accessors: Sequence[ArrayAttribute], closed_over: Sequence[Any] | None
    ) -> list[ArrayAttribute]:
        """Return where what is closed over is kept; all of them where that is not known."""
        if closed_over is None:
            return list(accessors)
        found = (_place_of(array, accessors) for array in closed_over)
        return [attribute for attribute in found if attribute is not None]

    def _closed_over(self, target: Target) -> list[Any] | None:
        """Return the arrays in the traced function; None where it cannot be traced."""
        import jax

        moving = [jax.numpy.asarray(target.whole[name]) for name in self.floats]
        try:
            traced = jax.make_jaxpr(self.call)(*moving)
        except Exception:  # noqa: BLE001 (a function may ask for the value of what is traced)
            return None
        return [array for array in _constants(traced) if _is_floating(array) and np.ndim(array)]


def _argument(name: str, leaf: Any) -> Unchecked:
    """Say why an argument is not checked: no gradient is claimed, or NumPy lacks its numbers."""
    if np.dtype(leaf.dtype).kind == "f":
        return Unchecked(name, "constant", REASONS["constant"])
    return Unchecked(name, "parameter", NO_NUMPY.format(leaf.dtype))


def _constants(traced: Any) -> Iterator[Any]:
    """Yield the constants of a traced function and of all that it calls."""
    yield from traced.consts
    for equation in traced.jaxpr.eqns:
        for value in equation.params.values():
            parts = value if isinstance(value, list | tuple) else (value,)
            for part in parts:
                if hasattr(part, "consts") and hasattr(part, "jaxpr"):
                    yield from _constants(part)


def _is_floating(value: Any) -> bool:
    import jax

    return (
        isinstance(value, np.ndarray | jax.Array)
        and bool(jax.numpy.issubdtype(value.dtype, jax.numpy.floating))
        and value.size > 0
    )


def _place_of(constant: Any, accessors: Sequence[ArrayAttribute]) -> ArrayAttribute | None:
    """Return where a constant is kept, or something that it may be a conversion of."""
    kept = [(attribute, attribute.read()) for attribute in accessors]
    same = (attribute for attribute, value in kept if value is constant)
    equal = (
        attribute
        for attribute, value in kept
        if np.shape(value) == np.shape(constant) and np.array_equal(value, constant, equal_nan=True)
    )
    return next(same, None) or next(equal, None)
