"""The space of inputs that shapes, arrays or strategies span, and examples drawn from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck._types import Array
from gradcheck.hunt.distributions import FAMILIES
from gradcheck.hunt.example import Example

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# Sizes of an axis that may vary, where no range was given.
FREE_SIZES = range(1, 8)
# The largest batch: twice the example's and one more, and at least this, which no power of two
# and no usual block divides.
MANY_SAMPLES = 33
# Times that a layer is used before it is checked, at most.
MOST_CALLS = 3

# The family of what strategies of the user draw.
GIVEN = "given strategy"

Sizes = tuple[int | range, ...]


@dataclass(frozen=True)
class InputSlot:
    """One input: its sizes, dtype, and what its values have to be.

    Attributes
    ----------
    sizes
        Along every axis: a number, or the range of those it may have.
    domain
        ``"free"``; ``"integers"`` from ``low`` to ``high``; ``"unit"``: in [0, 1];
        ``"distribution"``: rows of probabilities; ``"one-hot"``: rows with a single one.
    follows
        Whether the first axis has the size of the batch, which varies.
    """

    sizes: Sizes
    dtype: np.dtype[Any]
    domain: str = "free"
    low: int = 0
    high: int = 0
    follows: bool = False

    @classmethod
    def of(cls, given: Any) -> InputSlot:
        """Read a shape, or take an array for an example."""
        if is_shape(given):
            if any(isinstance(size, int) and size < 0 for size in given):
                raise ValueError(f"inputs={given}: expected sizes of at least 0")
            free = (FREE_SIZES if size is None else size for size in given)
            return cls(tuple(free), np.dtype(np.float64))
        array = np.asarray(given)
        if array.dtype.kind in "iu":
            low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
            return cls(array.shape, array.dtype, "integers", low, high)
        if array.dtype.kind != "f":
            raise TypeError(
                f"inputs: an array of dtype {array.dtype} was given; expected a shape such as "
                "(8, 4), an array of floats or integers, or a Hypothesis strategy"
            )
        return cls(array.shape, array.dtype, _domain(array))

    def draw(self, family: str, rng: np.random.Generator, batch: int) -> Array:
        """Draw values of ``family`` for a batch of that many samples."""
        sizes = [int(rng.choice(s)) if isinstance(s, range) else s for s in self.sizes]
        if self.follows:
            sizes[0] = batch
        if self.domain == "integers":
            constant = family in ("zeros", "constant rows")
            shape = () if constant else tuple(sizes)
            drawn = rng.integers(self.low, self.high + 1, shape)
            return np.broadcast_to(drawn, sizes).astype(self.dtype)
        values = _into(self.domain, FAMILIES[family](rng, tuple(sizes)))
        return np.asarray(values).astype(self.dtype)


def is_shape(given: Any) -> bool:
    """Whether ``given`` is a tuple of sizes: numbers, ranges, and None for any size."""
    return isinstance(given, tuple) and all(
        size is None or isinstance(size, int | range) for size in given
    )


def _domain(array: Array) -> str:
    """Return what the entries of an example have in common that is no accident."""
    if array.size < 2 or np.ptp(array) == 0 or array.min() < 0 or array.max() > 1:
        return "free"
    sums = array.sum(axis=-1)
    if array.ndim > 1 and array.shape[-1] > 1 and np.allclose(sums, 1, rtol=1e-5):
        return "one-hot" if np.isin(array, (0, 1)).all() else "distribution"
    return "unit"


def _into(domain: str, values: Array) -> Array:
    """Bring values into a domain, keeping ties, zeros and orders of magnitude."""
    match domain:
        case "unit":
            values = np.abs(values) / (1 + np.abs(values))
        case "one-hot":
            values = np.eye(values.shape[-1])[values.argmax(axis=-1)]
        case "distribution":
            # half of the mass is spread evenly: logarithms of what is drawn stay finite
            size = np.abs(values) + np.abs(values).mean(axis=-1, keepdims=True) + 1e-300
            values = size / size.sum(axis=-1, keepdims=True)
    return values


@dataclass(frozen=True)
class Space:
    """All inputs of a layer; the first axes of those that follow have one size."""

    slots: tuple[InputSlot, ...]

    @classmethod
    def of(cls, given: Any) -> Space:
        """Read a shape, an example array, or a list or tuple of these."""
        several = isinstance(given, list | tuple) and not is_shape(given)
        if several and all(isinstance(size, int | float) for size in given):
            raise TypeError(f"inputs={given}: expected sizes that are whole numbers")
        return cls(tuple(InputSlot.of(item) for item in (given if several else (given,))))

    @property
    def batch(self) -> int:
        """Samples of the example."""
        first = self.slots[0].sizes[0] if self.slots and self.slots[0].sizes else 1
        return first if isinstance(first, int) else max(first)

    @property
    def varies(self) -> bool:
        """Whether the number of samples varies."""
        return any(slot.follows for slot in self.slots)

    @property
    def largest(self) -> int:
        """Samples of the largest batch."""
        return max(MANY_SAMPLES, 2 * self.batch + 1)

    def following(self) -> Iterator[Space]:
        """Yield the readings of which inputs follow the batch, likeliest first."""
        sized = [bool(s.sizes) and s.sizes[0] == self.batch for s in self.slots]
        seen: list[Sequence[bool]] = []
        for chosen in (sized, [*sized[:1], *(False for _ in sized[1:])]):
            if any(chosen) and chosen not in seen:
                seen.append(chosen)
                slots = zip(self.slots, chosen, strict=True)
                yield Space(tuple(replace(slot, follows=follows) for slot, follows in slots))

    def build(self, family: str, batch: int, calls: int, seed: int) -> Example:
        """Return the example that these numbers stand for."""
        rng = np.random.default_rng([seed, batch, *family.encode()])
        return Example(tuple(s.draw(family, rng, batch) for s in self.slots), family, calls)

    def pins(self, seed: int) -> Iterator[Example]:
        """Yield every family, the sizes that are special, and a layer that was used before."""
        for family in FAMILIES:
            yield replace(self.build(family, self.batch, 0, seed), contract=True)
        for calls in (1, MOST_CALLS):
            yield self.build("normal", self.batch, calls, seed + 1)
        if self.varies:
            for batch in (1, 2, self.batch + 1, self.largest):
                yield self.build("normal", batch, 0, seed + 1)


def strategy_of(inputs: Any) -> SearchStrategy[Example] | None:
    """Return a strategy of examples where Hypothesis strategies were given."""
    if isinstance(inputs, Mapping):
        inputs = tuple(inputs.values())
    if not any(map(_is_strategy, inputs if isinstance(inputs, tuple | list) else [inputs])):
        return None
    from hypothesis import strategies as st

    drawn = inputs if _is_strategy(inputs) else st.tuples(*inputs)

    def example(value: Any, calls: int) -> Example:
        return Example(value if isinstance(value, tuple) else (value,), GIVEN, calls)

    return st.builds(example, drawn, st.integers(0, MOST_CALLS))


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
