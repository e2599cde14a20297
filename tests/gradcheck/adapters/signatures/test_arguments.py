"""Inputs of every kind: differentiable ones are checked, data is left alone, others are refused."""

import numpy as np
import pytest
import scipy.sparse

import gradcheck
from tests.support.written_functions import LABELS, B, W, X, softmax_loss
from tests.support.written_layers import Base


class Dense(Base):
    def __init__(self):
        super().__init__(1.0)

    def backward(self, d):
        self.dW, self.db = self.x.T @ d, d.sum(0)
        return d @ self.W.T


class CrossEntropy:
    def forward(self, scores, y):
        value, self.d = softmax_loss(scores, y)
        return value

    def backward(self):
        return self.d


class Scale:
    """Parameters that are Python numbers."""

    def __init__(self):
        self.w, self.b = 0.5, 0.1

    def forward(self, x):
        self.x = x
        return self.w * x + self.b

    def backward(self, d):
        self.dw, self.db = float(np.sum(self.x * d)), float(np.sum(d))
        return self.w * d


class Table:
    """What a data frame looks like from afar."""

    def to_numpy(self):
        return X


def read_only():
    x = X.copy()
    x.flags.writeable = False
    return x


@pytest.mark.parametrize(
    "x",
    [
        X.tolist(),
        X[:1],
        np.asfortranarray(X),
        np.hstack([X, X])[:, ::2],
        read_only(),
        X.astype(">f8"),
        X.astype(np.float32),
        X.astype(np.longdouble),
        Table(),
    ],
    ids=[
        "list",
        "one",
        "fortran",
        "strided",
        "read-only",
        "swapped",
        "32",
        "long",
        "table",
    ],
)
def test_a_right_layer_passes_on_inputs_of_any_layout_and_precision(x):
    report = gradcheck.check(Dense(), x)

    assert report.ok, str(report)
    assert list(report.tensors) == ["x", "W", "b"]


def test_a_memory_mapped_input_is_checked_and_not_written(tmp_path):
    x = np.memmap(tmp_path / "x", dtype=float, shape=X.shape, mode="w+")
    x[:] = X

    assert gradcheck.check(Dense(), x).ok
    assert np.array_equal(x, X)


@pytest.mark.parametrize("labels", [LABELS.tolist(), tuple(LABELS.tolist()), LABELS])
def test_labels_are_data_however_they_are_given(labels):
    report = gradcheck.check(CrossEntropy(), X[:, :3], labels)

    assert report.ok, str(report)
    assert list(report.tensors) == ["scores"]


def test_a_mask_and_a_sparse_matrix_are_data():
    class Propagate(Base):
        def forward(self, x, adjacency, mask):
            self.x, self.a, self.m = x, adjacency, mask
            return (adjacency @ x @ self.W) * mask

        def backward(self, d):
            d = d * self.m
            self.dW = (self.a @ self.x).T @ d
            return self.a.T @ d @ self.W.T, None, None

    adjacency = scipy.sparse.random(5, 5, 0.5, random_state=0, format="csr")

    report = gradcheck.check(Propagate(1.0), X, adjacency, X[:, :3] > 0)

    assert report.ok, str(report)
    assert {"x", "W"} <= set(report.tensors)


def test_whole_numbers_are_taken_for_floats_where_the_forward_takes_them_so():
    def forward(x, w, mask):
        return (x @ w) * mask, (x, w, mask)

    def backward(d, cache):
        x, w, mask = cache
        return (d * mask) @ w.T, x.T @ (d * mask), None

    x, w = np.arange(20).reshape(5, 4), np.arange(12).reshape(4, 3)
    report = gradcheck.check((forward, backward), x, w, (X[:, :3] > 0).astype(int))

    assert report.ok, str(report)
    assert list(report.tensors) == ["x", "w"]


def test_numbers_are_parameters_too():
    report = gradcheck.check(Scale(), X)

    assert report.ok, str(report)
    assert list(report.tensors) == ["x", "w", "b"]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.matrix(X), "np.asarray"),
        (X.astype(object), "dtype object"),
    ],
)
def test_what_has_no_gradient_here_is_refused_with_a_way_out(x, message):
    with pytest.raises(gradcheck.TargetError, match=message):
        gradcheck.check(Dense(), x)


def test_settings_in_a_dict_are_no_parameters():
    def forward(x, settings):
        return x * settings["factor"], settings["factor"]

    report = gradcheck.check((forward, lambda d, cache: d * cache), X, {"factor": 0.5, "p": 0.1})

    assert report.ok, str(report)
    assert list(report.tensors) == ["x"]
    assert not report.notes


def test_arrays_that_functions_read_from_elsewhere_are_given_as_params():
    weights = {"W": W.copy(), "b": B.copy()}

    def forward(x):
        return x @ weights["W"] + weights["b"], x

    def backward(d, x):
        return d @ weights["W"].T, x.T @ d, 2 * d.sum(0)

    report = gradcheck.check((forward, backward), X, params=weights)

    assert [name for name, t in report.tensors.items() if t.verdict == "FAIL"] == ["b"]
    assert np.array_equal(weights["W"], W)
