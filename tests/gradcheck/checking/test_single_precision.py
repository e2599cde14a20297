"""Code that computes in float32 what it takes and returns as float64, at points of any format."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradcheck
from gradcheck import Verdict


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(x, d):
    p = softmax(x)
    return p * (d - (d * p).sum(axis=-1, keepdims=True))


FUNCTIONS = {
    "softmax": (softmax, softmax_backward),
    "tanh": (np.tanh, lambda x, d: d / np.cosh(x) ** 2),
    "logistic": (
        lambda x: 1 / (1 + np.exp(-x)),
        lambda x, d: d * np.exp(-x) / (1 + np.exp(-x)) ** 2,
    ),
    "product": (lambda x: x @ x.T, lambda x, d: (d + d.T) @ x),
}


def in_single(function, returned=np.float64):
    return lambda *arrays: function(*(a.astype(np.float32) for a in arrays)).astype(returned)


@settings(max_examples=40)
@given(
    name=st.sampled_from(sorted(FUNCTIONS)),
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(2, 12),
    columns=st.integers(2, 40),
    grid=st.sampled_from([0, 24, 8, 3]),
)
def test_a_right_gradient_never_fails_wherever_the_steps_are(name, seed, rows, columns, grid):
    forward, backward = FUNCTIONS[name]
    x = np.random.default_rng(seed).normal(size=(rows, columns))
    if grid:  # numbers of so many binary digits after the point: of float32, or of bfloat16
        x = np.round(x * 2.0**grid) / 2.0**grid

    for claimed in (in_single(backward), backward):
        report = gradcheck.check((in_single(forward), claimed), x, seed=seed, explain=False)

        assert report.verdict is not Verdict.FAIL, f"{report}"


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("grid", [0, 8])
def test_a_wrong_gradient_still_fails(name, grid):
    forward, backward = FUNCTIONS[name]
    x = np.random.default_rng(0).normal(size=(4, 6))
    x = np.round(x * 2.0**grid) / 2.0**grid if grid else x

    report = gradcheck.check(
        (in_single(forward), lambda x, d: 1.3 * in_single(backward)(x, d)), x, explain=False
    )

    assert report.tensors["x"].verdict is Verdict.FAIL, f"{report}"


def test_a_step_function_is_none_that_computes_in_single():
    x = np.arange(1.0, 7.0).reshape(2, 3) + 0.25

    report = gradcheck.check((np.floor, lambda x, d: 0 * d), x, explain=False)

    assert report.verdict is not Verdict.FAIL
    assert "float32" not in str(report)


def test_the_way_out_names_what_computes_in_float32():
    x = (3 * np.random.default_rng(0).normal(size=(16, 200))).astype(np.float32).astype(np.float64)

    report = gradcheck.check((in_single(softmax), in_single(softmax_backward)), x, explain=False)

    assert report.verdict is Verdict.UNDECIDED
    assert "keep float64 inside" in " ".join(str(report).split())
