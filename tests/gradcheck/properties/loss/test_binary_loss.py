"""Binary cross-entropy in every shape and convention passes; planted faults are refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, xlogy

from gradcheck.properties import Status, run_properties


def guarded(p, y):
    return -np.mean(y * np.log(p + 1e-9) + (1 - y) * np.log(1 - p + 1e-9))


def clipped(y_true, y_pred):
    y_pred = np.clip(y_pred, 1e-7, 1 - 1e-7)
    return -(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred)).mean()


def exact_sum(p, y):
    with np.errstate(divide="ignore"):
        return np.sum(np.minimum(-xlogy(y, p) - xlogy(1 - y, 1 - p), 100.0))


def per_sample(p, y):
    p = np.clip(p, 1e-15, 1 - 1e-15)
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p), axis=-1)


def samples_in_a_row(A, Y):
    m = Y.shape[1]
    A = np.clip(A, 1e-12, 1 - 1e-12)
    return float(-(np.dot(Y, np.log(A).T) + np.dot(1 - Y, np.log(1 - A).T))[0, 0] / m)


def samples_in_a_column(h, y):
    h = np.clip(h, 1e-12, 1 - 1e-12)
    return (-1 / len(y)) * (y.T @ np.log(h) + (1 - y).T @ np.log(1 - h))


def vectors_by_loop(y, p):
    total = 0.0
    for truth, guess in zip(y.tolist(), p.tolist(), strict=True):
        guess = min(max(guess, 1e-12), 1 - 1e-12)
        total -= np.log(guess) if truth == 1 else np.log(1 - guess)
    return total / len(y)


def stable_logits(z, y):
    return np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))


def softplus_logits(z, y):
    return np.sum(np.logaddexp(0, z) - z * y)


class Binary:
    def forward(self, p, y):
        self.p, self.y = np.clip(p, 1e-12, 1 - 1e-12), y
        return guarded(self.p, y)

    def backward(self):
        return (self.p - self.y) / (self.p * (1 - self.p)) / self.p.size


def guarded_gradient(p, y):
    return (-(y / (p + 1e-9)) + (1 - y) / (1 - p + 1e-9)) / p.size


def by_logits(z, y):
    return (expit(z) - y) / z.size


def row_gradient(A, Y):
    return (A - Y) / Y.shape[1]


RIGHT = {
    "guarded": (guarded, {"backward": guarded_gradient}, "binary", "mean of entries", "matrix"),
    "clipped, target first": (clipped, {}, "binary", "mean of entries", "matrix"),
    "exact sum": (exact_sum, {}, "binary", "sum", "matrix"),
    "per sample": (per_sample, {}, "binary", "sum", "matrix"),
    "row": (samples_in_a_row, {"backward": row_gradient}, "binary", "mean", "row"),
    "column": (samples_in_a_column, {}, "binary", "mean", "column"),
    "vector": (vectors_by_loop, {}, "binary", "mean", "vector"),
    "object": (Binary(), {}, "binary", "mean of entries", "matrix"),
    "stable": (stable_logits, {"backward": by_logits}, "binary_logits", "mean of entries", None),
    "softplus": (softplus_logits, {}, "binary_logits", "sum", None),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_binary_loss_passes_and_is_recognised(name):
    fn, options, kind, reduction, shape = RIGHT[name]

    report = run_properties("loss", fn, examples=25, **options)

    assert report.ok, str(report)
    assert (report.detected["kind"], report.detected["reduction"]) == (kind, reduction)
    assert report.detected["shape"].startswith(shape or "matrix")


@pytest.mark.parametrize("divisor", ["one", "samples"])
def test_gradient_of_a_loss_per_sample_may_be_of_the_sum_or_of_the_mean(divisor):
    def gradient(p, y):
        p = np.clip(p, 1e-15, 1 - 1e-15)
        return (p - y) / (p * (1 - p)) / (len(p) if divisor == "samples" else 1)

    report = run_properties("loss", per_sample, examples=15, backward=gradient)

    assert report.ok, str(report)


@pytest.mark.parametrize("unreduced", [True, False])
def test_one_loss_per_entry_is_as_good_as_one_number(unreduced):
    def unsummed(z, y):
        return np.logaddexp(0, z) - z * y

    fn = unsummed if unreduced else lambda z, y: unsummed(z, y).sum()

    assert run_properties("loss", fn, examples=10).ok


def test_labels_of_zero_and_one_only_are_a_stated_limit():
    report = run_properties("loss", vectors_by_loop, examples=5)

    soft = report["soft_targets_weigh_classes"]
    assert soft.status is Status.SKIPPED
    assert soft.message == "the function takes 0 and 1 only: a target of 0.5 counts as 0"


def unguarded(p, y):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def second_term_missing(p, y):
    return -np.mean(y * np.log(p + 1e-9))


def sign_of_second_term(p, y):
    return -np.mean(y * np.log(p + 1e-9) - (1 - y) * np.log(1 - p + 1e-9))


def minus_missing(p, y):
    return -guarded(p, y)


def base_two(p, y):
    return guarded(p, y) / np.log(2)


def divided_twice(p, y):
    return guarded(p, y) / p.shape[0]


def clipped_below_only(p, y):
    p = np.maximum(p, 1e-7)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def labels_sharpened(p, y):
    return guarded(p, y**2 / (y**2 + (1 - y) ** 2))


def overflowing_logits(z, y):
    return np.mean(np.log(1 + np.exp(z)) - z * y)


def sigmoid_first(z, y):
    return guarded(1 / (1 + np.exp(-z)), y)


FAULTS = {
    unguarded: ("binary", {"zero_at_the_target", "certain_and_wrong_stays_finite"}),
    second_term_missing: ("binary", {"agrees_with_reference", "grows_as_prediction_worsens"}),
    sign_of_second_term: ("binary", {"never_negative", "agrees_with_reference"}),
    minus_missing: ("binary", {"never_negative", "reduced_by_sum_or_mean"}),
    base_two: ("binary", {"reduced_by_sum_or_mean", "equal_predictions_cost_log_n"}),
    divided_twice: ("binary", {"reduced_by_sum_or_mean", "every_sample_counts_alike"}),
    clipped_below_only: ("binary", {"certain_and_wrong_stays_finite"}),
    labels_sharpened: ("binary", {"soft_targets_weigh_classes"}),
    overflowing_logits: ("binary_logits", {"huge_logits_stay_finite"}),
    sigmoid_first: ("binary_logits", {"huge_logits_stay_finite"}),
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("shape", ["matrix", "column", "vector"])
def test_fault_is_refused_by_its_properties(fault, shape):
    kind, properties = FAULTS[fault]

    report = run_properties("loss", fault, only=properties, kind=kind, shape=shape)

    assert {r.status for r in report.results} == {Status.FAILED}, str(report)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (second_term_missing, "add the other half, (1 - t) * log(1 - p)"),
        (sign_of_second_term, "wrong sign"),
        (base_two, "to base 2"),
        (minus_missing, "minus sign before the sum is missing"),
    ],
)
def test_wrong_term_is_named(fault, cause):
    names = ["agrees_with_reference", "reduced_by_sum_or_mean"]

    report = run_properties("loss", fault, only=names, kind="binary", examples=5)

    assert cause in report["reduced_by_sum_or_mean"].message


def flipped(p, y):
    return (y - p) / p.size


def summed(p, y):
    return p - y


def unguarded_gradient(p, y):
    return ((1 - y) / (1 - p) - y / p) / p.size


GRADIENT_FAULTS = {
    flipped: ("gradient_is_derivative_of_loss", "the sign is flipped"),
    summed: ("repeating_the_batch_acts_as_on_loss", "lacks the division"),
    unguarded_gradient: ("gradient_vanishes_at_target", "0 / 0 is NaN"),
}


@pytest.mark.parametrize("fault", GRADIENT_FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("shape", ["matrix", "column", "vector"])
def test_gradient_fault_is_refused_and_its_cause_named(fault, shape):
    name, cause = GRADIENT_FAULTS[fault]

    report = run_properties("loss", guarded, only=[name], shape=shape, backward=fault)

    assert report[name].status is Status.FAILED
    assert cause in report[name].message


def test_remedy_for_overflowing_logits_is_the_stable_formula():
    report = run_properties("loss", overflowing_logits, only=["huge_logits_stay_finite"])

    assert "log1p(exp(-|x|))" in report["huge_logits_stay_finite"].message


def test_loss_that_returns_its_gradient_is_taken_apart():
    def both(p, y):
        return guarded(p, y), guarded_gradient(p, y)

    report = run_properties("loss", both, examples=10)

    assert report.ok, str(report)
    assert report["gradient_is_derivative_of_loss"].status is Status.PASSED


def test_properties_of_classes_are_not_asked_of_a_binary_loss():
    report = run_properties("loss", stable_logits, examples=3)

    assert report["shift_invariant"].message == "it is not on logits of classes"


def test_unknown_shape_is_refused():
    with pytest.raises(ValueError, match="shape must be one of"):
        run_properties("loss", guarded, shape="cube")
