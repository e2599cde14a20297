"""A computation beside its reference: what is off by more than rounding, and of what kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.checking.context import CheckContext
from gradcheck.numerics.formats import SINGLE, Format
from gradcheck.rounding.allowance import Allowance
from gradcheck.rounding.evaluation import Evaluation, draws, evaluate
from gradcheck.rounding.patterns import CLEAR, VAGUE, first_seen
from gradcheck.rounding.precision import Precision, computed_in, formats_of
from gradcheck.rounding.tensor_comparison import RoundingKind, TensorComparison
from gradcheck.target import Target

ALL_DIGITS = "rounding alone may change every digit of most entries"
SAME_WAY = "every entry is within rounding, but the errors go the same way, as no roundings do"
TRUNCATED = "results are cut off toward zero, not rounded to nearest"

# Where rounding alone may change all of so large a share of the entries, nothing was compared.
MOST_UNKNOWN = 0.5


class Drawn(NamedTuple):
    """Tensors as they come out with drawn rounding errors, and terms of the longest sum."""

    tensors: dict[str, Array]
    longest_sum: float


@dataclass(frozen=True)
class ReferenceComparison:
    """A reference in float64, and what computes in lower precision beside it.

    Attributes
    ----------
    target
        The reference.
    cotangents
        Of both; None where no gradients are compared.
    precision
        What the other computes in.
    seed
        Of the drawn errors.
    names
        The tensors of the other by those of the reference.
    """

    target: Target
    cotangents: Outputs | None
    precision: Precision
    seed: int
    names: Mapping[str, str]

    def of(self, found: Evaluation, formats: Mapping[str, Format]) -> list[TensorComparison]:
        """Compare what was found with the reference, tensor by tensor."""
        right = self._named(evaluate(self.target, self.cotangents))
        drawn = self._drawn(self.precision)
        declared, lowest = self.precision, self.precision.lowest
        others = {}
        if lowest.digits < declared.intermediates.digits:
            lower = replace(declared, intermediates=lowest, kept=lowest)
            others[RoundingKind.MISSED_UPCAST] = cache(partial(self._drawn, lower))
        if lowest.digits < declared.accumulator.digits:
            shorter = replace(declared, accumulator=lowest)
            others[RoundingKind.SHORT_ACCUMULATOR] = cache(partial(self._drawn, shorter))
        return [
            self._compared(name, got, right[name], drawn, others, formats[name])
            for name, got in found.tensors.items()
            if name in right
        ]

    def of_operations(
        self, subject: Target, formats: Mapping[str, Format]
    ) -> list[TensorComparison]:
        """Compare what operations that are seen return when they compute in float64.

        In low precision alone a wrong factor could be too small to be seen. What such code holds
        that is opaque may compute in float32.
        """
        low = self.precision.intermediates.digits < SINGLE.digits
        wide = subject.cast(np.float64) if low and self.precision.how == "measured" else None
        if wide is None or any(known.digits < SINGLE.digits for known in computed_in(wide)):
            return []
        single = Precision(SINGLE, SINGLE, SINGLE, SINGLE, "assumed")
        alone = replace(self, cotangents=None, precision=single)
        found = alone.of(evaluate(wide), dict.fromkeys(formats, SINGLE))
        return [replace(each, name=f"{each.name}, computed in float64,") for each in found]

    def _compared(
        self,
        name: str,
        got: Array,
        right: Array,
        drawn: Drawn,
        others: Mapping[RoundingKind, Callable[[], Drawn]],
        kept_in: Format,
    ) -> TensorComparison:
        if got.squeeze().shape == right.squeeze().shape:
            got = got.reshape(right.shape)
        if got.shape != right.shape:
            words = f"{name} has the shape {list(got.shape)}, the reference {list(right.shape)}"
            return TensorComparison(
                name, kept_in.name, RoundingKind.SYSTEMATIC, words, (), np.nan, np.nan, np.inf, 0.0,
                got.size, got.size,
            )  # fmt: skip
        allowance = Allowance(right, drawn.tensors[name], kept_in)
        cut_off = replace(allowance, truncated=True)
        fits = not cut_off.beyond(got).any() and not cut_off.biased(got)
        if fits and allowance.beyond(got).any():
            return _measured(name, RoundingKind.WITHIN_ROUNDING, TRUNCATED, got, cut_off)
        kind, words = self._kind(name, got, allowance, others)
        return _measured(name, kind, words, got, allowance)

    def _kind(
        self,
        name: str,
        got: Array,
        allowance: Allowance,
        others: Mapping[RoundingKind, Callable[[], Drawn]],
    ) -> tuple[RoundingKind, str]:
        beyond = allowance.beyond(got).any()
        if not beyond and not allowance.biased(got):
            if allowance.unknown.size and allowance.unknown.mean() > MOST_UNKNOWN:
                return RoundingKind.UNDECIDED, ALL_DIGITS
            return RoundingKind.WITHIN_ROUNDING, ""
        seen = first_seen(CLEAR, got, allowance)
        if seen:
            return RoundingKind.SYSTEMATIC, seen
        fits: dict[RoundingKind, tuple[float, str]] = {}
        for kind, draw in others.items():
            drawn = draw()
            wider = replace(allowance, drawn=drawn.tensors[name])
            # a running sum of so many terms comes to a halt: its errors are as large as it is
            is_sum = kind is RoundingKind.SHORT_ACCUMULATOR
            stalls = is_sum and drawn.longest_sum * self.precision.lowest.unit >= 1
            if not wider.beyond(got).any() and (stalls or wider.looks_drawn(got)):
                size = float(np.median(wider.entries(got)))
                fits[kind] = size, self._words(kind, drawn.longest_sum)
        if fits:
            best = min(fits, key=lambda kind: fits[kind][0])
            return best, fits[best][1]
        seen = first_seen(VAGUE, got, allowance)
        if not beyond and not seen:
            seen = SAME_WAY
        return RoundingKind.SYSTEMATIC, seen or "no rounding explains the error"

    def _words(self, kind: RoundingKind, longest: float) -> str:
        if kind is RoundingKind.SHORT_ACCUMULATOR:
            return (
                f"as of sums in {self.precision.lowest.name} over {longest:,.0f} terms, not in "
                f"{self.precision.accumulator.name}"
            )
        return (
            f"as of values kept in {self.precision.lowest.name} between operations, not in "
            f"{self.precision.intermediates.name}: an upcast is missing"
        )

    def _drawn(self, precision: Precision) -> Drawn:
        formats = precision.intermediates, precision.accumulator, precision.kept
        found: dict[str, list[Array]] = {}
        longest = 1.0
        for evaluation, arithmetic in draws(self.target, self.cotangents, *formats, self.seed):
            longest = max(longest, arithmetic.longest_sum)
            for name, value in self._named(evaluation).items():
                found.setdefault(name, []).append(value)
        return Drawn({name: np.stack(values) for name, values in found.items()}, longest)

    def _named(self, evaluation: Evaluation) -> dict[str, Array]:
        """Return the tensors of the reference by the names of what is compared with it."""
        gradients = {n: g for n, g in evaluation.gradients.items() if n in self.names}
        renamed = {self.names[name]: g for name, g in gradients.items()}
        return Evaluation(evaluation.outputs, renamed).tensors


def _measured(
    name: str, kind: RoundingKind, words: str, got: Array, allowance: Allowance
) -> TensorComparison:
    """Return a comparison with the entry that is farthest beyond what it may be."""
    if not got.size:
        return TensorComparison(name, allowance.format.name, kind, words, (), 0, 0, 0, 0, 0, 0)
    gap, allowed = allowance.gap(got), allowance.entries(got)
    with np.errstate(all="ignore"):
        share = np.nan_to_num(gap / allowed, nan=0.0, posinf=np.finfo(float).max)
    index = tuple(map(int, np.unravel_index(int(np.argmax(share)), got.shape)))
    ulp = float(allowance.format.ulp(np.nan_to_num(allowance.reference[index])))
    return TensorComparison(
        name, allowance.format.name, kind, words, index, float(got[index]),
        float(allowance.reference[index]), float(gap[index]) / ulp, float(allowed[index]) / ulp,
        int(allowance.beyond(got).sum()), got.size,
    )  # fmt: skip


def compare_base(
    context: CheckContext,
    reference: Target,
    names: Mapping[str, str],
    accumulator: str | None,
    *,
    gradients: bool,
) -> list[TensorComparison]:
    """Compare what a check has computed at its point; ``names`` as for `ReferenceComparison`."""
    base, subject = context.native_base, context.native.target
    with subject.state.guarded():
        formats = formats_of(subject, context.native.run(subject.tensors))
    precision = Precision.of(subject, list(formats.values()), base.cotangents, accumulator)
    cotangents = base.cotangents if gradients else None
    comparison = ReferenceComparison(reference, cotangents, precision, context.seed, names)
    wide = {name: gradient.astype(np.float64) for name, gradient in base.analytic.items()}
    found = Evaluation(tuple(y.astype(np.float64) for y in base.outputs), wide)
    return comparison.of(found, formats) + comparison.of_operations(subject, formats)
