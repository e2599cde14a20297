"""A few wrong entries of a large tensor, where they are all that is wrong."""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.observation import Observation
from gradcheck.report.data import Entry, Explanation, Support


def explain_few(observation: Observation, worst: tuple[Entry, ...]) -> list[list[Explanation]]:
    """Return the explanation that the entries known, or a slice through them, are all wrong."""
    if not worst:
        return []
    for where, members in _sets(observation.shape, [entry.index for entry in worst]):
        count = int(members.sum())
        if 2 * count > members.size or not _right_elsewhere(observation, members):
            continue
        entry = worst[0]
        return [
            [
                Explanation(
                    Bug.FEW_ENTRIES,
                    (observation.name,),
                    1 - count / members.size,
                    f"without them claim and derivative agree along {len(observation.directions)} "
                    f"directions; at {entry.index} {entry.claimed:.6g} is claimed, "
                    f"{entry.numerical:.6g} is right",
                    f"{count} of {members.size} entries are wrong, the others right: {where}",
                    "look at what backward does at these indices: first, last, repeated?",
                    Support("description", members.size, count),
                )
            ]
        ]
    return []


def _sets(shape: tuple[int, ...], places: list[tuple[int, ...]]) -> list[tuple[str, Array]]:
    """Return the sets of entries that may be wrong: those found, and slices that hold them all."""
    found = np.zeros(shape, dtype=bool)
    for place in places:
        found[place] = True
    listed = ", ".join(map(str, places[:6])) + (", ..." if len(places) > 6 else "")
    sets = [(listed, found)]
    for axis in range(len(shape)):
        indices = sorted({place[axis] for place in places})
        slices = np.zeros(shape, dtype=bool)
        np.moveaxis(slices, axis, 0)[indices] = True
        sets.append((f"the indices {indices} of axis {axis}", slices))
    return sets


def _right_elsewhere(observation: Observation, members: Array) -> bool:
    for direction in observation.directions:
        rest = np.where(members, 0.0, direction)
        claimed, numerical = observation.claimed(rest), observation.numerical(rest)
        if not abs(claimed.value - numerical.value) <= MARGIN * (claimed.bound + numerical.bound):
            return False
    return True
