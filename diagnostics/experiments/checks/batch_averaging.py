"""Is the reported loss averaged over samples? Over batches, the last one counts too much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from diagnostics.experiments.measures.loss_variants import clipped_losses
from diagnostics.experiments.model.subject import Subject
from diagnostics.experiments.registry import check
from diagnostics.finding import Finding, Severity, advice
from diagnostics.history.table import Floats

# Batch sizes that people use.
SIZES = (8, 10, 16, 20, 32, 50, 64, 100, 128, 200, 256, 500, 512, 1000, 1024, 2048, 4096)
# Sums over many samples in single precision differ by this much.
ROUNDING = 1e-6
# A match that chance brings about more often than this proves nothing, and than this is no news.
BY_CHANCE, WORTH_A_WORD = 0.02, 0.2
# An average that is off by more than this share misleads.
LARGE = 0.1


@dataclass(frozen=True)
class Average:
    """One wrong way to average over batches of one size."""

    batch_size: int
    said: str
    scale: bool  # whether the result is of another size altogether
    value: float


def averages(losses: Floats) -> Iterator[Average]:
    """Yield what comes of averaging these losses over batches in usual wrong ways.

    Parameters
    ----------
    losses
        Of the samples in the order of evaluation, shape (n,).
    """
    n = len(losses)
    for size in (size for size in SIZES if size < n):
        starts = np.arange(0, n, size)
        sums = np.add.reduceat(losses, starts)
        means = sums / np.diff(np.append(starts, n))
        full, last = n // size, n % size
        if last:
            of = f"batches of {size}, the last one of {last}"
            yield Average(size, f"the mean of the means of {of}", False, float(means.mean()))
            left = float(losses[: full * size].mean())
            yield Average(size, f"the mean without the last {last} samples", False, left)
            padded = float(losses.sum() / (len(starts) * size))
            yield Average(
                size, f"the sum over {of}, divided by {len(starts)} x {size}", False, padded
            )
        total = float(means.sum())
        of = f"the means of batches of {size}"
        yield Average(size, f"the sum of {of}", True, total)
        summed = float(losses.sum() / len(starts))
        yield Average(size, f"the mean of the sums of batches of {size}", True, summed)
        yield Average(size, f"the sum of {of}, divided by the number of samples", True, total / n)


@check(
    unless=("evaluation_bug", "nondeterministic_prediction", "classes_returned"), needs=("history",)
)
def averaged_over_batches(subject: Subject) -> Finding | None:
    """The reported loss is compared, to its last digit, with means over batches."""
    reported = subject.reported_loss
    if reported is None:
        return None
    right = float(subject.sample_losses.mean())
    every = [losses for losses, _ in clipped_losses(subject)]
    if any(abs(float(losses.mean()) - reported) <= resolution_of(reported) for losses in every):
        return None
    found = (_matches(losses, reported) for losses in every)
    matches, chance = next((pair for pair in found if pair[0]), ([], 1.0))
    accuracy = subject.reported("val_accuracy")
    if accuracy is not None:
        also, coincidence = _matches(subject.right.astype(np.float64), accuracy)
        ways = {match.said for match in also}
        both = [match for match in matches if match.said in ways]
        matches, chance = (both, chance * coincidence) if both else (matches, chance)
    if not matches or chance > WORTH_A_WORD:
        return None
    match, off = matches[0], reported / right - 1
    severity = Severity.PROBLEM if match.scale or abs(off) > LARGE else Severity.WARNING
    return Finding(
        code="loss_scale_mismatch" if match.scale else "biased_average",
        severity=severity if chance <= BY_CHANCE else Severity.INFO,
        message=(
            f"The reported loss {reported:.6g} is {match.said}; the mean over the samples is "
            f"{right:.6g}."
        ),
        # as likely as not beforehand: the odds are one against as many as chance brings about
        confidence=min(0.95, 1 / (1 + chance)),
        evidence={
            "reported": reported,
            "mean over the samples": right,
            "difference": f"{off:+.2%}",
            "batch size": match.batch_size,
            "samples": len(subject.y),
            "as near by chance": chance,
        },
        causes=("losses of batches are averaged as if all batches had the same size",),
        steps=advice(
            "Weight each batch by its size: total += loss * len(batch); then total / n.",
            "Or take the mean over the losses of all samples at once.",
        ),
    )


def _matches(values: Floats, reported: float) -> tuple[list[Average], float]:
    """The averages that give the reported number, and how many would by chance."""
    away, resolution = abs(reported - float(values.mean())), resolution_of(reported)
    if away <= resolution:
        return [], 1.0
    candidates = list(averages(values))
    near = [c for c in candidates if abs(c.value - reported) <= away]
    # so many numbers lie within this distance on either side, each as wide as what was printed
    expected = len(near) * resolution / away
    return [c for c in near if abs(c.value - reported) <= resolution], min(expected, 1.0)


def resolution_of(value: float) -> float:
    """Return how far a printed number may be from the one it was printed from."""
    text = repr(value)
    decimals = len(text.partition(".")[2]) if "e" not in text else 17
    return max(0.5 * 10.0**-decimals, ROUNDING * abs(value))
