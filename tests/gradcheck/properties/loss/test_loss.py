"""Losses in every convention pass; planted faults are refused by their properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import log_softmax, softmax, xlogy

from gradcheck.properties import Status, run_properties, suite


def asked_about(p, t):
    return -np.sum(t * np.log(p)) / len(p)


def right(p, t):
    return -np.sum(xlogy(t, np.maximum(p, 1e-300))) / np.atleast_2d(p).shape[0]


def guarded(p, t):
    return -np.mean(np.sum(t * np.log(p + 1e-8), axis=-1))


def clipped_sum(p, t):
    return -np.sum(t * np.log(np.clip(p, 1e-7, 1 - 1e-7)))


def target_first(y_true, y_pred):
    return guarded(y_pred, y_true)


def of_logits(z, t):
    return -np.mean(np.sum(t * log_softmax(z, axis=-1), axis=-1))


def with_gradient(z, y):
    rows = np.arange(len(y))
    gradient = softmax(z, axis=1)
    gradient[rows, y] -= 1
    return -np.mean(log_softmax(z, axis=1)[rows, y]), gradient / len(y)


def per_sample(p, t):
    return -np.sum(t * np.log(p + 1e-12), axis=-1)


def mean_squared(p, t):
    return np.mean((p - t) ** 2)


def half_squares(p, t):
    return 0.5 * np.sum((p - t) ** 2)


class CrossEntropy:
    def forward(self, p, t):
        self.p, self.t = p, t
        return right(p, t)

    def backward(self):
        return (self.p - self.t) / len(self.p)


def fused(p, t):
    return (p - t) / len(p)


def by_probabilities(p, t):
    return np.where(t > 0, -t / np.maximum(p, 1e-300), 0.0) / len(p)


RIGHT = {
    "right, fused gradient": (right, {"backward": fused}, "probabilities", "mean"),
    "right, own gradient": (right, {"backward": by_probabilities}, "probabilities", "mean"),
    "guarded": (guarded, {}, "probabilities", "mean"),
    "clipped sum": (clipped_sum, {}, "probabilities", "sum"),
    "target first": (target_first, {}, "probabilities", "mean"),
    "per sample": (per_sample, {}, "probabilities", "sum"),
    "object": (CrossEntropy(), {}, "probabilities", "mean"),
    "logits": (of_logits, {}, "logits", "mean"),
    "indices, with gradient": (with_gradient, {}, "logits", "mean"),
    "mean squared": (
        mean_squared,
        {"backward": lambda p, t: 2 * (p - t) / p.size},
        "squared",
        "mean of entries",
    ),
    "half squares": (half_squares, {"backward": lambda p, t: p - t}, "squared", "half sum"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_loss_passes_and_is_recognised(name):
    fn, options, kind, reduction = RIGHT[name]

    report = run_properties("loss", fn, examples=12, **options)

    assert report.ok, str(report)
    assert (report.detected["kind"], report.detected["reduction"]) == (kind, reduction)


def refused(fn, properties=None, **options):
    report = run_properties("loss", fn, examples=30, only=properties, **options)
    return {r.name for r in report.results if r.status in (Status.FAILED, Status.ERRORED)}


def test_loss_asked_about_is_refused_by_exactly_the_right_properties():
    assert refused(asked_about) == {
        "zero_at_the_target",
        "single_prediction_is_a_batch_of_one",
        "certain_and_wrong_stays_finite",
        "impossible_other_class_costs_nothing",
    }


def test_loss_asked_about_is_told_that_len_counts_classes():
    report = run_properties("loss", asked_about, only=["single_prediction_is_a_batch_of_one"])

    assert "len(p)" in report.results[0].message
    assert "p = np.array([[0.5, 0.5]])" in report.results[0].counterexample


def test_infinite_loss_is_accepted_when_allowed():
    def infinite(p, t):
        return -np.sum(xlogy(t, p)) / len(p)

    name = "certain_and_wrong_stays_finite"

    assert refused(infinite, [name]) == {name}
    assert not refused(infinite, [name], allow_infinite=True)
    assert refused(asked_about, ["zero_at_the_target"], allow_infinite=True)


def sign_missing(p, t):
    return -right(p, t)


def base_two(p, t):
    return right(p, t) / np.log(2)


def mean_over_entries(p, t):
    return -np.mean(xlogy(t, np.maximum(p, 1e-300)))


def last_sample_only(p, t):
    return right(p[-1:], t[-1:]) if np.ndim(p) == 2 else right(p, t)


def first_counts_twice(p, t):
    weights = np.ones(np.atleast_2d(p).shape[0])
    weights[0] = 2 if len(weights) > 1 else 1
    return right(p, t * weights[:, None]) if np.ndim(p) == 2 else right(p, t)


def first_class_heavier(p, t):
    return right(p, t * np.array([1.01] + [1] * (np.shape(p)[-1] - 1)))


def argmax_of_target(p, t):
    hard = np.eye(np.shape(t)[-1])[np.argmax(t, axis=-1)]
    return right(p, hard)


def stops_at_three(p, t):
    return right(np.maximum(p, 0.3), t)


def nan_skipped(p, t):
    return -np.nansum(xlogy(t, np.maximum(p, 1e-300))) / np.atleast_2d(p).shape[0]


def normalises_target_in_place(p, t):
    t *= 0.9
    return right(p, t)


def memory_order_lost(p, t):
    return right(p.ravel(order="K").reshape(p.shape), t)


def column_sums(p, t):
    return -np.sum(xlogy(t, np.maximum(p, 1e-300)), axis=0) / np.atleast_2d(p).shape[0]


def naive_logits(z, t):
    e = np.exp(z)
    return -np.mean(np.sum(xlogy(t, e / e.sum(axis=-1, keepdims=True)), axis=-1))


def guard_lost_in_float32(p, t):
    return -np.sum(t * np.log(np.asarray(p, np.float16) + 1e-8)) / np.atleast_2d(p).shape[0]


class Accumulating:
    """Adds up the losses of all calls."""

    def __init__(self):
        self.total = 0.0

    def __call__(self, p, t):
        self.total += 1e-6
        return right(p, t) + self.total


FAULTS = {
    sign_missing: {"never_negative", "grows_as_prediction_worsens", "reduced_by_sum_or_mean"},
    base_two: {"equal_predictions_cost_log_n", "reduced_by_sum_or_mean"},
    mean_over_entries: {"reduced_by_sum_or_mean", "equal_predictions_cost_log_n"},
    last_sample_only: {"every_sample_counts_alike", "sample_order_irrelevant"},
    first_counts_twice: {"every_sample_counts_alike", "sample_order_irrelevant"},
    first_class_heavier: {"class_order_irrelevant", "agrees_with_reference"},
    argmax_of_target: {"soft_targets_weigh_classes"},
    stops_at_three: {"grows_as_prediction_worsens"},
    nan_skipped: {"nan_is_seen"},
    normalises_target_in_place: {"inputs_unchanged"},
    memory_order_lost: {"memory_layout_irrelevant"},
    column_sums: {"one_number"},
    naive_logits: {"shift_invariant", "huge_logits_stay_finite"},
    guard_lost_in_float32: {"float32_as_accurate"},
    Accumulating: {"same_input_same_output"},
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_fault_is_refused_by_its_properties(fault):
    kind = "logits" if fault is naive_logits else "probabilities"
    fn = fault() if isinstance(fault, type) else fault

    report = run_properties("loss", fn, examples=100, only=FAULTS[fault], kind=kind)

    assert {r.status for r in report.results} <= {Status.FAILED, Status.ERRORED}


def without_division(p, t):
    return p - t


def flipped(p, t):
    return (t - p) / len(p)


def zero(p, t):
    return np.zeros_like(p)


def first_sample_everywhere(p, t):
    return np.broadcast_to((p[:1] - t[:1]) / len(p), p.shape).copy()


def unguarded(p, t):
    return -t / p / len(p)


def target_subtracted_in_place(p, t):
    p -= t
    return p / len(p)


GRADIENT_FAULTS = {
    without_division: {"gradient_is_derivative_of_loss", "repeating_the_batch_acts_as_on_loss"},
    flipped: {"gradient_is_derivative_of_loss"},
    zero: {"gradient_is_derivative_of_loss"},
    first_sample_everywhere: {"gradient_of_a_sample_is_its_own"},
    unguarded: {"gradient_vanishes_at_target"},
    target_subtracted_in_place: {"gradient_leaves_inputs"},
}


@pytest.mark.parametrize("fault", GRADIENT_FAULTS, ids=lambda fault: fault.__name__)
def test_gradient_fault_is_refused_by_its_properties(fault):
    expected = GRADIENT_FAULTS[fault]

    assert refused(right, expected, backward=fault, kind="probabilities") == expected


def test_cause_of_gradient_without_division_is_named():
    report = run_properties(
        "loss", right, only=["gradient_is_derivative_of_loss"], backward=without_division
    )

    assert "lacks the division by the batch size" in report.results[0].message


def test_every_property_refuses_some_fault():
    killers = {
        "zero_at_the_target",
        "single_prediction_is_a_batch_of_one",
        "certain_and_wrong_stays_finite",
        "impossible_other_class_costs_nothing",
    }.union(*FAULTS.values(), *GRADIENT_FAULTS.values())

    assert set(suite("loss").names) == killers


def one_sample_at_a_time(actual, predicted):
    return -sum(float(actual[i]) * math.log(predicted[i] + 1e-15) for i in range(len(actual)))


def true_class_of_one_sample(p, y):
    if np.ndim(p) != 1:
        raise ValueError("one sample at a time")
    return -np.log(p[y] + 1e-15)


@pytest.mark.parametrize("fn", [one_sample_at_a_time, true_class_of_one_sample])
def test_loss_of_single_samples_is_tried_on_them_and_the_rest_stated(fn):
    report = run_properties("loss", fn, examples=15)

    assert report.ok, str(report)
    assert report.detected["shape"] == "sample (classes,), one sample at a time"
    assert report["every_sample_counts_alike"].message == "it takes one sample at a time"


def test_logarithm_to_base_two_of_a_single_sample_is_named():
    def base_two_of_one(p, q):
        return -sum(p[i] * math.log2(q[i] + 1e-15) for i in range(len(p)))

    report = run_properties("loss", base_two_of_one, only=["reduced_by_sum_or_mean"])

    assert "to base 2; use np.log" in report["reduced_by_sum_or_mean"].message


def test_unrecognisable_loss_asks_for_its_kind():
    with pytest.raises(ValueError, match="say which it should be: kind="):
        run_properties("loss", lambda p, t: float(np.abs(p - t).max()))


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind must be one of"):
        run_properties("loss", right, kind="hinge")


def huber(p, t):
    off = np.abs(p - t)
    return np.mean(np.where(off <= 1, 0.5 * off**2, off - 0.5))


def test_what_is_a_square_near_the_target_only_is_not_taken_for_one():
    with pytest.raises(ValueError, match="huber is proportional to no loss known here"):
        run_properties("loss", huber)
