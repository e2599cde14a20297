"""Is the reported loss averaged over samples? Over batches, the last one counts too much."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from diagnostics.experiments.measures.loss_variants import Variant, clipped_losses
from diagnostics.experiments.model.subject import Subject
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
# The code of averages that are of another size altogether.
SCALED = "loss_scale_mismatch"


def batch_means(losses: Floats, size: int) -> Floats:
    """Return the means over batches of one size, the last of which may be smaller."""
    starts = np.arange(0, len(losses), size)
    return np.add.reduceat(losses, starts) / np.diff(np.append(starts, len(losses)))


def averages(losses: Floats) -> Iterator[Variant]:
    """Yield what comes of averaging losses, shape (n,), over batches in usual wrong ways."""
    n, total = len(losses), losses.sum()
    for size in (size for size in SIZES if size < n):
        means, last = batch_means(losses, size), n % size
        of, count = f"batches of {size}", len(means)
        cut = f"{of}, the last one of {last}"
        biased = {
            f"the mean of the means of {cut}": means.mean(),
            f"the mean without the last {last} samples": losses[: n - last].mean(),
            f"the sum over {cut}, divided by {count} x {size}": total / (count * size),
        }
        scaled = {
            f"the sum of the means of {of}": means.sum(),
            f"the mean of the sums of {of}": total / count,
            f"the sum of the means of {of}, divided by the number of samples": means.sum() / n,
        }
        for code, ways in (("biased_average", biased if last else {}), (SCALED, scaled)):
            for name, value in ways.items():
                yield Variant(name, code, float(value), batch_size=size)


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
        ways = {match.name for match in also}
        both = [match for match in matches if match.name in ways]
        matches, chance = (both, chance * coincidence) if both else (matches, chance)
    if not matches or chance > WORTH_A_WORD:
        return None
    match, off = matches[0], reported / right - 1
    severity = Severity.PROBLEM if match.code == SCALED or abs(off) > LARGE else Severity.WARNING
    return Finding(
        code=match.code,
        severity=severity if chance <= BY_CHANCE else Severity.INFO,
        message=(
            f"The reported loss {reported:.6g} is {match.name}; the mean over the samples is "
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


def _matches(values: Floats, reported: float) -> tuple[list[Variant], float]:
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
