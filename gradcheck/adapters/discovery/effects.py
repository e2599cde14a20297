"""What the output depends on, found by moving it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.adapters.discovery.accessors import Accessor
from gradcheck.numerics.blockwise import same
from gradcheck.state import restore_array
from gradcheck.target import Target

# A change of a parameter that no forward overlooks for being too small.
VISIBLE = 0.125

# After so many forwards, what depends on some of a group is taken to depend on all of it.
MOST_RUNS = 500

T = TypeVar("T")
Change = Callable[[], None]
Move = Callable[[Array], Array]


class Effects:
    """Says whether the output depends on what is kept by accessors, at the state as it is given.

    Parameters
    ----------
    outputs
        Runs the forward from the same state as ever, but for what its argument changes in it.
    generator
        Source of the changes that are tried.
    held
        Arrays that stay as they are though they lie in the memory of what is moved: of a vector
        that holds all parameters, those that have a gradient of their own.
    """

    def __init__(
        self,
        outputs: Callable[[Change], Outputs],
        generator: np.random.Generator,
        held: Iterable[Any] = (),
    ) -> None:
        self._outputs = outputs
        self._generator = generator
        self._held = [array for array in held if isinstance(array, np.ndarray)]
        self._base: Outputs | None = None
        self._runs = 0

    @classmethod
    def on_target(cls, target: Target, held: Iterable[Any] = (), runs: int = 1) -> Effects:
        """Return the effects on the outputs of a target, of changes before the last of ``runs``."""

        def outputs(change: Change) -> Outputs:
            target.state.restore()
            with np.errstate(all="ignore"):
                for _ in range(runs - 1):
                    target.call(target.tensors)
                change()
                return target.call(target.tensors).outputs

        return cls(outputs, np.random.default_rng(0), held)

    def of(self, *accessors: Accessor) -> bool:
        """Whether the output changes with what is with ``accessors``; True where it cannot be seen.

        All entries are raised, then each is moved up or down at random: what is saturated or cut
        off on one side may react on the other.
        """
        return any(self._reacts(accessors, move) for move in (self._raised, self._shaken))

    def those(self, things: Sequence[T], accessor: Callable[[T], Accessor]) -> list[T]:
        """Return what the output depends on, by halving: few forwards where it is little.

        All of it where the forward is random, so that nothing can be seen.
        """
        if not things or not self.of(*map(accessor, things)):
            return []
        if len(things) == 1 or self._runs > MOST_RUNS or not self.is_steady:
            return list(things)
        middle = len(things) // 2
        return [*self.those(things[:middle], accessor), *self.those(things[middle:], accessor)]

    @cached_property
    def is_steady(self) -> bool:
        """Whether the same forward gives the same outputs."""
        return _equal(self._outputs(lambda: None), self._outputs(lambda: None))

    def _reacts(self, accessors: Sequence[Accessor], move: Move) -> bool:
        self._runs += 1
        if self._base is None:
            self._base = self._outputs(lambda: None)
        with ExitStack() as undo:

            def change() -> None:
                values = [accessor.get() for accessor in accessors]
                held = [
                    (array, array.copy())
                    for array in self._held
                    if any(np.may_share_memory(array, v) for v in values if _is_array(v))
                ]
                for accessor, value in zip(accessors, values, strict=True):
                    undo.callback(_replaced(accessor, value, move))
                for array, content in held:
                    np.copyto(array, content)

            try:
                with np.errstate(all="ignore"):
                    return not _equal(self._outputs(change), self._base)
            except Exception:  # noqa: BLE001 (a forward that minds the change does depend on it)
                return True

    def _raised(self, value: Array) -> Array:
        sizes = self._generator.uniform(VISIBLE, 2 * VISIBLE, value.shape)
        return np.asarray(value * (1 + sizes) + sizes)

    def _shaken(self, value: Array) -> Array:
        signs = self._generator.choice((-1.0, 1.0), value.shape)
        sizes = signs * self._generator.uniform(VISIBLE, 2 * VISIBLE, value.shape)
        return np.asarray(value * (1 + sizes) + sizes)


def _replaced(accessor: Accessor, value: Any, move: Move) -> Callable[[], None]:
    """Move what is kept by ``accessor``, and return what puts it back."""
    moved = move(np.asarray(value)).astype(np.asarray(value).dtype)
    if _is_array(value) and value.flags.writeable:
        before = value.copy()
        np.copyto(value, moved)
        return lambda: restore_array(value, before)
    accessor.replace(moved if _is_array(value) else moved.item())
    return lambda: accessor.replace(value)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _equal(one: Outputs, other: Outputs) -> bool:
    return len(one) == len(other) and all(map(same, one, other))
