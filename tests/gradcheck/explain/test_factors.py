"""Factors are named by what they follow, and losses by what their gradient belongs to."""

import numpy as np
import pytest

import gradcheck


class Dense:
    """A dense layer whose weight gradient has a factor that depends on the number of samples."""

    def __init__(self, factor):
        rng = np.random.default_rng(0)
        self.W, self.b = rng.normal(size=(4, 3)), rng.normal(size=3)
        self.factor = factor

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.factor(len(self.x)) * (self.x.T @ grad)
        self.db = grad.sum(axis=0)
        return grad @ self.W.T


def codes(target, *inputs):
    return [explanation.code for explanation in gradcheck.check(target, *inputs).explanations]


def batch_of(n):
    return np.random.default_rng(1).normal(size=(n, 4))


@pytest.mark.parametrize("n", [2, 4, 5])
def test_a_factor_that_follows_the_batch_is_named_after_it(n):
    assert codes(Dense(lambda n: n), batch_of(n)) == ["factor_batch_size"]
    assert codes(Dense(lambda n: 1 / n), batch_of(n)) == ["factor_batch_size"]


def test_a_constant_two_is_no_batch_size_in_a_batch_of_two():
    assert codes(Dense(lambda n: 2.0), batch_of(2)) == ["factor_two"]


def test_a_factor_that_equals_the_batch_but_stays_is_named_after_another_size():
    report = gradcheck.check(Dense(lambda n: 4.0), batch_of(4))
    (explanation,) = report.explanations
    assert explanation.code == "constant_factor"
    assert "axis 1 of x" in explanation.message


def test_a_right_layer_has_no_factor():
    assert codes(Dense(lambda n: 1.0), batch_of(4)) == []


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


LABELS = np.array([0, 2, 1, 2, 0])
LOGITS = np.random.default_rng(2).normal(size=(5, 3))


def cross_entropy(gradient):
    """The mean cross-entropy of a softmax, beside the gradient that is claimed for it."""
    rows = np.arange(5)
    return (lambda x: -np.log(softmax(x)[rows, LABELS]).mean()), gradient


def test_the_gradient_for_other_labels_is_named():
    shifted = np.eye(3)[(LABELS + 1) % 3]
    assert codes(cross_entropy(lambda x: (softmax(x) - shifted) / 5), LOGITS)[0] == "wrong_index"


def test_a_softmax_normalised_over_the_batch_is_named():
    right = np.eye(3)[LABELS]
    wrong = cross_entropy(lambda x: (softmax(x, axis=0) - right) / 5)
    assert codes(wrong, LOGITS)[0] == "wrong_axis"


def test_the_right_cross_entropy_is_left_alone():
    right = np.eye(3)[LABELS]
    assert codes(cross_entropy(lambda x: (softmax(x) - right) / 5), LOGITS) == []


def test_a_mean_over_the_rows_of_the_data_of_a_loss_is_named():
    rng = np.random.default_rng(3)
    t = rng.normal(size=7)

    def loss(w, X):
        r = X @ w - t
        return r @ r / 7, (2 * X.T @ r, 2 * np.outer(r, w) / 7)

    assert codes(loss, rng.normal(size=4), rng.normal(size=(7, 4))) == ["factor_batch_size"]


def test_a_gradient_left_at_zero_has_no_factor_of_zero():
    layer = Dense(lambda n: 0.0)
    assert "constant_factor" not in codes(layer, batch_of(5))
