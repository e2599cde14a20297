"""check(reference=): outputs and gradients compared with another implementation's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

import gradcheck
from gradcheck import Target, TargetError, Verdict
from tests.support import user_layers as s

RNG = np.random.default_rng(0)
X = RNG.standard_normal((5, 4))
C = np.sqrt(2 / np.pi)
FORWARD, GRADIENT = "agrees_with_reference", "gradient_agrees_with_reference"


def gelu(x):
    return x * ndtr(x)


def gelu_backward(x, d):
    return d * (ndtr(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))


def bent_gelu(x):
    return x * (1 + np.tanh(C * (x + 0.044715 * x**3))) / 2


def bent_gelu_backward(x, d):
    t = np.tanh(C * (x + 0.044715 * x**3))
    return d * ((1 + t) / 2 + x * (1 - t * t) / 2 * C * (1 + 0.134145 * x**2))


REFERENCES = {
    "function": lambda x: x - x * ndtr(-x),
    "pair": (gelu, gelu_backward),
    "target": Target(
        "gelu", {"x": X}, lambda t: gelu(t["x"]), lambda t, d: {"x": gelu_backward(t["x"], d)}
    ),
}


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_the_same_function_computed_otherwise_agrees(name, dtype):
    report = gradcheck.check((gelu, gelu_backward), X.astype(dtype), reference=REFERENCES[name])

    assert report.ok, str(report)
    assert report.contract[FORWARD].holds
    assert report.contract[GRADIENT].holds


@pytest.mark.parametrize("name", REFERENCES)
def test_a_forward_that_differs_is_told_though_its_gradient_is_right(name):
    report = gradcheck.check((bent_gelu, bent_gelu_backward), X, reference=REFERENCES[name])

    assert report.verdict is Verdict.FAIL
    assert report.tensors["x"].ok
    first = report.explanations[0]
    assert first.code == "other_than_reference"
    worst = np.unravel_index(np.argmax(np.abs(bent_gelu(X) - gelu(X))), X.shape)
    assert f"output[{worst[0]}, {worst[1]}] is" in first.evidence
    assert report.contract[GRADIENT].holds is None


@pytest.mark.parametrize("name", REFERENCES)
def test_a_gradient_that_differs_is_told_by_its_own_name(name):
    wrong = (gelu, lambda x, d: 2 * gelu_backward(x, d))

    report = gradcheck.check(wrong, X, reference=REFERENCES[name])

    assert [e.code for e in report.explanations] == ["factor_two"]
    assert report.contract[FORWARD].holds
    assert report.contract[GRADIENT].holds is False


@settings(max_examples=10)
@given(seed=st.integers(0, 2**16), exponent=st.integers(-11, -1))
def test_an_error_of_one_entry_above_rounding_is_seen_and_rounding_is_not(seed, exponent):
    rng = np.random.default_rng(seed)
    A, x = rng.standard_normal((30, 40)), rng.standard_normal(40)
    off = np.zeros(30)
    off[seed % 30] = 10.0**exponent * np.abs(A @ x).max()

    right = gradcheck.check(
        (lambda x: (x[None] * A).sum(1), lambda x, d: d @ A), x, reference=lambda x: A @ x
    )
    wrong = gradcheck.check(
        (lambda x: A @ x + off, lambda x, d: d @ A), x, reference=lambda x: A @ x, explain=False
    )

    assert right.ok, str(right)
    assert wrong.contract[FORWARD].holds is False
    assert f"output[{seed % 30}]" in wrong.contract[FORWARD].measurement
    assert "1 of 30 entries" in wrong.contract[FORWARD].measurement


def test_a_layer_is_compared_with_another_of_the_same_parameters():
    layer, other = s.Dense(4, 3), s.Dense(4, 3)
    other.W = other.W + 1.0  # a reference is set to the numbers of what is compared with it

    report = gradcheck.check(layer, X, reference=other)

    assert report.ok, str(report)
    assert report.contract[GRADIENT].measurement.startswith("the gradients of x, W, b are its own")
    assert np.array_equal(other.W, s.Dense(4, 3).W + 1.0)


def test_parameters_that_the_reference_takes_by_name_are_compared_and_others_are_said():
    layer = s.Dense(4, 3)

    named = gradcheck.check(layer, X, reference=lambda x, W, b: x @ W + b)
    alone = gradcheck.check(layer, X, reference=lambda x: x @ layer.W + layer.b)

    assert named.ok
    assert alone.ok
    assert "gradients of x, W, b" in named.contract[GRADIENT].measurement
    assert "does not take them: W, b" in alone.contract[GRADIENT].measurement


def test_a_loss_is_compared_whatever_shape_its_number_has():
    pair = (lambda x: np.sum(x**2).reshape(1), lambda x: 2 * x)

    assert gradcheck.check(pair, X[0], reference=lambda x: np.dot(x, x)).ok
    assert (
        gradcheck.check(pair, X[0], reference=(lambda x: np.dot(x, x), lambda x: x + x))
        .contract[GRADIENT]
        .holds
    )


def test_under_a_constraint_the_gradients_along_it_are_compared():
    p = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    pair = (lambda p: -np.sum(np.log(p)), lambda p: 7 - 1 / p)
    other = (lambda p: -np.log(np.prod(p)), lambda p: -3 - 1 / p)

    assert gradcheck.check(pair, p, reference=other, constraint="simplex").ok
    assert gradcheck.check(pair, p, reference=other[0], constraint="simplex").ok
    wrong = gradcheck.check(pair, p, reference=other, explain=False)
    assert wrong.contract[GRADIENT].holds is False


def test_other_shapes_are_told():
    report = gradcheck.check((gelu, gelu_backward), X, reference=lambda x: x[0])

    assert report.contract[FORWARD].holds is False
    assert "shapes [5, 4], not [4]" in report.contract[FORWARD].measurement


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (3, "reference: the first argument is an int"),
        (lambda x: x.foo, "reference: <lambda> raised AttributeError"),
        (lambda: 3, "reference: <lambda> raised TypeError"),
        (
            Target("other", {"z": np.ones(3)}, lambda t: t["z"], lambda t, d: {"z": d}),
            r"other takes none of the tensors \['x'\]",
        ),
    ],
)
def test_what_is_no_reference_is_refused(reference, message):
    with pytest.raises(TargetError, match=message):
        gradcheck.check((gelu, gelu_backward), X, reference=reference)


def test_a_reference_needs_the_contract():
    with pytest.raises(ValueError, match="contract=False: leaves out what reference= asks for"):
        gradcheck.check((gelu, gelu_backward), X, reference=gelu, contract=False)


def test_a_reference_of_few_digits_is_no_false_alarm():
    def rounded(x):
        return gelu(x.astype(np.float32)).astype(np.float64)

    report = gradcheck.check((gelu, gelu_backward), X.astype(np.float32), reference=rounded)

    assert report.contract[FORWARD].holds
    assert report.contract[GRADIENT].holds is not False, str(report)
