"""Log-softmaxes: right ones pass, planted faults are refused by their properties."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp, softmax

from gradcheck.properties import Status, run_properties, suite


def row_wise(x):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def vjp(x, g):
    return g - softmax(x, axis=-1) * g.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("fn", [row_wise, log_softmax], ids=["row_wise", "scipy"])
def test_right_log_softmax_passes(fn):
    report = run_properties("log_softmax", fn, examples=12, backward=vjp, softmax=softmax)

    assert report.ok, str(report)


def maximum_added_back(x):
    return x - logsumexp(x, axis=-1, keepdims=True)


def through_softmax(x):
    return np.log(softmax(x, axis=-1))


def over_everything(x):
    shifted = x - x.max()
    return shifted - np.log(np.exp(shifted).sum())


def base_two(x):
    return row_wise(x) / np.log(2)


def no_shift(x):
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def clipped(x):
    return np.maximum(row_wise(x), -20)


def not_normalised(x):
    return x - x.max(axis=-1, keepdims=True) + 0.5


def right_for_two_classes(x):
    return row_wise(x) if x.shape[-1] < 3 else row_wise(0.5 * x)


FAULTS = {
    maximum_added_back: {"digits_kept_far_from_zero"},
    through_softmax: {"finite_where_softmax_underflows"},
    over_everything: {"exponentials_sum_to_one", "each_row_as_if_alone", "agrees_with_reference"},
    base_two: {"differences_kept", "exponentials_sum_to_one", "idempotent"},
    no_shift: {"shift_invariant", "finite_where_softmax_underflows"},
    clipped: {"minus_infinity_stays", "differences_kept"},
    not_normalised: {"never_positive", "exponentials_sum_to_one"},
    right_for_two_classes: {"differences_kept", "agrees_with_softmax"},
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_fault_is_refused_by_its_properties(fault):
    report = run_properties("log_softmax", fault, only=FAULTS[fault], softmax=softmax)

    assert {r.status for r in report.results} == {Status.FAILED}, str(report)


def test_every_property_of_its_own_refuses_some_fault():
    own = {
        p.name
        for p in suite("log_softmax").properties
        if p.check.__module__.endswith("properties.log_softmax")
    }

    assert own == set().union(*FAULTS.values()) - {"each_row_as_if_alone"}


def test_cause_is_found_by_experiment():
    report = run_properties("log_softmax", over_everything, only=["exponentials_sum_to_one"])

    assert "over the whole array" in report.results[0].message


def test_backward_of_softmax_is_recognised():
    def backward(x, g):
        p = softmax(x, axis=-1)
        return p * (g - (p * g).sum(axis=-1, keepdims=True))

    report = run_properties(
        "log_softmax", row_wise, only=["backward_is_derivative"], backward=backward
    )

    assert "this is the backward of the softmax" in report.results[0].message
