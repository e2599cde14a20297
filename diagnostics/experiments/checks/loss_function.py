"""Experiments on the loss function in use: zero probabilities, single samples, mean or sum."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from diagnostics.experiments.model.predictions import Labels, cross_entropy, of_class
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, advice
from diagnostics.history.table import Floats

SAME = 1e-6
ROWS = 6
# Losses add up to 1e-7 inside the logarithm, which moves them by less than this.
LOG_CLIPPING = 1e-4


def _cases(classes: int) -> tuple[Floats, Labels]:
    """A few rows of positive probabilities and their true classes."""
    rng = np.random.default_rng(0)
    return rng.dirichlet(np.ones(classes), ROWS), np.arange(ROWS) % classes


@dataclass(frozen=True)
class LossInUse:
    """The user's loss of probabilities and class indices, given in the form that it takes."""

    loss: Any
    classes: int
    targets: str

    def __call__(self, p: Floats, y: Labels) -> float | None:
        """Return the loss as one number, None when it cannot be had."""
        target = np.eye(self.classes)[y] if self.targets == "one-hot" else y
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                value = np.asarray(self.loss(p.copy(), target), dtype=np.float64)
        except Exception:  # noqa: BLE001  (whatever the user's code raises means: not in this form)
            return None
        return float(value.mean())


def _loss_in_use(subject: Subject) -> LossInUse:
    """The loss with one-hot rows or class indices: the form with the cross-entropy, if any."""
    (p, y), classes = _cases(subject.classes), subject.classes
    entropy = -np.log(of_class(p, y))
    known = (entropy.mean(), entropy.sum(), entropy.mean() / classes)
    forms = [LossInUse(subject.loss, classes, targets) for targets in ("one-hot", "indices")]
    values = {form: form(p, y) for form in forms}
    working = [form for form in forms if values[form] is not None]
    usual = [form for form in working if np.isclose(values[form] or 0.0, known).any()]
    return [*usual, *working, *forms][0]


def loss_of_zero_probability(subject: Subject) -> Finding | None:
    """The true class is given probability zero."""
    p, y = _cases(subject.classes)
    loss = _loss_in_use(subject)
    p[0] = np.eye(subject.classes)[(y[0] + 1) % subject.classes]
    value = loss(p, y)
    if value is None or np.isfinite(value):
        return None
    return Finding(
        message=f"loss returns {value} when a true class has probability zero.",
        evidence={"loss": str(value), "targets": loss.targets},
        causes=("log(0)",),
        steps=advice("Compute the loss from the logits: logsumexp(z) - z[y]."),
    )


def loss_over_classes(subject: Subject) -> Finding | None:
    """The loss of a batch is compared with the cross-entropy divided by the number of classes."""
    p, y = _cases(subject.classes)
    loss = _loss_in_use(subject)
    value, entropy = loss(p, y), cross_entropy(p, y)
    if value is None or abs(value * subject.classes - entropy) > LOG_CLIPPING * entropy:
        return None
    return Finding(
        message=(
            f"loss takes the mean over the classes too: it is {subject.classes} times too small, "
            f"{value:.4g} for a cross-entropy of {entropy:.4g}."
        ),
        evidence={"loss": value, "mean cross-entropy": entropy, "classes": subject.classes},
        causes=("np.mean over all entries of a table of (samples, classes)",),
        steps=advice("Sum over axis=-1, then take the mean over the samples."),
    )


def loss_of_single_sample(subject: Subject) -> Finding | None:
    """One sample is given alone and as a batch of one; many right losses take batches only."""
    p, y = _cases(subject.classes)
    loss = _loss_in_use(subject)
    batch = loss(p[:1], y[:1])
    alone = loss(p[0], y[0])
    if batch is None or alone is None or abs(alone - batch) <= SAME * abs(batch):
        return None
    return Finding(
        message=(
            f"loss is made for batches: one sample as a row alone gives {alone:.4g}, "
            f"as a batch of one {batch:.4g}."
        ),
        evidence={"alone": alone, "batch of one": batch, "ratio": alone / batch if batch else 0.0},
        steps=advice("Pass single samples as p[None], t[None]; or sum over axis=-1 in the loss."),
    )


def loss_is_a_sum(subject: Subject) -> Finding | None:
    """The batch is given twice over: a mean stays, a sum doubles."""
    p, y = _cases(subject.classes)
    loss = _loss_in_use(subject)
    once = loss(p, y)
    twice = loss(np.vstack([p, p]), np.concatenate([y, y]))
    if once is None or twice is None or abs(twice - 2 * once) > SAME * abs(once):
        return None
    return Finding(
        message="loss is a sum over the batch: it doubles when each sample is given twice.",
        evidence={"loss": once, "loss of the doubled batch": twice},
        causes=("np.sum where np.mean is meant",),
        steps=advice("Divide by the number of samples, so that batches of any size compare."),
    )
