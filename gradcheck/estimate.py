"""How long a check will take, known from its first forward."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

from gradcheck.target import Target

# Seconds that a check may take without a word: nobody keeps at what they do for longer than that
# without one (J. Nielsen, "Usability Engineering", 1993, section 5.5).
LONG = 10.0

# Forwards along a direction, of an entry by itself, and of the contract: what right layers take,
# by the median of those in tests/support/network_cases.py (4 to 10, 7, and 12).
PER_DIRECTION, PER_ENTRY, OF_CONTRACT = 8, 7, 12


def clock() -> float:
    """Return the seconds since some moment."""
    return time.perf_counter()


@dataclass(frozen=True)
class Estimate:
    """How many forwards a check needs, and how many seconds one takes."""

    forwards: int
    each: float

    @property
    def seconds(self) -> float:
        """What the check will take where nothing is wrong; looking for a bug has its budget."""
        return self.forwards * self.each

    def __str__(self) -> str:
        units = (("h", 3600.0), ("min", 60.0), ("s", 1.0))
        unit, length = next(each for each in units if self.seconds >= 1.5 * each[1])
        return (
            f"about {self.seconds / length:.0f} {unit} to go, {self.forwards} forwards of "
            f"{self.each:.2g} s; Ctrl-C ends it with the report so far"
        )


def estimate(
    target: Target,
    names: Iterable[str],
    directions: int,
    *,
    every_entry: bool,
    contract: bool,
    at_most: float,
) -> Estimate | None:
    """Return the estimate of a check that will take long, None of any other.

    Parameters
    ----------
    target, names, directions
        What is checked, which of its tensors, along how many directions.
    every_entry, contract
        Whether every entry is measured, and the layer's promises are checked.
    at_most
        Seconds that a forward takes at most, as far as is known: where they are few, none is made
        to find out.
    """
    forwards = OF_CONTRACT if contract else 0
    for name in names:
        forwards += PER_DIRECTION * directions
        if every_entry:
            shape = target.tensors[name].shape
            # samples that do not depend on one another are measured together
            forwards += PER_ENTRY * math.prod(shape[1:] if name in target.batch_tensors else shape)
    if forwards * at_most < LONG:
        return None
    with target.state.guarded():
        began = clock()
        target.call(target.tensors)
        found = Estimate(forwards, clock() - began)
    return found if found.seconds >= LONG else None
