"""The reported loss is recognised in whatever way it was computed, and by nothing else."""

import numpy as np
import pytest

from diagnostics import Severity, investigate
from diagnostics.experiments.checks.trained_loss import candidates
from diagnostics.experiments.ranking import ordered
from tests.support import training_runs as runs


def known(X, p):
    """A model that knows the answers to these samples, however they are batched."""
    rows = {row.tobytes(): answer for row, answer in zip(X, p, strict=True)}
    return lambda x: np.stack([rows[row.tobytes()] for row in x])


def losses_of(predict, X, y):
    return -np.log(predict(X)[np.arange(len(y)), y])


def test_mean_over_batches_of_sums_is_a_mismatch_of_scale(healthy, validation_set):
    predict, (X, y) = healthy[1], validation_set
    losses = losses_of(predict, X, y)
    reported = float(np.mean([losses[i : i + 64].sum() for i in range(0, len(y), 64)]))

    report = investigate(predict, X, y, history={"val_loss": [90.0, reported]})

    assert report.primary.code == "loss_scale_mismatch"
    assert "mean of the sums of batches of 64" in report.primary.message


def test_printed_mean_over_batches_that_chance_could_make_is_no_more_than_a_word(
    healthy, validation_set
):
    predict, (X, y) = healthy[1], validation_set
    losses = losses_of(predict, X, y)
    exact = float(np.mean([losses[i : i + 200].mean() for i in range(0, len(y), 200)]))

    printed, to_the_last_digit = (
        investigate(predict, X, y, history={"val_loss": [9.0, value]})["biased_average"]
        for value in (round(exact, 4), exact)
    )

    assert printed.severity is Severity.INFO
    assert to_the_last_digit.severity is Severity.WARNING
    assert printed.confidence < to_the_last_digit.confidence


def test_mean_of_clipped_losses_is_not_taken_for_one_over_batches(validation_set):
    X, y = validation_set
    p = np.full((len(y), runs.CLASSES), 1e-30)
    p[np.arange(len(y)), np.where(np.arange(len(y)) % 7, y, (y + 1) % runs.CLASSES)] = 1.0
    reported = float(-np.log(np.maximum(p[np.arange(len(y)), y], 1e-12)).mean())

    report = investigate(known(X, p), X, y, history={"val_loss": [9.0, reported]})

    assert not {"biased_average", "loss_scale_mismatch"} & set(report.codes)


def test_loss_of_a_second_softmax_is_named_though_predict_applies_one(healthy, validation_set):
    predict, (X, y) = healthy[1], validation_set
    reported = runs.cross_entropy(runs.softmax(predict(X)), y)

    report = investigate(predict, X, y, history={"val_loss": [2.0, reported]})

    assert report.primary.code == "softmax_twice"
    assert "second softmax" in report.primary.message


def saturated(X, wrong=0.1):
    """Answers that are nearly one-hot, as a second softmax in training leaves them."""
    X, y = X
    p = np.full((len(y), runs.CLASSES), 1e-9)
    shift = np.random.default_rng(0).random(len(y)) < wrong
    p[np.arange(len(y)), (y + shift) % runs.CLASSES] = 1.0
    return p


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("squared error", "other_loss_trained"),
        ("squared error averaged over the classes", "other_loss_trained"),
        ("squared error with the factor 1/2", "other_loss_trained"),
        ("cross-entropy of a second softmax", "softmax_twice"),
    ],
)
def test_loss_that_training_descends_is_told_by_its_value(training_set, name, code):
    p = saturated(training_set)
    value = next(c.value for c in candidates(p, training_set[1]) if c.name == name)
    curves = {"loss": [2 * value, value], "val_loss": [9.0, 9.1]}

    report = investigate(
        known(training_set[0], p), *training_set, train=training_set, history=curves
    )

    finding = report[code]
    assert name in finding.message
    assert finding.severity is Severity.WARNING


def test_unsure_answers_have_not_descended_a_second_softmax(training_set):
    p = 0.5 * saturated(training_set) + 0.5 / runs.CLASSES

    assert "softmax_twice" not in {c.code for c in candidates(p, training_set[1])}


def test_proven_cause_comes_before_a_graver_suspicion_of_the_curves(finding):
    proven = [finding("biased_average", Severity.WARNING), finding("dead_units", Severity.WARNING)]
    suspected = [finding("oscillating", Severity.PROBLEM)]

    codes = [each.code for each in ordered(proven, suspected)]

    assert codes == ["biased_average", "oscillating", "dead_units"]


@pytest.fixture
def finding():
    from diagnostics.finding import Finding

    return lambda code, severity: Finding(code=code, severity=severity, message=code)


def test_losses_that_are_both_reproduced_are_on_one_scale(training_set, validation_set):
    (X, y), (V, v) = training_set, validation_set
    centres = np.random.default_rng(123).normal(size=(runs.CLASSES, runs.FEATURES))

    def predict(x):
        return runs.softmax(3 * (x @ centres.T - (centres**2).sum(axis=1) / 2))

    shifted = 40 * V  # right as often as before, and wrong with more confidence
    losses = [runs.cross_entropy(predict(X), y), runs.cross_entropy(predict(shifted), v)]
    accuracies = [float((predict(s).argmax(axis=1) == t).mean()) for s, t in ((X, y), (shifted, v))]
    noise = 1 + 0.01 * np.random.default_rng(0).normal(size=(20, 1))
    noise[-1] = 1
    columns = zip(("loss", "val_loss"), (noise * losses).T.tolist(), strict=True)
    flat = {"accuracy": [accuracies[0]] * 20, "val_accuracy": [accuracies[1]] * 20}

    report = investigate(predict, shifted, v, train=training_set, history=dict(columns) | flat)

    assert report.primary.code == "distribution_shift"
    assert "loss_scale_mismatch" not in report


def test_training_loss_alone_is_not_expected_of_the_validation_samples(healthy, validation_set):
    report = investigate(healthy[1], *validation_set, history={"loss": [1.0, 0.01]})

    assert "loss_not_reproduced" not in report


def test_zeros_that_make_the_loss_infinite_come_before_the_rows_that_they_leave_short(
    healthy, validation_set
):
    predict = healthy[1]

    def cut(X):
        p = predict(X)
        return np.where(p < 0.05, 0, p)

    infinite, finite = (
        investigate(cut, *validation_set, history={"val_loss": [2.0, last]})
        for last in (np.inf, 1.0)
    )

    assert infinite.primary.code == "exploding_or_nan"
    assert finite.primary.code == "evaluation_bug"
