"""An optimiser as the properties see it, however it is called."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.assertions import FunctionRaisedError, require_same
from gradcheck.properties.function_under_test import FunctionUnderTest
from gradcheck.properties.optimizer.call_conventions import METHODS, Begin, ways
from gradcheck_arguments import checked

Gradient = Callable[[list[Array]], list[Array]]

# What names the parameters where an optimiser is made from them.
PARAMETERS = ("params", "parameters", "weights", "variables")


class OptimizerUnderTest(FunctionUnderTest):
    """An optimiser under test, made anew for every run.

    Parameters
    ----------
    fn
        What makes the optimiser, without arguments or from its parameters, or an optimiser to be
        copied. It is stepped by ``step(params, grads)`` (or ``update``, ``apply``), on lists,
        dicts or single arrays, changed in place or returned; by ``step(grads)`` or ``step()``
        where it keeps its parameters; by ``update_params(layer)``. A function
        ``fn(params, grads)`` will do too, also one that takes a learning rate, or returns its
        state to be given the next time.
    """

    @checked
    def __init__(self, fn: Any) -> None:
        made = _made(fn)
        name = getattr(fn, "__name__", type(fn).__name__)
        super().__init__(name if made is None else made, name=name)
        self.fn = fn
        self._of_params = made is None
        self._make = fn if made is not fn else lambda: copy.deepcopy(fn)
        self.called, self.container, self._begin = self._convention(made)

    @property
    def detected(self) -> dict[str, str]:
        """How the optimiser is called."""
        made = "made from its parameters, " if self._of_params else ""
        return {"called": f"{made}{self.called} with {self.container}"}

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
        params = [np.array(value) for value in start]
        step = self._begin(self._make, [p.copy() for p in params])
        for number in range(steps):
            grads = gradient(params)
            sent = [grad.copy() for grad in grads]
            params, left = step(sent, turning and bool(number % 2))
            if keep:
                for before, after in zip(grads, left, strict=True):
                    require_same(after, before, "the gradients were changed by the step")
        return params

    def _convention(self, made: Any) -> tuple[str, str, Begin]:
        """Find a way of calling the optimiser that moves a parameter."""
        methods = [name for name in METHODS if callable(getattr(made, name, None))]
        problems: dict[str, str] = {}
        for called, held, begin in ways(of_params=self._of_params):
            if made is not None and called.partition("(")[0] not in methods:
                continue
            self._begin = begin
            try:
                (moved,) = self.run([np.ones(3)], lambda _: [np.full(3, 0.5)], steps=3)
            except (FunctionRaisedError, TypeError, ValueError, AttributeError, KeyError) as error:
                problems.setdefault(called, f"{called} with {held}: {error}")
                continue
            if moved.shape == (3,) and np.any(moved != 1):
                return called, held, begin
        raise TypeError(
            f"{self.name} moves no parameter when called as {' or '.join(METHODS)} with params and "
            f"grads; tried: {'; '.join(problems.values()) or 'it has none of them'}. Pass a "
            "function of (params, grads) that calls it as it wants"
        )


def _made(fn: Any) -> Any:
    """Return the optimiser that ``fn`` makes, or is; None where it is made from parameters."""
    if not callable(fn):
        return fn
    try:
        made = fn()
    except TypeError:
        names = [name for name, p in _required(fn) if name.lower() in PARAMETERS]
        if isinstance(fn, type) or (len(_required(fn)) == 1 and names):
            return None
        return fn
    return fn if made is None else made


def _required(fn: Any) -> list[tuple[str, inspect.Parameter]]:
    parameters = inspect.signature(fn).parameters
    return [(name, p) for name, p in parameters.items() if p.default is p.empty]
