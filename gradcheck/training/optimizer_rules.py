"""Rules by which a training step may turn the gradient into a change of the parameters.

A step that is not plain descent implies another gradient than that of the loss, and may still be
right. Each rule predicts what the step implies from the numerical gradient at a few entries of
every parameter, and is accepted only where it predicts all of them within their bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.context import CheckContext
from gradcheck.checking.entrywise import EntrywiseGradient
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.catalogue import Bug
from gradcheck.report.data import Explanation

# Entries measured of each parameter: the largest gradients, and as many at random.
LARGEST, RANDOM = 6, 6
# Entries that have to agree beyond the numbers fitted.
SPARE = 3
# A threshold that somebody chose has at most so many digits; one norm in 10^4 has them by chance.
DIGITS, CHOSEN = 2, 1e-6


@dataclass(frozen=True)
class Sample:
    """Some entries of every parameter whose gradient is not that of the loss.

    Attributes
    ----------
    norms
        Euclidean norms of the implied gradients, by parameter, of all parameters.
    name
        The parameter of each entry.
    value, implied, numerical, bound
        The entry, the gradient that the step implies, the measured one, and the error of the two.
    """

    norms: dict[str, float]
    name: Array
    value: Array
    implied: Array
    numerical: Array
    bound: Array

    @classmethod
    def of(cls, context: CheckContext, names: list[str]) -> Sample:
        """Measure entries of the parameters in ``names``."""
        point, found = context.base, []
        for name in names:
            analytic, entries = point.analytic[name], EntrywiseGradient(context, point, name)
            largest = np.argsort(np.abs(analytic), axis=None)[-LARGEST:]
            others = context.rng.permutation(analytic.size)[:RANDOM]
            for position in np.union1d(largest, others):
                index = tuple(int(i) for i in np.unravel_index(position, analytic.shape))
                entry, value = entries.one(index), float(point.tensors[name][index])
                found.append((name, value, entry.analytic, entry.numerical, entry.bound))
        norms = {name: float(np.linalg.norm(analytic)) for name, analytic in point.analytic.items()}
        return cls(norms, *(np.array(column) for column in zip(*found, strict=True)))

    def where(self, chosen: Array) -> Sample:
        """Return some of the entries."""
        columns = ("name", "value", "implied", "numerical", "bound")
        return replace(self, **{column: getattr(self, column)[chosen] for column in columns})

    def fitted(self, columns: list[Array], to: Array) -> list[float]:
        """Return the coefficients of columns that fit best, entries weighted by what is known."""
        matrix = np.stack([*columns, to], axis=1)
        weight = np.where(self.bound > 0, 1 / self.bound, np.inf)
        known = np.isfinite(matrix).all(axis=1) & np.isfinite(weight) & (weight > 0)
        if known.sum() < len(columns):
            return [float("nan")] * len(columns)
        weighted = matrix[known] * weight[known, np.newaxis]
        return [float(c) for c in np.linalg.lstsq(weighted[:, :-1], weighted[:, -1], rcond=None)[0]]

    def is_predicted(self, prediction: Array, slope: Array | float = 1.0, fitted: int = 1) -> bool:
        """Whether a prediction with this slope in the gradient agrees at all entries."""
        known = np.isfinite(self.bound) & np.isfinite(prediction)
        error = np.abs(self.implied - prediction)
        within = error <= MARGIN * self.bound * np.maximum(1.0, np.abs(slope))
        return bool(known.sum() >= fitted + SPARE and within[known].all())


@dataclass(frozen=True)
class UpdateRule:
    """What turns the gradient into the step.

    Attributes
    ----------
    explanation
        What was recognised, of all parameters that failed.
    of_size
        Whether only the size of the step is another: people mean that, so that it is no fault.
    """

    explanation: Explanation
    of_size: bool

    @classmethod
    def of(cls, sample: Sample, code: Bug, message: str, fix: str, formula: str = "") -> UpdateRule:
        """Return a rule that predicts a sample."""
        names = tuple(dict.fromkeys(sample.name.tolist()))
        evidence = f"this predicts {len(sample.value)} entries measured, of {', '.join(names)}"
        evidence = f"{formula}; {evidence}" if formula else evidence
        of_size = code != Bug.ADDITIVE_TERM
        return cls(Explanation(code, names, 0.99, evidence, message, fix), of_size)


def recognised(context: CheckContext, failed: list[str]) -> UpdateRule | None:
    """Return the rule that the step follows in all parameters that ``failed``; None if unknown."""
    context.begin("rules")
    sample = Sample.of(context, failed)
    factor = _factor(sample)
    if np.isfinite(factor):
        return _clipped_together(sample, factor) if set(sample.norms) == set(failed) else None
    found = (rule(sample) for rule in (_clipped_apart, _clipped_entries, _decay, _adaptive))
    return next((rule for rule in found if rule is not None), None)


def _clipped_together(sample: Sample, factor: float) -> UpdateRule | None:
    """The step is g min(1, c / |g|), the norm that of all parameters (Pascanu et al. 2013)."""
    size = float(np.linalg.norm(list(sample.norms.values())))
    if not 0 < factor < 1 or not _is_chosen(size):
        return None
    return _clipping(sample, f"all gradients together to norm {size:.4g}", factor)


def _clipped_apart(sample: Sample) -> UpdateRule | None:
    """The step is g min(1, c / |g|), for each parameter by itself."""
    names = sorted(set(sample.name.tolist()))
    factors = np.array([_factor(sample.where(sample.name == name)) for name in names])
    sizes = np.array([sample.norms[name] for name in names])
    alike = np.allclose(sizes, sizes[0], rtol=CHOSEN, atol=0)
    known = alike if len(sizes) > 1 else _is_chosen(sizes[0])
    if not known or not np.all((factors > 0) & (factors < 1)):
        return None
    return _clipping(sample, f"each parameter's gradient to norm {sizes[0]:.4g}", factors.min())


def _clipped_entries(sample: Sample) -> UpdateRule | None:
    """The step is min(max(g, -c), c), entry by entry."""
    limit = float(np.abs(sample.implied).max())
    at_limit = np.isclose(np.abs(sample.implied), limit, rtol=CHOSEN, atol=0)
    beyond = np.abs(sample.numerical) > limit + MARGIN * sample.bound
    clipped = np.clip(sample.numerical, -limit, limit)
    # the sign of a gradient is clipped as well, and has nothing within the limits
    if beyond.sum() <= SPARE or at_limit.all() or not sample.is_predicted(clipped):
        return None
    return _clipping(sample, f"every entry to {limit:.4g}")


def _clipping(sample: Sample, what: str, factor: float = 1.0) -> UpdateRule:
    left = f", which leaves {factor:.4g} of the gradient" if factor < 1 else ""
    fix = "check with the clipping off to see that all else is right"
    return UpdateRule.of(sample, Bug.CONSTANT_FACTOR, f"the step clips {what}{left}", fix)


def _decay(sample: Sample) -> UpdateRule | None:
    """The step is k g + c w, or k g + c sign(w): a penalty that the reported loss is without."""
    terms = {
        ("weight decay", "* {0}", "0.5 * {1} * np.sum({0} ** 2)"): sample.value,
        ("an L1 penalty", "* np.sign({0})", "{1} * np.sum(np.abs({0}))"): np.sign(sample.value),
    }
    for (what, term, penalty), column in terms.items():
        k, [size] = 1.0, sample.fitted([column], sample.implied - sample.numerical)
        if not sample.is_predicted(sample.numerical + size * column):
            k, size = sample.fitted([sample.numerical, column], sample.implied)
        adds = np.abs(size * column) > MARGIN * sample.bound
        predicted = k * sample.numerical + size * column
        if adds.sum() <= SPARE or not sample.is_predicted(predicted, k, fitted=2):
            continue
        of = " and ".join(sorted(set(sample.name.tolist())))
        scaled = "" if k == 1 else f", and {k:.6g} times the gradient of the loss"
        return UpdateRule.of(
            sample,
            Bug.ADDITIVE_TERM,
            f"the step has {what} {size:.4g}{scaled}: it descends the loss reported and a penalty "
            f"on {of}",
            f"report the penalty as well, loss + {penalty.format('W', f'{size:.4g}')}, or check "
            "with the decay off" + ("; the factor is a fault of its own" if scaled else ""),
            f"implied = {k:.6g} * gradient + {size:.6g} {term.format('parameter')}",
        )
    return None


def _adaptive(sample: Sample) -> UpdateRule | None:
    """The step is s g / (|g| + e): the sign, or the first of Adam, Adagrad (s = 1) or RMSProp."""
    finite = np.isfinite(sample.implied) & np.isfinite(sample.numerical)
    measured = sample.where(finite & (np.abs(sample.numerical) > MARGIN * sample.bound))
    fitted = _saturating(measured, np.abs(measured.implied), np.abs(measured.numerical))
    if fitted is None:
        return None
    s, e = fitted
    return UpdateRule.of(
        sample,
        Bug.GRADIENT_OF_OTHER_LOSS,
        f"the step follows the sign of the gradient, {s:.4g} in every entry: it is adaptive, "
        f"{_name(s)}",
        "every sign is right; check the sizes with plain gradient steps (SGD), or the layers alone",
        f"implied = {s:.6g} * gradient / (|gradient| + {e:.2g})",
    )


def _saturating(measured: Sample, size: Array, slope: Array) -> tuple[float, float] | None:
    """Return s and e of steps of the size s |g| / (|g| + e), None where they are not."""
    both_signs = bool((measured.implied > 0).any() and (measured.implied < 0).any())
    if len(size) >= SPARE and both_signs and np.ptp(size) <= CHOSEN * size.max():
        return float(np.median(size)), 0.0
    if len(size) <= 2 + SPARE or np.any(size == 0):
        return None
    # 1 / size = 1 / s + (e / s) / |g|
    columns = np.stack([np.ones(len(size)), 1 / slope], axis=1)
    inverse, per_slope = np.linalg.lstsq(columns, 1 / size, rcond=None)[0]
    if not inverse > 0 or per_slope > inverse * np.median(slope):
        return None
    s, e = float(1 / inverse), max(float(per_slope / inverse), 0.0)
    predicted = s * measured.numerical / (slope + e)
    # the derivative of the prediction by the gradient, s e / (|g| + e)^2, widens the bound
    widened = s * e / (slope + e) ** 2 + CHOSEN * size / measured.bound
    return (s, e) if measured.is_predicted(predicted, widened, fitted=2) else None


def _name(size: float) -> str:
    """Name the optimizer whose first step has this size."""
    if np.isclose(size, 1, rtol=1e-3):
        return "such as the first step of Adam or Adagrad, or signSGD, or all entries are clipped"
    decay = 1 - size**-2
    if size > 1 and _is_chosen(decay, 1e-4):
        return f"such as the first step of RMSProp with decay {decay:.4g}"
    return f"or signSGD at another learning rate, or every entry is clipped to {size:.4g}"


def _factor(sample: Sample) -> float:
    """Return the one factor between implied and numerical gradients; NaN if there is none."""
    u, g, bound = sample.implied, sample.numerical, sample.bound
    factor = float(u @ g / (g @ g or 1.0))
    fits = np.abs(u - factor * g) <= MARGIN * bound * max(1.0, abs(factor))
    return factor if fits.all() and np.any(np.abs(g) > MARGIN * bound) else float("nan")


def _is_chosen(number: float, accuracy: float = CHOSEN) -> bool:
    """Whether a number has so few digits that somebody wrote it down."""
    return bool(np.isclose(float(f"{number:.{DIGITS - 1}e}"), number, rtol=accuracy, atol=0))
