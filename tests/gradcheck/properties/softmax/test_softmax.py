"""Right softmaxes pass, however they are written, and what they do not offer is not asked."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special

import network.functional
from gradcheck.properties import Status, run_properties


def row_wise(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def by_log_sum_exp(x):
    return np.exp(x - scipy.special.logsumexp(x, axis=-1, keepdims=True))


def by_log_softmax(x):
    return np.exp(scipy.special.log_softmax(x, axis=-1))


def batches_only(x):
    e = np.exp(x - np.max(x, axis=1)[:, np.newaxis])
    return e / np.sum(e, axis=1)[:, np.newaxis]


def vectors_only(x):
    if np.ndim(x) != 1:
        raise ValueError("a vector is expected")
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def any_axis(x, axis=None):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def torch_like(x, dim):
    return row_wise(np.moveaxis(x, dim, -1)).swapaxes(-1, dim) if x.ndim < 3 else any_axis(x, dim)


def columns(x):
    e = np.exp(x - x.max(axis=0))
    return e / e.sum(axis=0)


def vjp(x, g):
    p = row_wise(x)
    return p * (g - np.sum(p * g, axis=-1, keepdims=True))


class Layer:
    def forward(self, x):
        self.p = row_wise(x)
        return self.p

    def backward(self, g):
        return self.p * (g - np.sum(self.p * g, axis=-1, keepdims=True))


RIGHT = {
    "row_wise": (row_wise, {"backward": vjp, "log_softmax": scipy.special.log_softmax}),
    "scipy": (scipy.special.softmax, {}),
    "network": (network.functional.softmax, {"log_softmax": network.functional.log_softmax}),
    "by_log_softmax": (by_log_softmax, {}),
    "any_axis": (any_axis, {}),
    "torch_like": (torch_like, {}),
    "columns": (columns, {"axis": 0}),
    "vectors_only": (vectors_only, {}),
    "layer": (Layer(), {}),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_softmax_passes(name):
    fn, options = RIGHT[name]

    report = run_properties("softmax", fn, examples=12, **options)

    assert report.ok, str(report)


def refuses_all_but_batches(x):
    if x.ndim != 2:
        raise ValueError("a batch is expected")
    return batches_only(x)


def reshaped(x):
    e = np.exp(x - np.max(x, axis=1).reshape(-1, 1))
    return e / np.sum(e, axis=1).reshape(-1, 1)


def list_of_numbers(z):
    e = [math.exp(v - max(z)) for v in z]
    return [v / sum(e) for v in e]


@pytest.mark.parametrize(
    ("fn", "tried", "not_tried"),
    [
        (batches_only, "2-D arrays", "AxisError"),
        (refuses_all_but_batches, "2-D arrays", "a batch is expected"),
        (reshaped, "2-D arrays", "(8,1)"),
        (vectors_only, "1-D arrays", "a vector is expected"),
        (list_of_numbers, "1-D arrays", "it takes no 2-D arrays"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_softmax_is_tried_on_what_it_takes_and_the_rest_is_stated(fn, tried, not_tried):
    report = run_properties("softmax", fn, examples=10)

    assert report.ok, str(report)
    assert report.detected["tried on"] == tried
    assert not_tried in report.detected["not tried on"]
    left_out = {r.name for r in report.results if r.status is Status.SKIPPED}
    apart = "each_row_as_if_alone" if tried == "1-D arrays" else "vector_is_a_batch_of_one"
    assert {apart, "leading_axes_are_batches"} <= left_out


def test_axis_one_in_deeper_arrays_is_stated_and_refused_when_they_are_asked_for():
    name = "leading_axes_are_batches"

    stated = run_properties("softmax", batches_only, examples=10, only=[name, "rows_sum_to_one"])
    asked_for = run_properties("softmax", batches_only, examples=10, only=[name], ndims=(2, 3))

    assert stated.ok
    assert "works along axis 1" in stated[name].message
    assert asked_for[name].status is Status.FAILED


def test_numbers_of_axes_that_are_not_meant_are_not_tried():
    def over_everything(x):
        e = np.exp(x - np.max(x))
        return e / np.sum(e)

    names = ["rows_sum_to_one", "each_row_as_if_alone", "agrees_with_reference"]
    assert not run_properties("softmax", over_everything, examples=10, only=names).ok
    report = run_properties("softmax", over_everything, examples=10, ndims=1)

    assert report.ok, str(report)
    assert report["each_row_as_if_alone"].message == "it is meant for 1-D arrays only"


@pytest.mark.parametrize("ndims", [0, 3, (3, 4), (1, 7), ()])
def test_numbers_of_axes_without_rows_or_batches_are_refused(ndims):
    with pytest.raises(ValueError, match="ndims must be some of"):
        run_properties("softmax", row_wise, ndims=ndims)


def test_same_failure_of_many_properties_is_told_once():
    def broken(x):
        raise RuntimeError("out of order")

    told = str(run_properties("softmax", broken, examples=3))

    stories, _, _ = told.partition("  axis: ")
    assert stories.count("out of order") == 1
    assert "same for  rows_sum_to_one, shift_invariant" in stories


def test_exp_of_x_minus_logsumexp_fails_only_where_two_probabilities_of_one_come_out():
    report = run_properties("softmax", by_log_sum_exp, examples=10)

    assert [r.name for r in report.results if r.status is Status.FAILED] == [
        "huge_logits_stay_finite"
    ]


def test_what_is_not_offered_is_skipped_with_the_reason():
    report = run_properties("softmax", vectors_only, examples=5)

    assert report["each_row_as_if_alone"].status is Status.SKIPPED
    assert "a vector is expected" in report["each_row_as_if_alone"].message
    assert report["every_axis_offered_works"].message == "the function takes no axis"


def test_default_axis_that_is_not_the_last_is_reported():
    report = run_properties("softmax", scipy.special.softmax, only=["shape_kept"], examples=1)

    assert report.detected["axis"] == "takes axis=; without it, fn(x) is another function"


def test_layer_brings_its_own_backward():
    report = run_properties("softmax", Layer(), examples=5, only=["backward_is_derivative"])

    assert report["backward_is_derivative"].status is Status.PASSED


def test_columns_without_the_option_are_named_as_the_cause():
    report = run_properties("softmax", columns, examples=5, only=["rows_sum_to_one"])

    assert "axis=0" in report["rows_sum_to_one"].message


def test_class_instead_of_instance_is_refused():
    with pytest.raises(TypeError, match="Layer is a class; pass an instance"):
        run_properties("softmax", Layer)


def test_function_that_takes_no_array_is_reported_as_raising():
    def broken(x):
        raise RuntimeError("out of order")

    report = run_properties("softmax", broken, examples=5, only=["rows_sum_to_one"])

    assert report["rows_sum_to_one"].status is Status.ERRORED
    assert "out of order" in report["rows_sum_to_one"].message
