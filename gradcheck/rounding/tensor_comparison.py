"""One tensor beside that of a reference: what the difference is, and how large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gradcheck.report.wording import index_words


class RoundingKind(StrEnum):
    """What the difference from a reference is."""

    WITHIN_ROUNDING = "within_rounding"
    SHORT_ACCUMULATOR = "short_accumulator"
    MISSED_UPCAST = "missed_upcast"
    SYSTEMATIC = "systematic"
    UNDECIDED = "undecided"


# From the worst to the best, with whether that is as it should be.
VERDICTS = {
    RoundingKind.SYSTEMATIC: False,
    RoundingKind.MISSED_UPCAST: False,
    RoundingKind.SHORT_ACCUMULATOR: False,
    RoundingKind.UNDECIDED: None,
    RoundingKind.WITHIN_ROUNDING: True,
}


@dataclass(frozen=True)
class TensorComparison:
    """One output or gradient beside that of the reference.

    Attributes
    ----------
    name
        Of the tensor, as in ``"output"`` or ``"gradient of x"``.
    format
        What its entries are kept in.
    kind
        What the difference is.
    words
        What was seen of a difference that is more than rounding.
    index, got, reference
        The entry that is off by most, measured by what it may be.
    ulps, allowed
        By how many ulps of the format it is off, and by how many it may be.
    wrong, size
        How many entries are off by more than they may, and how many there are.
    """

    name: str
    format: str
    kind: RoundingKind
    words: str
    index: tuple[int, ...]
    got: float
    reference: float
    ulps: float
    allowed: float
    wrong: int
    size: int

    def __str__(self) -> str:
        if not self.allowed:  # of another shape, or without entries
            return self.words or f"{self.name} is empty"
        where = f"{self.name}{index_words(self.index) if self.index else ''}"
        line = (
            f"{where} is {self.got:.6g}, the reference {self.reference:.6g}: off by "
            f"{self.ulps:.3g} ulps of {self.format}, of which rounding explains {self.allowed:.3g}"
        )
        if self.kind is RoundingKind.WITHIN_ROUNDING:
            return f"{line}; {self.words}" if self.words else line
        return f"{self.words}; {line}; {self.wrong} of {self.size} entries are off by more"


def worst_of(compared: Sequence[TensorComparison]) -> TensorComparison:
    """Return the tensor of the worst kind that is farthest beyond rounding."""
    order = list(VERDICTS)
    return min(compared, key=lambda t: (order.index(t.kind), -t.ulps / (t.allowed or 1.0)))
