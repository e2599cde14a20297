"""Whether the analytic gradient is what a hypothesis predicts, but for the errors of both."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.factors import Factor, name_factor
from gradcheck.explain.hypothesis import Hypothesis, Operator
from gradcheck.explain.observation import Observation
from gradcheck.report.data import Explanation, Support

# A prediction with fitted numbers counts only if this many entries remain to contradict it, and
# if they are at least this share of all.
FREE_ENTRIES = 3
FREE_SHARE = 0.25

# What is this much smaller than the gradient is rounding: no multiple of it explains anything.
SIGNIFICANT = 1e-6

# Errors of a factor fitted to entries: of one on top of all, and of a part's.
OF_WHOLE, OF_PART = 1e-7, 1e-6

# Cost of fitting every entry: a prediction pays the share of it that it fitted.
COST_OF_FITTING = 1.0

# What code of the user may raise, or a prediction that cannot be made at this point.
IMPOSSIBLE = (ArithmeticError, LookupError, TypeError, ValueError, np.linalg.LinAlgError)


@dataclass(frozen=True)
class Gradients:
    """Analytic beside right gradient, entry by entry.

    Attributes
    ----------
    observation
        The analytic gradient.
    right, bound
        The right gradient, and how far the analytic one may be from it or from a prediction.
    known
        Entries where that is sharp enough to tell one bug from another.
    kind, means
        How the predictions are made, as of a `Support` and in words.
    claimed
        The analytic gradient where it is another than the observation's: a whole Jacobian.
    """

    observation: Observation
    right: Array
    bound: Array
    known: Array
    kind: str
    means: str
    claimed: Array | None = None

    @property
    def analytic(self) -> Array:
        """The analytic gradient."""
        return self.observation.analytic if self.claimed is None else self.claimed

    def agree(self, one: Array, other: Array, allowed: Array | None = None) -> bool:
        """Whether two gradients are the same at the known entries, within the bound."""
        allowed = np.broadcast_to(self.bound if allowed is None else allowed, one.shape)
        return bool(np.all((np.abs(one - other) <= allowed)[self.known]))


@dataclass(frozen=True)
class Match:
    """Hypotheses that together predict the analytic gradient, with the factors that remain.

    Attributes
    ----------
    parts
        All that it takes to be wrong: hypotheses, then factors.
    confidence
        How sharply the prediction was met.
    evidence, support
        The same in numbers.
    share
        Of the numbers predicted, those that were fitted.
    factor, bound
        Between analytic and predicted gradient along directions; None where both vanish.
    """

    parts: tuple[Hypothesis | Factor, ...]
    confidence: float
    evidence: str
    support: Support
    share: float = 0.0
    factor: float | None = None
    bound: float = 0.0

    @property
    def cost(self) -> float:
        """Description length of all that is wrong, and of the numbers fitted."""
        return sum(part.cost for part in self.parts) + COST_OF_FITTING * self.share

    @property
    def codes(self) -> tuple[Bug, ...]:
        """The bugs that it names, factors alone where there is nothing else."""
        hypotheses = [part for part in self.parts if isinstance(part, Hypothesis)]
        return tuple(part.code for part in hypotheses or self.parts)

    def explanations(self, name: str, rivals: int) -> list[Explanation]:
        """Put it into words; confidence is shared among so many that match as well."""
        sure, support = self.confidence / rivals, replace(self.support, rivals=rivals - 1)
        return [
            Explanation(
                part.code, (name,), sure, self.evidence, part.message, part.fix, support,
                self.factor, self.bound,
            )
            for part in self.parts
        ]  # fmt: skip


def match_entries(gradients: Gradients, hypothesis: Hypothesis) -> Match | None:
    """Return how a hypothesis predicts every known entry; None where it does not."""
    count, analytic = int(gradients.known.sum()), gradients.analytic
    free = count - hypothesis.fitted
    if hypothesis.fitted and (free < FREE_ENTRIES or free < FREE_SHARE * count):
        return None
    made = hypothesis.prediction
    assert not isinstance(made, Operator)
    try:
        values = np.broadcast_to(made() if callable(made) else made, analytic.shape)
    except IMPOSSIBLE:
        return None
    if not np.isfinite(values[gradients.known]).all():
        return None
    allowed = gradients.bound + hypothesis.blur
    if gradients.agree(values, gradients.right, allowed):
        return None  # as good as the gradient itself, which the analytic one is not
    if gradients.agree(values, analytic, allowed):
        return _of_entries(gradients, hypothesis, values)
    if hypothesis.part:
        return _with_factor_of_part(gradients, hypothesis, values)
    return _scaled(gradients, hypothesis, values, allowed) if hypothesis.scaled else None


def _factor(part: Array, whole: Array, allowed: Array) -> tuple[float, float]:
    """Fit ``whole`` by a multiple of ``part``; return the factor and its error."""
    weight = 1 / np.maximum(allowed, np.finfo(float).tiny)
    square = float(np.sum((weight * part) ** 2))
    if not square > 0 or not np.isfinite(square):
        return math.nan, math.inf
    return float(np.sum(weight**2 * part * whole)) / square, math.sqrt(part.size / square)


def _scaled(
    gradients: Gradients, hypothesis: Hypothesis, values: Array, allowed: Array
) -> Match | None:
    """Fit the constant factor that comes on top of a prediction."""
    known, analytic = gradients.known, gradients.analytic
    part = values[known]
    factor, error = _factor(part, analytic[known], np.broadcast_to(allowed, known.shape)[known])
    vanishing = np.linalg.norm(part) <= SIGNIFICANT * np.linalg.norm(gradients.right[known])
    if known.sum() < FREE_ENTRIES or not np.isfinite(factor) or factor == 0 or vanishing:
        return None
    if not gradients.agree(factor * values, analytic, allowed * max(1.0, abs(factor))):
        return None
    factors = name_factor(factor, error + OF_WHOLE * abs(factor), gradients.observation)
    if any(f.arbitrary for f in factors) and _one_number(part):
        return None
    if hypothesis.code is Bug.GRADIENT_OF_OTHER_LOSS:  # halved, summed or averaged by convention
        factors = [f for f in factors if f.code is Bug.SIGN_FLIPPED]
    return _of_entries(gradients, hypothesis, factor * values, tuple(factors))


def _one_number(values: Array) -> bool:
    """Whether all entries are multiples of so few numbers that a factor would always fit them."""
    sizes = np.round(values / np.abs(values).max(), 9)
    signs = set(np.sign(sizes)) - {0.0}
    different = len(set(np.abs(sizes)) - {0.0})
    return different < FREE_ENTRIES and (len(signs) < 2 or len(values) < 2 * FREE_ENTRIES)


def _with_factor_of_part(
    gradients: Gradients, hypothesis: Hypothesis, without: Array
) -> Match | None:
    """Fit the factor with which the part comes that a hypothesis leaves out."""
    right, analytic = gradients.right, gradients.analytic
    part = right - without
    factor, _ = _factor(part, analytic - without, gradients.bound)
    rest = float(np.linalg.norm(without)) > SIGNIFICANT * float(np.linalg.norm(right))
    if np.count_nonzero(part) < FREE_ENTRIES or not rest or not abs(factor) >= SIGNIFICANT:
        return None
    predicted = without + factor * part
    named = name_factor(factor, OF_PART * abs(factor), gradients.observation)
    if not named or not gradients.agree(predicted, analytic):
        return None
    changed = replace(
        hypothesis,
        code=hypothesis.code if hypothesis.code is Bug.ADDITIVE_TERM else named[0].code,
        message=f"{hypothesis.part} comes {factor:.6g} times",
        fix=f"correct the factor of {hypothesis.part}: it should be 1, not {factor:.6g}",
        cost=hypothesis.cost + sum(f.cost for f in named) / 2,
    )
    return _of_entries(gradients, changed, predicted)


def _of_entries(
    gradients: Gradients, hypothesis: Hypothesis, values: Array, factors: tuple[Factor, ...] = ()
) -> Match:
    count, analytic = int(gradients.known.sum()), gradients.analytic
    fitted = hypothesis.fitted
    size = float(np.abs(analytic).max(initial=0.0)) or 1.0
    error, apart = (
        float(np.abs(analytic - other)[gradients.known].max(initial=0.0)) / size
        for other in (values, gradients.right)
    )
    evidence = (
        f"{gradients.means} all of {count} entries to {error:.1g} of the largest"
        f"{f', {fitted} numbers fitted' if fitted else ''}; the numerical gradient differs by "
        f"{apart:.2g}"
    )
    share = fitted / max(1, count)
    support = Support(gradients.kind, count, fitted)
    return Match((hypothesis, *factors), hypothesis.sure * (1 - share), evidence, support, share)
