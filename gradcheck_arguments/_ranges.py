"""What annotations say besides a kind: ``epochs: Count`` is an integer of at least 1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any


@dataclass(frozen=True)
class Range:
    """What a number has to lie in; NaN lies in none.

    Parameters
    ----------
    low, high
        The ends, of which ``low`` is in the range where ``closed`` is True, ``high`` is not.
    closed
        Whether ``low`` is in it.
    text
        The range in words, after what the number is: "of at least 1".
    """

    low: float
    high: float
    closed: bool
    text: str

    def holds(self, number: float) -> bool:
        """Whether a number lies in the range."""
        above = number >= self.low if self.closed else number > self.low
        return bool(above and number < self.high)


Count = Annotated[int, Range(1, math.inf, True, "of at least 1")]
Several = Annotated[int, Range(2, math.inf, True, "of at least 2")]
Seed = Annotated[int, Range(0, math.inf, True, "of at least 0")]
NonNegativeInt = Seed
Order = Annotated[int, Range(1, 3, True, "that is 1 or 2")]
Positive = Annotated[float, Range(0, math.inf, False, "above 0")]
Finite = Annotated[float, Range(-math.inf, math.inf, False, "that is finite")]
NonNegative = Annotated[float, Range(0, math.inf, True, "of at least 0")]
Share = Annotated[float, Range(0, 1, True, "in [0, 1)")]


class Leaves:
    """That a value is an array, or holds arrays at any depth: no word and no number by itself.

    What else it may hold is for its library to know: tensors of a framework, objects with arrays.
    """

    text = "an array, or a dictionary or list of arrays"

    def hold(self, value: Any, *, within: bool = False) -> bool:
        """Whether there is no word in it, and it is not a number; numbers may be held."""
        if isinstance(value, Mapping | list | tuple):
            held = value.values() if isinstance(value, Mapping) else value
            return all(self.hold(each, within=True) for each in held)
        return not isinstance(value, str | bytes if within else str | bytes | int | float)


ArrayTree = Annotated[Any, Leaves()]
