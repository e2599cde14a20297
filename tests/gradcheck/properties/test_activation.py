"""Activations: right ones pass, planted faults are refused by their properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from gradcheck.properties import Status, run_properties, suite


def sigmoid(x):
    return special.expit(x)


def one_number_at_a_time(x):
    return math.tanh(x)


RIGHT = {
    "sigmoid, of the output": (sigmoid, lambda y: y * (1 - y), "sigmoid"),
    "tanh, of the input": (np.tanh, lambda x: 1 - np.tanh(x) ** 2, "tanh"),
    "relu": (lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(float), "relu"),
    "leaky": (lambda x: np.where(x > 0, x, 0.2 * x), lambda x: np.where(x > 0, 1, 0.2), "none"),
    "softplus": (lambda x: np.logaddexp(0, x), special.expit, "softplus"),
    "scalar": (one_number_at_a_time, lambda x: 1 - math.tanh(x) ** 2, "tanh"),
    "own": (lambda x: np.sin(x) ** 3, lambda x: 3 * np.sin(x) ** 2 * np.cos(x), "none"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_activation_passes(name):
    fn, derivative, kind = RIGHT[name]

    report = run_properties("activation", fn, examples=25, derivative=derivative)

    assert report.ok, str(report)
    assert report.detected["kind"].startswith(kind)


def test_derivative_written_of_the_output_is_recognised():
    report = run_properties("activation", sigmoid, examples=1, derivative=lambda y: y * (1 - y))

    assert report.detected["derivative"] == "of the output"


def scaled_by_mean(x):
    return np.tanh(x) * (1 + 1e-6 * np.mean(x))


def overflowing_softplus(x):
    return np.log(1 + np.exp(x))


def step_too_high(x):
    return np.maximum(x, 1e-3)


def nan_to_all(x):
    return np.tanh(x) + 0 * np.sum(x)


def below_range(x):
    return np.tanh(x) * (1 + 1e-9)


def squeezed(x):
    return np.squeeze(np.tanh(x))


def widened(x):
    return np.tanh(np.asarray(x, dtype=np.float64))


def truncated(x):
    return np.tanh(x).astype(x.dtype)


def in_place(x):
    return np.tanh(x, out=x) if x.dtype.kind == "f" else np.tanh(x)


def memory_order_lost(x):
    return np.tanh(x.ravel(order="K")).reshape(x.shape)


def refuses_nothing(x):
    return np.tanh(x) + 0 * x.max()


class Wandering:
    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return np.tanh(x) + 1e-9 * self.calls


FAULTS = {
    scaled_by_mean: ("tanh", {"each_entry_as_if_alone"}),
    step_too_high: ("relu", {"agrees_with_reference"}),
    overflowing_softplus: ("softplus", {"huge_inputs_stay_right"}),
    nan_to_all: ("tanh", {"nan_stays_in_its_entry"}),
    below_range: ("tanh", {"range_kept"}),
    squeezed: ("tanh", {"shape_kept"}),
    widened: ("tanh", {"dtype_kept"}),
    truncated: ("tanh", {"integers_computed_as_floats"}),
    in_place: ("tanh", {"input_unchanged"}),
    memory_order_lost: ("tanh", {"memory_layout_irrelevant"}),
    refuses_nothing: ("tanh", {"empty_batch_stays_empty"}),
    Wandering: ("tanh", {"same_input_same_output"}),
}

DERIVATIVE_FAULTS = {
    "derivative_is_slope": lambda x: 1 - np.tanh(x),
    "derivative_finite_far_out": lambda x: 4 * np.exp(2 * x) / (1 + np.exp(2 * x)) ** 2,
}


def refused(fn, properties, **options):
    report = run_properties("activation", fn, examples=60, only=properties, **options)
    return {r.name for r in report.results if r.status in (Status.FAILED, Status.ERRORED)}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_fault_is_refused_by_its_properties(fault):
    kind, expected = FAULTS[fault]
    fn = fault() if isinstance(fault, type) else fault

    assert refused(fn, expected, kind=kind) == expected


@pytest.mark.parametrize("name", DERIVATIVE_FAULTS)
def test_derivative_fault_is_refused_by_its_property(name):
    assert refused(np.tanh, [name], derivative=DERIVATIVE_FAULTS[name]) == {name}


def test_every_property_refuses_some_fault():
    killers = set(DERIVATIVE_FAULTS).union(*(expected for _, expected in FAULTS.values()))

    assert set(suite("activation").names) == killers


def test_activation_that_works_in_place_is_recognised_and_changes_no_probe():
    def relu(x):
        x[x < 0] = 0
        return x

    for _ in range(2):
        report = run_properties("activation", relu, examples=10)

        assert report.detected["kind"] == "relu"
        assert {r.name for r in report.results if r.status is Status.FAILED} == {
            "input_unchanged",
            "memory_layout_irrelevant",
        }
