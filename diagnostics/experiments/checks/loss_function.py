"""Experiments on the loss function in use: zero probabilities, single samples, mean or sum."""

from __future__ import annotations

import warnings

import numpy as np

from diagnostics.experiments.model.subject import Subject
from diagnostics.experiments.registry import check
from diagnostics.finding import Finding, Severity, advice
from diagnostics.history.table import Floats

SAME = 1e-6
ROWS = 6
# Losses add up to 1e-7 inside the logarithm, which moves them by less than this.
LOG_CLIPPING = 1e-4


def _cases(classes: int) -> tuple[Floats, np.ndarray]:
    """A few rows of positive probabilities and their true classes."""
    rng = np.random.default_rng(0)
    return rng.dirichlet(np.ones(classes), ROWS), np.arange(ROWS) % classes


def _target_form(subject: Subject) -> str | None:
    """Whether the loss takes one-hot rows or class indices: the form with the cross-entropy."""
    p, y = _cases(subject.classes)
    entropy = -np.log(p[np.arange(ROWS), y])
    working = [form for form in ("one-hot", "indices") if _value(subject, p, y, form) is not None]
    for form in working:
        value = _value(subject, p, y, form)
        if (
            value is not None
            and np.isclose(
                value, (entropy.mean(), entropy.sum(), entropy.mean() / subject.classes)
            ).any()
        ):
            return form
    return working[0] if working else None


def _value(subject: Subject, p: Floats, y: np.ndarray, form: str) -> float | None:
    """The loss as one number, None when it cannot be had."""
    target = np.eye(subject.classes)[y] if form == "one-hot" else y
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            value = np.asarray(subject.loss(p.copy(), target), dtype=np.float64)
    except Exception:  # noqa: BLE001  (whatever the user's code raises means: not in this form)
        return None
    return float(value.mean())


@check(needs=("loss",))
def loss_of_zero_probability(subject: Subject) -> Finding | None:
    """The true class is given probability zero."""
    form = None if subject.loss is None else _target_form(subject)
    if form is None:
        return None
    p, y = _cases(subject.classes)
    p[0] = np.eye(subject.classes)[(y[0] + 1) % subject.classes]
    value = _value(subject, p, y, form)
    if value is None or np.isfinite(value):
        return None
    return Finding(
        code="exploding_or_nan",
        severity=Severity.WARNING,
        message=f"loss returns {value} when a true class has probability zero.",
        evidence={"loss": str(value), "targets": form},
        causes=("log(0)",),
        steps=advice("Compute the loss from the logits: logsumexp(z) - z[y]."),
    )


@check(needs=("loss",))
def loss_over_classes(subject: Subject) -> Finding | None:
    """The loss of a batch is compared with the cross-entropy divided by the number of classes."""
    form = None if subject.loss is None else _target_form(subject)
    if form is None:
        return None
    p, y = _cases(subject.classes)
    value, entropy = _value(subject, p, y, form), float(-np.log(p[np.arange(ROWS), y]).mean())
    if value is None or abs(value * subject.classes - entropy) > LOG_CLIPPING * entropy:
        return None
    return Finding(
        code="loss_scale_mismatch",
        severity=Severity.WARNING,
        message=(
            f"loss takes the mean over the classes too: it is {subject.classes} times too small, "
            f"{value:.4g} for a cross-entropy of {entropy:.4g}."
        ),
        evidence={"loss": value, "mean cross-entropy": entropy, "classes": subject.classes},
        causes=("np.mean over all entries of a table of (samples, classes)",),
        steps=advice("Sum over axis=-1, then take the mean over the samples."),
    )


@check(needs=("loss",))
def loss_of_single_sample(subject: Subject) -> Finding | None:
    """One sample is given alone and as a batch of one; many right losses take batches only."""
    form = None if subject.loss is None else _target_form(subject)
    if form is None:
        return None
    p, y = _cases(subject.classes)
    batch = _value(subject, p[:1], y[:1], form)
    alone = _value(subject, p[0], y[0], form)
    if batch is None or alone is None or abs(alone - batch) <= SAME * abs(batch):
        return None
    return Finding(
        code="loss_needs_batch",
        severity=Severity.INFO,
        message=(
            f"loss is made for batches: one sample as a row alone gives {alone:.4g}, "
            f"as a batch of one {batch:.4g}."
        ),
        evidence={"alone": alone, "batch of one": batch, "ratio": alone / batch if batch else 0.0},
        steps=advice("Pass single samples as p[None], t[None]; or sum over axis=-1 in the loss."),
    )


@check(needs=("loss",))
def loss_is_a_sum(subject: Subject) -> Finding | None:
    """The batch is given twice over: a mean stays, a sum doubles."""
    form = None if subject.loss is None else _target_form(subject)
    if form is None:
        return None
    p, y = _cases(subject.classes)
    once = _value(subject, p, y, form)
    twice = _value(subject, np.vstack([p, p]), np.concatenate([y, y]), form)
    if once is None or twice is None or abs(twice - 2 * once) > SAME * abs(once):
        return None
    return Finding(
        code="loss_scale_mismatch",
        severity=Severity.WARNING,
        message="loss is a sum over the batch: it doubles when each sample is given twice.",
        evidence={"loss": once, "loss of the doubled batch": twice},
        causes=("np.sum where np.mean is meant",),
        steps=advice("Divide by the number of samples, so that batches of any size compare."),
    )
