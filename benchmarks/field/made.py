"""Short words for what users pass to `check`: objects by their names, and arrays."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

Draw = Callable[[np.random.Generator], Any]


def load(path: str) -> Any:
    """Return what ``module:qualified.name`` names."""
    module, _, name = path.partition(":")
    found: Any = importlib.import_module(module)
    for part in filter(None, name.split(".")):
        found = getattr(found, part)
    return found


def normal(*shape: int, scale: float = 1.0, dtype: str = "float64") -> Draw:
    """Draw standard normal numbers."""
    return lambda rng: (scale * rng.standard_normal(shape)).astype(dtype)


def uniform(*shape: int, low: float = 0.1, high: float = 0.9, dtype: str = "float64") -> Draw:
    """Draw numbers between two."""
    return lambda rng: rng.uniform(low, high, shape).astype(dtype)


def integers(*shape: int, below: int = 4) -> Draw:
    """Draw labels, counts, indices."""
    return lambda rng: rng.integers(0, below, shape)


def one_hot(count: int, classes: int) -> Draw:
    """Draw labels as rows of zeros and a one."""
    return lambda rng: np.eye(classes)[rng.integers(0, classes, count)]


def signs(*shape: int) -> Draw:
    """Draw labels -1 and 1."""
    return lambda rng: rng.choice([-1.0, 1.0], shape)


def binary(*shape: int) -> Draw:
    """Draw labels 0 and 1, as floating-point numbers."""
    return lambda rng: rng.integers(0, 2, shape).astype(float)


def simplex(count: int, classes: int) -> Draw:
    """Draw rows of probabilities."""
    return lambda rng: rng.dirichlet(np.ones(classes) * 3, count)


def drawn(given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return arrays for draws, and all else as it is; the same ones at each call."""
    rng = np.random.default_rng(0)
    return tuple(draw(rng) if callable(draw) else draw for draw in given)


def new(path: str, *arguments: Any, given: tuple[Any, ...], **options: Any) -> Callable[[], tuple]:
    """Return what makes an instance of a class, and its inputs."""
    return lambda: (load(path)(*arguments, **options), *drawn(given))


def functions(*paths: str, given: tuple[Any, ...]) -> Callable[[], tuple]:
    """Return what makes a pair of functions, or the one function, and their inputs."""

    def make() -> tuple:
        found = tuple(map(load, paths))
        return (found if len(found) > 1 else found[0], *drawn(given))

    return make
