"""A layer that is written once, in NumPy, and the slips that break its backward."""

from __future__ import annotations

import inspect
import textwrap
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np

from gradcheck.explain.catalogue import Bug

Draw = Callable[[np.random.Generator], Any]


@dataclass(frozen=True)
class Slip:
    """A piece of the backward's source replaced by another.

    ``codes`` are the acceptable names of the bug.
    """

    tag: str
    old: str
    new: str
    codes: tuple[Bug, ...]


@dataclass
class Layer:
    """A right layer, what it is called with, and the ways in which it is broken.

    Attributes
    ----------
    forward
        Takes the inputs and returns ``(output, (what backward needs, ...))``.
    backward
        Takes the cotangent and what was saved, which its first statement takes apart, and returns
        the gradients of the inputs that are not integers.
    inputs
        What draws each input.
    """

    name: str
    forward: FunctionType
    backward: FunctionType
    inputs: dict[str, Draw]
    slips: list[Slip] = field(default_factory=list)

    def breaks(self, tag: str, old: str, new: str, codes: str) -> None:
        """Add a slip; the codes are space-separated."""
        self.slips.append(Slip(tag, old, new, tuple(Bug(code) for code in codes.split())))

    def arrays(self, seed: int = 0) -> list[Any]:
        """Return inputs, always the same for a seed."""
        rng = np.random.default_rng([zlib.crc32(self.name.encode()), seed])
        return [draw(rng) for draw in self.inputs.values()]

    def source(self, slip: Slip | None = None) -> tuple[str, str]:
        """Return the text of forward and backward, the latter with a slip.

        Raises
        ------
        ValueError
            If what the slip replaces is not found exactly once.
        """
        forward, backward = (
            textwrap.dedent(inspect.getsource(part)) for part in (self.forward, self.backward)
        )
        if slip is None:
            return forward, backward
        if backward.count(slip.old) != 1:
            raise ValueError(
                f"{self.name}, {slip.tag}: {slip.old!r} is found {backward.count(slip.old)} times "
                "in the backward: state a piece that is there once"
            )
        return forward, backward.replace(slip.old, slip.new)

    def names_used(self) -> Iterator[tuple[str, Any]]:
        """Yield the numbers and functions of its module that the layer uses, helpers' first."""
        found: dict[str, Any] = {}
        waiting = [self.forward, self.backward]
        while waiting:
            function = waiting.pop()
            for name in function.__code__.co_names:
                value = function.__globals__.get(name)
                if name not in found and isinstance(value, int | float | FunctionType):
                    found[name] = value
                    waiting += [value] if isinstance(value, FunctionType) else []
        yield from reversed(found.items())


def layer(
    forward: Callable[..., Any], backward: Callable[..., Any], **inputs: tuple[int, ...] | Draw
) -> Layer:
    """Return a layer; an input that is a shape is drawn from a normal distribution."""
    draws = {n: given if callable(given) else _normal(given) for n, given in inputs.items()}
    name = forward.__name__.removesuffix("_forward")
    if not (isinstance(forward, FunctionType) and isinstance(backward, FunctionType)):
        raise TypeError(f"{name}: forward and backward must be functions, to have a source")
    return Layer(name, forward, backward, draws)


def _normal(shape: tuple[int, ...]) -> Draw:
    return lambda rng: rng.normal(size=shape)


def positive(*shape: int) -> Draw:
    """Draw from 0.5 to 2."""
    return lambda rng: rng.uniform(0.5, 2.0, shape)


def fractions(*shape: int) -> Draw:
    """Draw from 0.1 to 0.9."""
    return lambda rng: rng.uniform(0.1, 0.9, shape)


def integers(below: int, *shape: int) -> Draw:
    """Draw whole numbers, some of them more than once where there is room."""
    return lambda rng: rng.integers(0, below, shape)


def bools(*shape: int) -> Draw:
    """Draw True in two of three places."""
    return lambda rng: rng.uniform(size=shape) < 2 / 3
