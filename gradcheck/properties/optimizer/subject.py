"""An optimiser as the properties see it, however it is called."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcheck.properties.subject import Subject, call
from gradcheck.properties.violation import (
    Array,
    FunctionRaisedError,
    require_same,
)

METHODS = ("step", "update", "apply", "apply_gradients", "__call__")

Gradient = Callable[[list[Array]], list[Array]]


class Optimizer(Subject):
    """An optimiser under test, started afresh for every run.

    Parameters
    ----------
    fn
        A function of no arguments that makes the optimiser, or an optimiser to be copied; it has
        ``step(params, grads)`` (or ``update``, ``apply``), on lists, dicts or single arrays, which
        changes the parameters in place or returns new ones. A function ``fn(params, grads)``
        without state will do too.
    """

    def __init__(self, fn: Any) -> None:
        makes = _takes_nothing(fn)
        super().__init__(fn() if makes else fn, name=getattr(fn, "__name__", type(fn).__name__))
        self.fn = fn
        self._make = fn if makes else partial(copy.deepcopy, fn)
        self.method, self.pack, self.unpack, self.container = self._convention()

    @property
    def facts(self) -> dict[str, str]:
        """How the optimiser is called."""
        return {"called": f"{self.method}(params, grads) with {self.container}"}

    def missing(self, need: str) -> str:
        """Return why ``several`` tensors cannot be given."""
        return "it takes one array only" if self.container == "one array" else ""

    def run(
        self,
        start: Sequence[Array],
        gradient: Gradient,
        steps: int = 1,
        *,
        keep: bool = False,
        turning: bool = False,
    ) -> list[Array]:
        """Return where ``steps`` steps of a fresh optimiser lead from ``start``.

        With ``keep``, the gradient arrays are checked to be left as they were; with ``turning``,
        every other step is given its dicts in reverse order.
        """
        optimizer = self._make()
        step = getattr(optimizer, self.method)
        params = [np.array(value) for value in start]
        for number in range(steps):
            grads = gradient(params)
            handed, sent = self.pack(params), self.pack([grad.copy() for grad in grads])
            if turning and number % 2 and isinstance(handed, dict):
                handed, sent = (dict(reversed(pack.items())) for pack in (handed, sent))
            result = call(step, handed, sent)
            params = [
                np.asarray(value) for value in self.unpack(handed if result is None else result)
            ]
            if keep:
                for before, after in zip(grads, self.unpack(sent), strict=True):
                    require_same(after, before, "the gradients were changed by the step")
        return params

    def _convention(self) -> tuple[str, Any, Any, str]:
        """Find a way of calling the optimiser that moves a parameter."""
        problems = []
        for method in METHODS:
            if not callable(getattr(self._make(), method, None)):
                continue
            for name, pack, unpack in CONTAINERS:
                self.method, self.pack, self.unpack = method, pack, unpack
                try:
                    (moved,) = self.run([np.ones(3)], lambda _: [np.full(3, 0.5)], steps=3)
                except (FunctionRaisedError, TypeError, ValueError) as error:
                    problems.append(f"{method} with {name}: {error}")
                    continue
                if moved.shape == (3,) and np.any(moved != 1):
                    return method, pack, unpack, name
        raise TypeError(
            f"{self.name} moves no parameter when called as {' or '.join(METHODS)}(params, grads); "
            f"tried: {'; '.join(problems) or 'it has none of them'}. Pass a function of "
            "(params, grads) that calls it as it wants"
        )


def _takes_nothing(fn: Any) -> bool:
    if not callable(fn):
        return False
    try:
        made = fn()
    except TypeError:
        return False
    return made is not None


def _as_dict(values: Sequence[Array]) -> dict[str, Array]:
    return {f"p{i}": value for i, value in enumerate(values)}


CONTAINERS: tuple[tuple[str, Any, Any], ...] = (
    ("a list", list, list),
    ("a dict", _as_dict, lambda made: [made[name] for name in sorted(made)]),
    ("one array", lambda values: values[0], lambda made: [made]),
)
