"""Examples at random: from Hypothesis strategies, a space, or a generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.hunt.distributions import FAMILIES
from gradcheck.hunt.example import Example
from gradcheck.hunt.input_space import MOST_CALLS, Space

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

GIVEN = "given strategy"


def strategy_of(inputs: Any) -> SearchStrategy[Example] | None:
    """Return a strategy of examples where Hypothesis strategies were given."""
    if not any(_is_strategy(part) for part in _members(inputs)):
        return None
    from hypothesis import strategies as st

    if isinstance(inputs, Mapping):
        inputs = tuple(inputs.values())
    drawn = inputs if _is_strategy(inputs) else st.tuples(*inputs)

    def example(value: Any, calls: int) -> Example:
        return Example(value if isinstance(value, tuple) else (value,), GIVEN, calls)

    return st.builds(example, drawn, st.integers(0, MOST_CALLS))


def _members(inputs: Any) -> list[Any]:
    if isinstance(inputs, Mapping):
        return list(inputs.values())
    return list(inputs) if isinstance(inputs, tuple | list) else [inputs]


def _is_strategy(thing: Any) -> bool:
    """Whether ``thing`` is a Hypothesis strategy, found out without importing Hypothesis."""
    return any(cls.__name__ == "SearchStrategy" for cls in type(thing).__mro__)


def drawn_from(space: Space, families: list[str], seed: int) -> SearchStrategy[Example]:
    """Return a strategy of examples from the whole space, in the given families."""
    from hypothesis import strategies as st

    batches = st.integers(1, space.largest) if space.varies else st.just(space.batch)
    calls = st.integers(0, MOST_CALLS)
    seeds = st.integers(0, 2**16).map(lambda number: number + seed)
    return st.builds(space.build, st.sampled_from(families), batches, calls, seeds)


def at_random(space: Space, seed: int, count: int) -> Iterator[Example]:
    """Yield examples of all families in turn, half of them of small batches."""
    rng = np.random.default_rng([seed, count])
    families = list(FAMILIES)
    for number in range(count):
        family = families[number % len(families)]
        most = space.largest if number % 2 else min(space.largest, 4)
        batch = int(rng.integers(1, most + 1)) if space.varies else space.batch
        calls = int(rng.integers(0, MOST_CALLS + 1))
        yield space.build(family, batch, calls, int(rng.integers(2**16)))
