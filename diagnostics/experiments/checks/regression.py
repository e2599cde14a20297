"""Experiments on the answers of a regression."""

from __future__ import annotations

import numpy as np

from diagnostics.experiments.checks.determinism import evaluation_mode
from diagnostics.experiments.measures.correlation import (
    best_shift,
    correlation,
    correlations_by_shift,
    explained,
)
from diagnostics.experiments.model.predictions import UnusableError
from diagnostics.experiments.model.samples import as_rows, spreads
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, Severity, advice, measure

# An answer that moves by this share of the answers' spread with its neighbours is no rounding.
COUPLED = 1e-3
# Answers that vary by less than this share of what the targets do are one and the same.
CONSTANT = 1e-3
# Answers of less than a tenth of the targets' spread explain 1 % of their variance at most; and it
# was theirs to explain where a plane explains so much.
NEARLY_CONSTANT, PLANE_EXPLAINS = 0.1, 0.1
# A correlation below so many standard errors, 1 / sqrt(n), is none.
CHANCE = 2.0
# A correlation above so many is none by chance: P(|z| > 4) = 6e-5.
RELATED = 4.0
# One shift of the targets out of n stands out by this many: P(|z| > 6) = 2e-9.
STANDS_OUT = 6.0
# Stretching and moving the answers explains this much more of the targets: they are in other units.
OTHER_UNITS = 0.25


def rows_coupled(subject: Subject) -> Finding | None:
    """Samples are predicted one at a time: an answer must not depend on the rest of the batch."""
    raw, alone = subject.predictions.raw, subject.alone
    if alone is None:  # what normalises by the batch may refuse a batch of one
        away = subject.half_batch_change
    else:
        away = float(np.abs(alone - raw[subject.rows]).max())
    spread = max(float(raw.std()), float(np.abs(raw).max()) * COUPLED)
    if away <= max(COUPLED * spread, 10 * subject.repeat_noise):
        return None
    return Finding(
        message=(
            f"The answer to a sample depends on the other rows of the batch: without them it is "
            f"another by up to {away:.3g}, where all answers spread over {raw.std():.3g}."
        ),
        confidence=0.95,
        evidence={"largest change": away, "spread of the answers": float(raw.std())},
        causes=(
            "batch normalisation, or scaling, with the statistics of the batch",
            "a mean or a sum along the wrong axis",
        ),
        steps=advice(f"{evaluation_mode(subject)} Scale with the training set's mean and spread."),
    )


def constant(subject: Subject) -> Finding | None:
    """The spread of the answers is compared with that of the targets."""
    answers, targets = subject.predictions.raw.std(axis=0), subject.y.std(axis=0)
    if not (answers <= NEARLY_CONSTANT * targets).all() or not targets.any():
        return None
    plane = _explained_by_a_plane(subject)
    proven = bool((answers <= CONSTANT * targets).all()) or plane > PLANE_EXPLAINS
    knows = f" A plane through the training set explains {plane:.0%} of them." if plane > 0 else ""
    return Finding(
        severity=Severity.PROBLEM if proven else Severity.WARNING,
        message=(
            f"The model answers {subject.predictions.raw.mean():.4g} or nearly so whatever the "
            f"sample; the targets have mean {subject.y.mean():.4g} and spread "
            f"{targets.mean():.3g}.{knows}"
        ),
        confidence=0.95 if proven else 0.6,
        evidence={"spread of the answers": float(answers.max()),
                  "spread of the targets": float(targets.mean()),
                  "R squared": explained(subject.predictions.raw, subject.y),
                  "R squared of a plane": plane},
        causes=(
            "predictions of shape (n, 1) less targets of shape (n,) broadcast to (n, n) in the "
            "loss: the mean of all targets is fitted",
            "the hidden units are dead, or the learning rate is far too low or high",
        ),
        steps=advice(
            "Bring both to one shape in the loss: predict(X).reshape(-1) - y.reshape(-1)",
            measure("(predict(X) - y).shape", "(n,), not (n, n)?"),
            "Look at the hidden activations of two different samples: are they equal?",
        ),
    )  # fmt: skip


