"""Right softmaxes pass, however they are written, and what they do not offer is not asked."""

from __future__ import annotations

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


def test_softmax_for_batches_only_fails_on_deeper_arrays_alone():
    report = run_properties("softmax", batches_only, examples=10)

    assert report["vector_is_a_batch_of_one"].status is Status.SKIPPED
    assert not [
        r.name
        for r in report.results
        if r.status in (Status.FAILED, Status.ERRORED) and r.name != "leading_axes_are_batches"
    ]


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

    assert report.facts["axis"] == "takes axis=; without it, fn(x) is another function"


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
