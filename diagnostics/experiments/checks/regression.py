"""Experiments on a model of regression, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import numpy as np

from diagnostics.experiments.checks.determinism import (
    RANDOM,
    evaluation_mode,
    input_mutated,
    noise_within_batch,
)
from diagnostics.experiments.checks.distribution_shift import distribution_shift
from diagnostics.experiments.checks.reported_error import reported_error
from diagnostics.experiments.checks.train_val_overlap import (
    near_duplicates,
    train_validation_overlap,
)
from diagnostics.experiments.model.predictions import UnusableError
from diagnostics.experiments.model.regression_subject import Numbers, correlation, explained
from diagnostics.experiments.model.samples import as_rows, spreads, take
from diagnostics.experiments.model.subject import Subject
from diagnostics.experiments.registry import Check
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
# Inputs that differ are a problem where so much of the explained variance is lost with them.
LOST = 0.25
# Stretching and moving the answers explains this much more of the targets: they are in other units.
OTHER_UNITS = 0.25


def nondeterministic(subject: Numbers) -> Finding | None:
    """The same samples are predicted twice."""
    noise, raw = subject.repeat_noise, subject.predictions.raw
    if noise <= RANDOM * max(float(np.abs(raw).max()), 1e-300):
        return None
    return Finding(
        code="nondeterministic_prediction",
        severity=Severity.PROBLEM,
        message=f"predict is not deterministic: two calls on equal samples differ by {noise:.2g}.",
        confidence=0.99,
        evidence={"largest difference between two calls": noise},
        causes=("dropout or augmentation is active in evaluation", "predict changes state"),
        steps=advice(evaluation_mode(subject)),
    )


def rows_coupled(subject: Numbers) -> Finding | None:
    """Samples are predicted one at a time: an answer must not depend on the rest of the batch."""
    raw, away = subject.predictions.raw, _away_from_the_batch(subject)
    spread = max(float(raw.std()), float(np.abs(raw).max()) * COUPLED)
    if away <= max(COUPLED * spread, 10 * subject.repeat_noise):
        return None
    return Finding(
        code="evaluation_bug",
        severity=Severity.PROBLEM,
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


def _away_from_the_batch(subject: Numbers) -> float:
    """How much an answer changes when its sample is asked for alone, else in half of the batch."""
    raw, half = subject.predictions.raw, max(len(subject.targets) // 2, 1)
    if subject.alone is not None:
        return float(np.abs(subject.alone - raw[subject.rows]).max())
    # what normalises by the batch may refuse a batch of one
    return float(np.abs(subject.ask(take(subject.X, np.arange(half))) - raw[:half]).max())


def inputs_shifted(subject: Numbers) -> Finding | None:
    """Means and spreads of the features are compared with those of the training set."""
    finding = distribution_shift(subject)
    if finding is None:
        return None
    evidence = {name: value for name, value in finding.evidence.items() if "accuracy" not in name}
    finding = replace(finding, evidence=evidence)
    if subject.train_answers is None or subject.train_targets is None:
        return finding
    learned = explained(subject.train_answers, subject.train_targets)
    lost = learned - explained(subject.predictions.raw, subject.targets)
    if lost < LOST:
        return finding
    evidence |= {"R squared on the training set": learned, "lost of it": lost}
    return replace(finding, severity=Severity.PROBLEM, evidence=evidence)


def constant(subject: Numbers) -> Finding | None:
    """The spread of the answers is compared with that of the targets."""
    answers, targets = subject.predictions.raw.std(axis=0), subject.targets.std(axis=0)
    if not (answers <= NEARLY_CONSTANT * targets).all() or not targets.any():
        return None
    plane = _explained_by_a_plane(subject)
    proven = bool((answers <= CONSTANT * targets).all()) or plane > PLANE_EXPLAINS
    knows = f" A plane through the training set explains {plane:.0%} of them." if plane > 0 else ""
    return Finding(
        code="not_learning",
        severity=Severity.PROBLEM if proven else Severity.WARNING,
        message=(
            f"The model answers {subject.predictions.raw.mean():.4g} or nearly so whatever the "
            f"sample; the targets have mean {subject.targets.mean():.4g} and spread "
            f"{targets.mean():.3g}.{knows}"
        ),
        confidence=0.95 if proven else 0.6,
        evidence={"spread of the answers": float(answers.max()),
                  "spread of the targets": float(targets.mean()),
                  "R squared": explained(subject.predictions.raw, subject.targets),
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


def _explained_by_a_plane(subject: Numbers) -> float:
    """R squared on these samples of least squares on the training set, 0 where it cannot be had."""
    if subject.train is None or subject.train_targets is None:
        return 0.0
    try:
        A, B = as_rows(subject.train[0]), as_rows(subject.X)
    except UnusableError:
        return 0.0
    mean, spread = A.mean(axis=0), spreads(A)
    A, B = ((rows - mean) / spread for rows in (A, B))
    t = subject.train_targets - subject.train_targets.mean(axis=0)
    # ridge of one sample's weight: as many features as samples leave it solvable
    slope = np.linalg.solve(A.T @ A + np.eye(A.shape[1]), A.T @ t)
    error = B @ slope + subject.train_targets.mean(axis=0) - subject.targets
    variance = float(subject.targets.var(axis=0).mean())
    return max(1 - float((error**2).mean()) / variance, 0.0) if variance > 0 else 0.0


def unrelated(subject: Numbers) -> Finding | None:
    """Answers and targets are tested for correlation, and at every shift against one another."""
    answers, targets, n = subject.predictions.raw, subject.targets, len(subject.targets)
    r, error = correlation(answers, targets), 1 / np.sqrt(n)
    if abs(r) > CHANCE * error:
        return None
    shift, best = _best_shift(answers, targets)
    shifted = best > STANDS_OUT * error
    train, learned = None, False
    if subject.train_answers is not None and subject.train_targets is not None:
        train = correlation(subject.train_answers, subject.train_targets)
        learned = train > STANDS_OUT / np.sqrt(len(subject.train_targets))
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


def _best_shift(answers: np.ndarray, targets: np.ndarray) -> tuple[int, float]:
    """The number of rows by which targets fit the answers best, and the correlation there."""
    a, t = (values - values.mean(axis=0) for values in (answers, targets))
    spectrum = np.fft.rfft(a, axis=0).conj() * np.fft.rfft(t, axis=0)
    # sum over i of a_i t_(i + k), for all k at once
    products = np.fft.irfft(spectrum, n=len(a), axis=0).sum(axis=1)
    k = int(products.argmax())
    norm = float(np.sqrt((a**2).sum() * (t**2).sum()))
    return (k if k <= len(a) // 2 else k - len(a)), float(products[k]) / max(norm, 1e-300)


def other_units(subject: Numbers) -> Finding | None:
    """One factor and one offset are fitted to the answers: right ones need neither."""
    p, t = subject.predictions.raw, subject.targets
    r, as_it_is = correlation(p, t), explained(p, t)
    if abs(r) < RELATED / np.sqrt(len(t)) or r**2 - as_it_is < OTHER_UNITS:
        return None
    useless = as_it_is < 0
    slope = r * float(t.std()) / max(float(p.std()), 1e-300)
    offset = float(t.mean()) - slope * float(p.mean())
    return Finding(
        code="distribution_shift",
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


def _probe(experiment: Callable[[Numbers], Finding | None], *needs: str, unless: str = "") -> Check:
    """An experiment on numbers, registered as those on classes are."""
    asked = cast("Callable[[Subject], Finding | None]", experiment)
    return Check(experiment.__name__, asked, frozenset(unless.split()), frozenset(needs))


NOISY = "nondeterministic_prediction"
NUMBER_PROBES = (
    _probe(input_mutated, "model"),
    _probe(nondeterministic, "model"),
    _probe(noise_within_batch, "model", unless=NOISY),
    _probe(rows_coupled, "model", unless=NOISY),
    _probe(train_validation_overlap, "train"),
    _probe(near_duplicates, "train", unless="train_validation_overlap"),
    _probe(inputs_shifted, "train"),
    _probe(constant),
    _probe(unrelated, unless="not_learning"),
    _probe(other_units, unless="distribution_shift"),
    _probe(reported_error, "history", unless=f"{NOISY} evaluation_bug"),
)