def _explained_by_a_plane(subject: Subject) -> float:
    """R squared on these samples of least squares on the training set, 0 where it cannot be had."""
    try:
        A, B, targets = as_rows(subject.training.X), as_rows(subject.X), subject.training.y
    except UnusableError:
        return 0.0
    mean, spread = A.mean(axis=0), spreads(A)
    A, B = ((rows - mean) / spread for rows in (A, B))
    t = targets - targets.mean(axis=0)
    # ridge of one sample's weight: as many features as samples leave it solvable
    slope = np.linalg.solve(A.T @ A + np.eye(A.shape[1]), A.T @ t)
    error = B @ slope + targets.mean(axis=0) - subject.y
    variance = float(subject.y.var(axis=0).mean())
    return max(1 - float((error**2).mean()) / variance, 0.0) if variance > 0 else 0.0


def unrelated(subject: Subject) -> Finding | None:
    """Answers and targets are tested for correlation, and at every shift against one another."""
    answers, targets, n = subject.predictions.raw, subject.y, len(subject.y)
    r, error = correlation(answers, targets), 1 / np.sqrt(n)
    if abs(r) > CHANCE * error:
        return None
    shift, best = best_shift(correlations_by_shift(answers, targets))
    shifted = best > STANDS_OUT * error
    train, learned = None, False
    if (seen := subject.trained_on) is not None:
        train = correlation(seen.predictions.raw, seen.y)
        learned = train > STANDS_OUT / np.sqrt(len(seen.y))
    place = f", but {best:.2f} when the targets are moved by {shift} rows" if shifted else ""
    known = "" if train is None else f"; on the training set it is {train:.2f}"
    return Finding(
        code="shuffled_labels" if shifted or learned or train is None else "not_learning",
        severity=Severity.PROBLEM if shifted or learned else Severity.WARNING,
        message=(
            f"Answers and targets have nothing to do with one another: their correlation is "
            f"{r:.2f}, as by chance{place}{known}."
        ),
        confidence=0.97 if shifted else 0.85 if learned else 0.6,
        evidence={"correlation": r, "by chance": float(error), "samples": n},
        causes=(
            "samples and targets were shuffled, filtered or sorted apart",
            "the model has learned nothing that holds beyond its training set",
        ),
        steps=advice("Sort or shuffle samples and targets by one and the same index array."),
    )


def other_units(subject: Subject) -> Finding | None:
    """One factor and one offset are fitted to the answers: right ones need neither."""
    p, t = subject.predictions.raw, subject.y
    r, as_it_is = correlation(p, t), explained(p, t)
    if abs(r) < RELATED / np.sqrt(len(t)) or r**2 - as_it_is < OTHER_UNITS:
        return None
    useless = as_it_is < 0
    slope = r * float(t.std()) / max(float(p.std()), 1e-300)
    offset = float(t.mean()) - slope * float(p.mean())
    return Finding(
        # strong regularisation shrinks answers too, though never below the mean's worth
        severity=Severity.PROBLEM if useless else Severity.WARNING,
        message=(
            f"The answers are in other units than the targets: {slope:.4g} times the answer plus "
            f"{offset:.4g} explains {r**2:.0%} of their variance, the answers as they are "
            + ("less than their mean does." if useless else f"{as_it_is:.0%}.")
        ),
        confidence=0.9 if useless else 0.6,
        evidence={"factor": slope, "offset": offset, "R squared as it is": as_it_is,
                  "R squared then": r**2},
        causes=(
            "the targets were standardised in training, and the answers are not brought back",
            "the logarithm of the targets was learned",
            "the inputs are scaled otherwise than in training",
        ),
        steps=advice(
            "Bring the answers back: predict(X) * y_train.std() + y_train.mean(), or by the "
            "scaler's inverse_transform",
        ),
    )  # fmt: skip
