"""Wrong entries are named in few forwards, and rows, columns and samples by their name."""

from __future__ import annotations

import time

import numpy as np
import pytest

import gradcheck
from gradcheck.checking.slices import holding, in_words


class Dense:
    """A layer of tanh units whose gradients are spoilt by ``spoil(dW, dx)``."""

    def __init__(self, shape, spoil):
        self.W = np.random.default_rng(0).normal(size=shape) / np.sqrt(shape[0])
        self.spoil = spoil

    def forward(self, x):
        self.x = x
        self.y = np.tanh(x @ self.W)
        return self.y

    def backward(self, g):
        g = g * (1 - self.y**2)
        self.dW, dx = self.x.T @ g, g @ self.W.T
        self.spoil(self.dW, dx)
        return dx


def failed(shape, spoil, name, batch=8):
    x = np.random.default_rng(1).normal(size=(batch, shape[0]))
    report = gradcheck.check(Dense(shape, spoil), x, contract=False, explain=False)
    others = [tensor for tensor in report.tensors.values() if tensor.name != name]
    assert all(tensor.verdict is gradcheck.Verdict.PASS for tensor in others)
    assert report.tensors[name].verdict is gradcheck.Verdict.FAIL
    return report.tensors[name]


def set_to(which, value):
    def spoil(dW, dx):
        target, index = which
        (dW if target == "W" else dx)[index] = value

    return spoil


def test_three_wrong_entries_of_many_are_named_in_few_forwards():
    def spoil(dW, dx):
        dW[5, 7] *= 1.01
        dW[700, 11] += 0.01
        dW[300, 299] = 0

    tensor = failed((784, 300), spoil, "W")
    assert {entry.index for entry in tensor.worst} == {(5, 7), (700, 11), (300, 299)}
    assert tensor.region == ""
    assert tensor.forwards < 220


def scaled_row(dW, dx):
    dW[40] *= 1.1


def shifted_column(dW, dx):
    dW[:, 12] += 1e-3


def two_rows(dW, dx):
    dW[[40, 60]] = 0


def one_sample(dW, dx):
    dx[3] *= 0.5


@pytest.mark.parametrize(
    ("spoil", "name", "region"),
    [
        (scaled_row, "W", "within row 40"),
        (shifted_column, "W", "within column 12"),
        (two_rows, "W", "within rows 40 and 60"),
        (one_sample, "x", "within sample 3"),
    ],
)
def test_a_slice_of_a_large_tensor_is_named(spoil, name, region):
    assert failed((200, 90), spoil, name).region == region


def test_an_error_everywhere_is_no_slice():
    def spoil(dW, dx):
        dW *= 1.01

    assert failed((200, 90), spoil, "W").region == ""


@pytest.mark.parametrize(
    ("index", "region"),
    [
        (np.s_[2], "all of row 2"),
        (np.s_[:, 1], "all of column 1"),
        (np.s_[1:4, 1], "within column 1"),
        (np.s_[2, 3], ""),
        (np.s_[:], ""),
    ],
)
def test_a_slice_of_a_small_tensor_is_named_by_what_was_measured(index, region):
    assert failed((6, 5), set_to(("W", index), 0.0), "W").region == region


def test_slices_are_called_as_their_reader_would():
    shape = (8, 3, 10, 10)
    assert in_words(0, [2], shape, batch=True) == "sample 2"
    assert in_words(1, [0, 2], shape, batch=True) == "channels 0 and 2"
    assert in_words(2, [0, 1, 9], shape, batch=True) == "indices 0, 1 and 9 of axis 2"
    assert in_words(0, [4], (5, 6), batch=False) == "row 4"


def test_of_several_axes_the_one_with_fewest_slices_holds():
    assert holding([(0, 1), (0, 3), (0, 4)], (5, 6)) == (0, [0])
    assert holding([(1, 2)], (5, 6)) is None
    assert holding([(i, i) for i in range(5)], (5, 6)) is None


def test_element_mode_measures_every_entry_of_a_large_tensor():
    x = np.random.default_rng(1).normal(size=(2, 30))
    layer = Dense((30, 20), set_to(("W", (17, 3)), 0.0))
    tensor = gradcheck.check(layer, x, mode="element", contract=False, explain=False).tensors["W"]
    assert tensor.numerical.shape == (30, 20)
    assert [entry.index for entry in tensor.worst] == [(17, 3)]


def test_independent_samples_are_moved_together():
    def input_forwards(layer, x):
        report = gradcheck.check(layer, x, mode="element", contract=False, explain=False)
        return report.tensors["x"]

    spoil = set_to(("x", (5, 2)), 0.0)
    x = np.random.default_rng(1).normal(size=(32, 4))
    many = input_forwards(Dense((4, 3), spoil), x)
    few = input_forwards(Dense((4, 3), spoil), x[:8])
    assert [entry.index for entry in many.worst] == [(5, 2)]
    assert many.forwards < 2 * few.forwards
    np.testing.assert_allclose(many.numerical, reference(Dense((4, 3), spoil), x), rtol=1e-8)


def reference(layer, x):
    report = gradcheck.check(layer, x, contract=False, explain=False, tensors=["x"])
    analytic = report.tensors["x"].analytic.copy()
    layer.spoil = lambda dW, dx: None
    right = gradcheck.check(layer, x, contract=False, explain=False, tensors=["x"])
    assert not np.array_equal(analytic, right.tensors["x"].analytic)
    return right.tensors["x"].analytic


def test_coupled_samples_are_moved_one_by_one():
    class Centred:
        def forward(self, x):
            self.y = np.tanh(x - x.mean(axis=0))
            return self.y

        def backward(self, g):
            d = g * (1 - self.y**2)
            return d - d.mean(axis=0)

    x = np.random.default_rng(1).normal(size=(6, 3))
    tensor = gradcheck.check(Centred(), x, mode="element").tensors["x"]
    assert tensor.verdict is gradcheck.Verdict.PASS
    np.testing.assert_allclose(tensor.numerical, tensor.analytic, rtol=1e-8)


def spoilt_cosine(position, calls):
    """Return a slow sum of sines with a gradient that is wrong at one position."""

    def value(x):
        calls.append(1)
        time.sleep(2e-3)
        return float(np.sum(np.sin(x)))

    def gradient(x):
        slope = np.cos(x)
        slope[position] = 0
        return slope

    return value, gradient


@pytest.mark.parametrize("size", [60, 400])
def test_a_slow_forward_is_halved_where_entry_by_entry_takes_too_long(size):
    calls = []
    x = np.random.default_rng(0).normal(size=size)

    report = gradcheck.check(spoilt_cosine(7, calls), x, explain=False, budget=2.0)

    tensor = report.tensors["x"]
    assert [entry.index for entry in tensor.worst] == [(7,)]
    assert tensor.numerical is None
    assert len(calls) < 8 * 60  # of all entries, six and more each


@pytest.mark.parametrize("size", [60, 400])
def test_without_time_the_verdict_comes_all_the_same(size):
    x = np.random.default_rng(0).normal(size=size)

    report = gradcheck.check(spoilt_cosine(7, []), x, budget=0.0)

    assert report.tensors["x"].verdict is gradcheck.Verdict.FAIL
    assert not report.tensors["x"].worst
