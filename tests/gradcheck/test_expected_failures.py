"""assert_gradients(xfail=): what is expected to fail has to, and the rest is judged as usual."""

import numpy as np
import pytest

import gradcheck
from gradcheck import assert_gradients
from tests.support import user_layers as s

X = np.random.default_rng(0).standard_normal((5, 4))
WHY = "the bias is frozen upstream"


class Dense:
    """A layer with gradients wrong by these factors."""

    def __init__(self, dx=1.0, dW=1.0, db=1.0):
        rng = np.random.default_rng(1)
        self.W, self.b = rng.standard_normal((4, 3)), rng.standard_normal(3)
        self.wrong = dx, dW, db

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, d):
        dx, dW, db = self.wrong
        self.dW, self.db = dW * (self.x.T @ d), db * d.sum(axis=0)
        return dx * (d @ self.W.T)


class Shifted(Dense):
    """A layer with a trained shift, of which there is no gradient to be found."""

    def __init__(self):
        super().__init__()
        self.shift_weights = np.ones(3)

    def forward(self, x):
        return super().forward(x) + self.shift_weights


class Mutating(Dense):
    def forward(self, x):
        y = super().forward(x.copy())
        x *= 1.0 + 1e-9
        return y


@pytest.mark.parametrize("name", ["b", "db"])
def test_an_expected_failure_is_noted_and_the_rest_judged(name):
    report = assert_gradients(Dense(db=2.0), X, xfail={name: WHY})

    assert report.ok
    assert set(report.tensors) == {"x", "W"}
    assert report.explanations == ()
    assert f"{name} is expected to fail: {WHY}" in report.notes


def test_another_failure_fails():
    with pytest.raises(AssertionError, match=r"factor_two in W") as failed:
        assert_gradients(Dense(dW=2.0, db=3.0), X, xfail={"b": WHY})

    assert "constant_factor" not in str(failed.value)


def test_a_bug_in_two_tensors_is_told_of_the_one_that_is_not_expected():
    with pytest.raises(AssertionError, match=r"factor_two in W  \("):
        assert_gradients(Dense(dW=2.0, db=2.0), X, xfail={"b": WHY})


def test_an_expected_failure_that_passes_fails():
    with pytest.raises(AssertionError, match=rf"expected to fail, but right: b \({WHY}\); take"):
        assert_gradients(Dense(), X, xfail={"b": WHY})


def test_a_parameter_without_a_gradient_may_be_expected():
    with pytest.raises(AssertionError, match="shift_weights could not be judged"):
        assert_gradients(Shifted(), X)

    assert assert_gradients(Shifted(), X, xfail={"shift_weights": WHY}).ok


def test_a_promise_may_be_expected():
    with pytest.raises(AssertionError, match="input_mutated"):
        assert_gradients(Mutating(), X)

    assert assert_gradients(Mutating(), X, xfail={"input_not_mutated": "known"}).ok


def test_a_tensor_of_a_part_is_expected_by_its_path():
    network = [s.Dense(4, 3), Dense(db=2.0)]
    network[1].W = np.ones((3, 3))

    report = assert_gradients(network, X, xfail={"layers[1].b": WHY})

    assert report.ok
    assert "b" not in report.parts["layers[1]"].tensors
    assert "layers[1].b" not in report.tensors
    assert "layers[0].b" in report.tensors


def test_all_may_be_expected():
    pair = (lambda x: np.sum(x**2), lambda x: 3 * x)

    assert_gradients(pair, X[0], xfail={"x": "known"}, contract=False)


def test_points_are_judged_without_it():
    layer = Dense(db=2.0)

    report = assert_gradients(layer, points=[X, X + 1], xfail={"b": WHY})

    assert report.ok
    assert all("b" not in point.tensors for point in report.points.values())


@pytest.mark.parametrize(
    ("xfail", "message"),
    [
        ({"c": WHY}, r"xfail=\{'c': ...\}: expected one of x, W, b, .*finite"),
        ({"b": ""}, r"xfail\['b'\]='': expected the reason"),
    ],
)
def test_what_names_nothing_or_gives_no_reason_is_refused(xfail, message):
    with pytest.raises(ValueError, match=message):
        assert_gradients(Dense(db=2.0), X, xfail=xfail)


def test_check_itself_knows_no_expectation():
    with pytest.raises(TypeError, match="xfail"):
        gradcheck.check(Dense(), X, xfail={"b": WHY})
