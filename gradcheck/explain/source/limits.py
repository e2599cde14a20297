"""How long changed code may run, which may never end, and do nothing but compute."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

from gradcheck.isolation import map_isolated

# Of real time for one trial: this, for what starts slowly, and so often what the code as it is
# took to be measured once. A trial measures it at one more point and runs the contract.
LEAST_SECONDS = 2.0
TIMES_UNCHANGED = 20.0

Item = TypeVar("Item")


@dataclass(frozen=True)
class Limits:
    """Bounds on trials.

    Attributes
    ----------
    seconds
        Of real time, for one.
    until
        When all of them end, by `time.monotonic`.
    """

    seconds: float
    until: float

    @classmethod
    def after(cls, unchanged: float, until: float) -> Limits:
        """Return the bounds for code that took ``unchanged`` seconds to be measured as it is."""
        return cls(LEAST_SECONDS + TIMES_UNCHANGED * unchanged, until)

    @property
    def passed(self) -> bool:
        """Whether the time for all is over."""
        return time.monotonic() >= self.until

    def each(
        self, function: Callable[[Item], Any], items: Sequence[Item]
    ) -> Generator[Any, None, None]:
        """Yield what a function that runs changed code returns, as `map_isolated`."""
        return map_isolated(function, items, self.seconds, self.until, guarded=True)

    def one(self, function: Callable[[], Any]) -> Any:
        """Return what a function that runs changed code returns."""
        with closing(self.each(lambda _: function(), [None])) as answers:
            return next(answers)
