"""The report of a comparison with a reference in higher precision."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from gradcheck.report.wording import text_width
from gradcheck.rounding.precision import Precision
from gradcheck.rounding.tensor_comparison import VERDICTS, RoundingKind, TensorComparison, worst_of

# What to change, by what was found.
ADVICE = {
    RoundingKind.SHORT_ACCUMULATOR: (
        "add up in a wider format, and round the sum once at the end; or declare accumulator= if "
        "this is meant"
    ),
    RoundingKind.MISSED_UPCAST: (
        "convert what is loaded before computing with it, and round once on storing; or declare "
        "intermediates= if this is meant"
    ),
    RoundingKind.SYSTEMATIC: (
        "no precision explains it: look at scales, masks, indices and tile edges"
    ),
    RoundingKind.UNDECIDED: "compare at other inputs, where the function is better conditioned",
}


@dataclass(frozen=True)
class ComparisonReport:
    """What a comparison with a reference found.

    Attributes
    ----------
    target, reference
        Their names.
    tensors
        Outputs and gradients, each compared by itself.
    precision
        What the target was taken to compute in.
    seed
        Of the cotangents and of the drawn errors.
    notes
        What was not compared, and why.
    """

    target: str
    reference: str
    tensors: tuple[TensorComparison, ...]
    precision: Precision
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def worst(self) -> TensorComparison:
        """The tensor that is farthest beyond rounding."""
        return worst_of(self.tensors)

    @property
    def kind(self) -> RoundingKind:
        """What the worst difference is."""
        return self.worst.kind

    @property
    def ok(self) -> bool | None:
        """Whether all differences are within rounding; None where that cannot be decided."""
        return VERDICTS[self.kind]

    @property
    def _verdict(self) -> str:
        return {True: "PASS", False: "FAIL", None: "UNDECIDED"}[self.ok]

    def __bool__(self) -> bool:
        return self.ok is True

    def __str__(self) -> str:
        worst, width = self.worst, text_width()
        title = f"{self._verdict}  {self.target} beside {self.reference}"
        lines = [f"{title}: {self.kind.replace('_', ' ')}", f"worst: {worst}"]
        if self.kind in ADVICE:
            lines.append(f"change: {ADVICE[self.kind]}")
        lines.append(f"model: {self.precision}; results rounded once; seed {self.seed}")
        lines += [
            f"  {tensor.kind.replace('_', ' '):<18} {tensor}"
            for tensor in self.tensors
            if tensor is not worst
        ]
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(
            textwrap.fill(line, width, subsequent_indent="  ", break_on_hyphens=False)
            for line in lines
        )

    def __repr__(self) -> str:
        return f"<ComparisonReport {self._verdict} {self.target}: {self.kind}>"
