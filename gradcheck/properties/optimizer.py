"""The properties of an optimiser: what one step, and many, do to parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck.properties import strategies
from gradcheck.properties.registry import Suite
from gradcheck.properties.subject import Subject, call
from gradcheck.properties.tolerance import Tolerance
from gradcheck.properties.violation import (
    Array,
    FunctionRaisedError,
    require,
    require_close,
    require_same,
)

METHODS = ("step", "update", "apply", "apply_gradients", "__call__")
# Steps on the quadratic bowl: enough for momentum and running means to show what they do.
STEPS = 60

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
        self, start: Sequence[Array], gradient: Gradient, steps: int = 1, *, keep: bool = False
    ) -> list[Array]:
        """Return where ``steps`` steps of a fresh optimiser lead from ``start``.

        With ``keep``, the gradient arrays are checked to be left as they were.
        """
        optimizer = self._make()
        step = getattr(optimizer, self.method)
        params = [np.array(value) for value in start]
        for _ in range(steps):
            grads = gradient(params)
            handed, sent = self.pack(params), self.pack([grad.copy() for grad in grads])
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
            f"tried: {'; '.join(problems) or 'it has none of them'}"
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
    ("a dict", _as_dict, lambda made: list(made.values())),
    ("one array", lambda values: values[0], lambda made: [made]),
)

SUITE = Suite("optimizer", Optimizer)


@st.composite
def _point(draw: strategies.Draw, _: Optimizer) -> dict[str, Any]:
    shape = draw(st.sampled_from([(1,), (3,), (2, 2)]))
    return {
        "p": strategies.draw_grid(draw, shape, 4.0),
        "g": strategies.draw_grid(draw, shape, 2.0),
    }


@st.composite
def _nonzero_gradient(draw: strategies.Draw, _: Optimizer) -> dict[str, Any]:
    size = draw(st.integers(1, 4))
    signs = np.array([draw(st.sampled_from([1.0, -1.0])) for _ in range(size)])
    sizes = np.array([draw(st.integers(1, 64)) for _ in range(size)]) / 16
    return {"p": strategies.draw_grid(draw, (size,), 4.0), "g": signs * sizes}


def _rounding(p: Array, steps: int = 1) -> Tolerance:
    size = 1 + float(np.abs(p).max(initial=0.0))
    allowance = 16 * steps * float(np.finfo(np.float64).eps) * size
    return Tolerance(f"16 eps per step, {steps} steps", absolute=allowance)


@SUITE.register(
    _nonzero_gradient, why="With the sign wrong the loss climbs; with it right it falls, at last."
)
def first_step_goes_against_gradient(optimizer: Optimizer, p: Array, g: Array) -> None:
    """The first step moves every entry against its gradient."""
    (moved,) = optimizer.run([p], lambda _: [g])
    along = (moved - p) * g
    require(
        np.all(along < 0),
        "the first step does not move every entry against its gradient",
        got=(moved - p),
        expected=f"signs opposite to {g.tolist()}",
        cause="the update is added instead of subtracted, or the gradient is squared or ignored",
    )


@SUITE.register(_point, why="At a minimum there is nothing to do; 0 / 0 makes NaN of it.")
def zero_gradient_stays_put(optimizer: Optimizer, p: Array, g: Array) -> None:
    """With zero gradients, nothing moves and nothing becomes NaN."""
    (moved,) = optimizer.run([p], lambda _: [np.zeros_like(g)], steps=3)
    require_close(
        moved,
        p,
        _rounding(p, 3),
        "a zero gradient moves a parameter",
        cause="0 / 0: the small constant in the denominator is missing; or weight decay is on, "
        "which belongs among expected_failures",
    )


@SUITE.register(
    pins=[{"curvature": c, "start": s} for c in (0.5, 1.0) for s in (1.0, -1.0)],
    why="If it does not descend the simplest bowl, it descends nothing.",
)
def descends_a_bowl(optimizer: Optimizer, curvature: float, start: float) -> None:
    """On c p^2 / 2, the loss falls over sixty steps."""
    begin = np.array([start, 2 * start])
    (end,) = optimizer.run([begin], lambda now: [curvature * now[0]], steps=STEPS)
    before, after = (float(curvature / 2 * np.sum(p**2)) for p in (begin, end))
    require(
        after < before,
        f"{STEPS} steps on a quadratic bowl do not lower the loss",
        where=f"curvature {curvature:g}, from {begin.tolist()} to {end.tolist()}",
        got=after,
        expected=f"less than {before:g}",
        cause="the sign is wrong, the learning rate too high, or momentum builds up without decay",
    )


@SUITE.register(
    _nonzero_gradient,
    why="A constant slope must be followed; an update that stalls or turns is wrong.",
)
def constant_gradient_keeps_moving(optimizer: Optimizer, p: Array, g: Array) -> None:
    """Under a constant gradient, every further step goes on in the same direction."""
    places = [optimizer.run([p], lambda _: [g], steps=steps)[0] for steps in (0, 1, 4, 8)]
    for earlier, later in pairwise(places):
        require(
            np.all((later - earlier) * g < 0),
            "under a constant gradient a later step does not go on",
            got=(later - earlier),
            expected=f"signs opposite to {g.tolist()}",
            cause="a running mean has the wrong weights or sign, or a step counter is off",
        )


def _alone(optimizer: Optimizer, p: float, g: float) -> float:
    (moved,) = optimizer.run([np.array([p])], lambda _: [np.array([g])], steps=3)
    return float(moved[0])


@SUITE.register(_point, why="Entries are independent; one that sees another has a wrong reduction.")
def each_entry_as_if_alone(optimizer: Optimizer, p: Array, g: Array) -> None:
    """An entry moves as it does when it is the only one."""
    (moved,) = optimizer.run([p], lambda _: [g], steps=3)
    alone = [_alone(optimizer, a, b) for a, b in zip(p.ravel(), g.ravel(), strict=True)]
    require_close(
        moved,
        np.reshape(alone, p.shape),
        _rounding(p, 3),
        "an entry moves otherwise than alone",
        cause="a mean, norm or maximum over the tensor; clipping by norm does so by right",
    )


@SUITE.register(
    _point,
    needs=["several"],
    why="State shared between tensors mixes the layers of a network.",
)
def each_tensor_as_if_alone(optimizer: Optimizer, p: Array, g: Array) -> None:
    """Two tensors move as each does when it is the only one."""
    other, slope = np.ones(2), np.array([1.0, -2.0])
    first, second = optimizer.run([p, other], lambda _: [g, slope], steps=3)
    (alone,) = optimizer.run([p], lambda _: [g], steps=3)
    (other_alone,) = optimizer.run([other], lambda _: [slope], steps=3)
    cause = "one velocity or step counter serves all tensors; keep one per tensor"
    require_close(
        first, alone, _rounding(p, 3), "the first of two tensors moves oddly", cause=cause
    )
    require_close(
        second, other_alone, _rounding(other, 3), "the second of two moves oddly", cause=cause
    )


@SUITE.register(
    _point, why="Up and down are the same to an optimiser; abs() or a clip at 0 is not."
)
def mirror_image_moves_mirrored(optimizer: Optimizer, p: Array, g: Array) -> None:
    """With parameters and gradients negated, the steps are negated."""
    (moved,) = optimizer.run([p], lambda _: [g], steps=3)
    (mirrored,) = optimizer.run([-p], lambda _: [-g], steps=3)
    require_close(-mirrored, moved, _rounding(p, 3), "the mirror image does not move mirrored")


@SUITE.register(_point, why="Gradients are logged, clipped and accumulated after the step.")
def gradients_unchanged(optimizer: Optimizer, p: Array, g: Array) -> None:
    """A step leaves the gradients as they were."""
    optimizer.run([p], lambda _: [g], steps=2, keep=True)


@SUITE.register(_point, why="A fresh optimiser that remembers another run shares state by mistake.")
def fresh_start_repeats(optimizer: Optimizer, p: Array, g: Array) -> None:
    """Two fresh optimisers take the same steps, bit for bit."""
    (first,) = optimizer.run([p], lambda _: [g], steps=3)
    (second,) = optimizer.run([p], lambda _: [g], steps=3)
    require_same(
        second,
        first,
        "a fresh optimiser took other steps",
        cause="state is kept in the class, in a default argument or in a global",
    )


@SUITE.register(
    pins=[{"dtype": "float32"}, {"dtype": "float64"}],
    why="A parameter that widens to float64 doubles the time and memory of everything after it.",
)
def shape_and_dtype_kept(optimizer: Optimizer, dtype: str) -> None:
    """A step keeps shape and dtype of the parameters."""
    p, g = np.ones((2, 3), dtype=dtype), np.full((2, 3), 0.25, dtype=dtype)
    (moved,) = optimizer.run([p], lambda _: [g], steps=2)
    require(
        moved.shape == p.shape and moved.dtype == p.dtype,
        "a step changes shape or dtype",
        got=f"{moved.dtype} {moved.shape}",
        expected=f"{p.dtype} {p.shape}",
    )
