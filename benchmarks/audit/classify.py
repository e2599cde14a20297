"""What kind of disagreement it is: one kind for each operator, form and dtype."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.audit.formats import FORMATS
from benchmarks.audit.measure import Reading
from benchmarks.audit.points import ORDINARY, TAILS

# A constant of a float64 gradient that was rounded to single precision is off by up to half a unit
# of 2**-23, and hardly by less than a thousandth of that; products of two such by twice as much.
SINGLE = (2.0**-34, 2.0**-22)
CONSTANT_WITHIN = 4.0  # how much the relative errors of one constant may differ

# An error as large as this, at an ordinary point or far out, is no matter of precision.
WRONG = 1e-2


class Kind(StrEnum):
    """The classes of disagreements, worst first."""

    WRONG = "wrong value"
    NAN = "NaN where a derivative or subgradient exists"
    OVERFLOW = "infinite where the derivative is finite"
    KINK = "outside of the one-sided derivatives at a kink"
    TAIL = "wrong in a tail"
    CONSTANT = "single-precision constant in a float64 gradient"
    CANCELLATION = "cancellation near a point"
    PRECISION = "less accurate than the dtype"
    ABSORBED = "no more than rounding of the function's values, relative to a small slope"


@dataclass(frozen=True)
class Disagreement:
    """What a library's gradient does wrong along one slice, in one dtype.

    Attributes
    ----------
    kind
        What it is.
    readings
        Where it disagrees, in the order of the points.
    confirmed
        Whether a second truth beside the engine says so: a formula, or the float64 gradient.
    """

    kind: Kind
    readings: tuple[Reading, ...]
    confirmed: bool

    @property
    def worst(self) -> Reading:
        """The reading with the largest error; of what is wholly wrong far out, the nearest to 0."""
        if self.kind in (Kind.NAN, Kind.OVERFLOW, Kind.TAIL):
            return min(self.readings, key=lambda r: abs(r.x))
        return max(self.readings, key=lambda r: r.error)


def disagreements(readings: dict[str, list[Reading]]) -> Iterator[tuple[str, Disagreement]]:
    """Yield each dtype and what is wrong in it: by kinds, confirmed apart from unconfirmed."""
    right_in_float64 = {r.x for r in readings.get("float64", ()) if not r.disagrees}
    for dtype, of_dtype in readings.items():
        groups: dict[tuple[Kind, bool], list[Reading]] = {}
        smooth = [r for r in of_dtype if r.disagrees and _single_kind(r, dtype) is None]
        joint = _joint_kind(smooth, of_dtype, dtype)
        for r in of_dtype:
            if r.disagrees:
                second = dtype != "float64" and r.x in right_in_float64
                confirmed = r.numbers.exact is not None or second
                key = (_single_kind(r, dtype) or joint, confirmed)
                groups.setdefault(key, []).append(r)
        for (kind, confirmed), group in groups.items():
            yield dtype, Disagreement(kind, tuple(group), confirmed)


def _single_kind(r: Reading, dtype: str) -> Kind | None:
    """Return the kind that one reading alone shows."""
    if math.isnan(r.claimed):
        return Kind.NAN
    if math.isinf(r.claimed):
        return Kind.OVERFLOW
    if r.distance <= FORMATS[dtype].reach * max(1.0, abs(r.numbers.value)):
        return Kind.ABSORBED
    if r.truth.low < r.truth.high and r.truth.high - r.truth.low > r.rounding:
        return Kind.KINK
    if abs(r.x) >= TAILS[0] and r.error > WRONG:
        return Kind.TAIL
    return None


def _joint_kind(smooth: Sequence[Reading], among: Sequence[Reading], dtype: str) -> Kind:
    """Return the kind that the errors at all smooth points show together."""
    if not smooth:
        return Kind.PRECISION
    errors = [r.error for r in smooth]
    sloped = [r for r in among if r.decided and r.truth.size > r.allowed]
    if (
        dtype == "float64"
        and SINGLE[0] <= min(errors)
        and max(errors) <= min(SINGLE[1], CONSTANT_WITHIN * min(errors))
        and len(smooth) >= len(sloped) / 2
    ):
        return Kind.CONSTANT
    if any(r.error > WRONG and abs(r.x) in ORDINARY for r in smooth):
        return Kind.WRONG
    if any(abs(r.x) in ORDINARY or abs(r.x) >= TAILS[0] for r in smooth):
        return Kind.PRECISION
    return Kind.CANCELLATION
