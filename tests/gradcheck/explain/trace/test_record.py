"""A recorded forward, walked back, gives the gradient; and names a wrong step by its expression."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import gradcheck
from gradcheck.adapters import as_target
from gradcheck.checking.context import CheckContext
from gradcheck.checking.evaluator import Evaluator
from gradcheck.explain.trace.record import record
from gradcheck.explain.trace.traced_array import TracedArray
from gradcheck.target import Target

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 5))
POSITIVE = np.abs(X) + 0.5
A = RNG.normal(size=(5, 5))


def rnn(x):
    h = np.zeros((4, 3))
    for t in range(3):
        h = np.tanh(x[:, t : t + 3] + 0.5 * h)
    return h


def loops(x):
    out = np.zeros(x.shape)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] = x[i, j] * x[i, j - 1] + out[i - 1, j]
    return out


def in_place(x):
    y = x.copy()
    y *= 2
    y[0] += y[1] ** 2
    np.add.at(y, ([0, 0, 2],), x[:3])
    return y


def convolution(x):
    windows = [[np.sum(x[i : i + 2, j : j + 2]) for j in range(3)] for i in range(3)]
    return np.array(windows)


FUNCTIONS = {
    "softmax": lambda x: (
        np.exp(x - x.max(1, keepdims=True))
        / np.exp(x - x.max(1, keepdims=True)).sum(1, keepdims=True)
    ),
    "products": lambda x: x @ A + np.dot(x, A.T) * np.einsum("ij,kj->ik", x, A),
    "batched products": lambda x: np.matmul(x.reshape(2, 2, 5), np.stack([A, A.T])),
    "vector products": lambda x: x[0] @ A @ x[1] + np.outer(x[0], x[1]).sum() + np.vdot(x, x),
    "tensordot": lambda x: np.tensordot(x.reshape(4, 5, 1), A, axes=([1], [0])),
    "moments": lambda x: (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5) + x.std(1, keepdims=True),
    "special": lambda x: special.erf(x) + special.expit(x) + np.log1p(x**2) + np.abs(x),
    "elementwise": lambda x: np.arctan(x) * np.hypot(x, 2) + np.logaddexp(x, 0) - np.cbrt(x**2 + 1),
    "positive": lambda x: np.log(1 + POSITIVE + x**2) ** 1.5 + np.reciprocal(POSITIVE) * np.sin(x),
    "moves": lambda x: np.concatenate([np.roll(x, 1, 0), np.pad(x, 1)[1:-1, 2:]], axis=1).T[::-1],
    "stacks": lambda x: np.stack(np.split(x, 2)).swapaxes(0, 1).ravel()[[0, 3, 3, 7]] ** 2,
    "where": lambda x: np.where(x > 0, x, 0.1 * x**2) + np.clip(x, -0.5, 0.5) * np.maximum(x, 0),
    "extremes": lambda x: (
        x.max(axis=0) * np.min(x) + np.prod(x, axis=0) + np.cumsum(x, 1)[:, -1][0]
    ),
    "linear algebra": lambda x: np.linalg.solve(A + x[:1].T @ x[:1], x[1]) * np.linalg.norm(x),
    "inverse": lambda x: np.linalg.inv(A + x[:1].T @ x[:1]) * np.linalg.slogdet(A * x[0])[1],
    "recurrent": rnn,
    "loops": loops,
    "in place": in_place,
    "convolution": convolution,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_recording_walked_back_gives_the_gradient(name):
    function = FUNCTIONS[name]
    shape = np.shape(function(X))
    cotangent = np.random.default_rng(1).normal(size=shape)

    def forward(x):
        return function(x), None

    def backward(dout, cache):
        return np.zeros_like(X)

    context = CheckContext(as_target((forward, backward), X), 0)
    recording = record(context.wide, context.base.tensors)
    walked = recording.gradient("x", (cotangent,))
    exact = gradcheck.gradient(lambda x: np.sum(cotangent * function(x)), X)
    assert np.all(np.abs(walked - exact.value) <= exact.error_bound + 1e-9)


def test_recording_leaves_numpy_and_the_layer_as_they_were():
    before = np.zeros, np.array, np.asarray
    layer = Cell("")
    context = CheckContext(as_target(layer, X), 0)
    weights = layer.W.copy()
    assert record(context.wide, context.base.tensors) is not None
    assert (np.zeros, np.array, np.asarray) == before
    assert not any(isinstance(value, TracedArray) for value in vars(layer).values())
    np.testing.assert_array_equal(layer.W, weights)


class Cell:
    """Two dense steps, a softmax between them, a gate: the bug is deep inside."""

    def __init__(self, bug):
        rng = np.random.default_rng(2)
        self.W, self.U = rng.normal(size=(5, 4)), rng.normal(size=(4, 3))
        self.G = rng.normal(size=(5, 4))
        self.bug = bug

    def forward(self, x):
        self.x = x
        self.s = x @ self.W
        e = np.exp(self.s - self.s.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        self.g = 1 / (1 + np.exp(-(x @ self.G)))
        self.h = np.tanh(self.p * self.g)
        return self.h @ self.U

    def backward(self, dout):
        self.dU = self.h.T @ dout
        d = dout @ self.U.T
        if self.bug != "tanh":
            d = d * (1 - self.h**2)
        dp, dg = d * self.g, d * self.p
        if self.bug == "gate":
            dp = d
        ds = self.p * (dp - (dp * self.p).sum(axis=1, keepdims=True))
        if self.bug == "diagonal":
            ds = dp * self.p * (1 - self.p)
        if self.bug == "softmax":
            ds = dp
        da = dg * self.g * (1 - self.g)
        self.dW, self.dG = self.x.T @ ds, self.x.T @ da
        return ds @ self.W.T if self.bug == "path" else ds @ self.W.T + da @ self.G.T


@pytest.mark.parametrize(
    ("bug", "codes", "expression"),
    [
        ("tanh", {"activation_derivative_missing"}, "np.tanh"),
        ("gate", {"path_missing", "mask_not_applied"}, "self.p * self.g"),
        ("diagonal", {"jacobian_diagonal_only"}, "e / e.sum"),
        ("softmax", {"activation_derivative_missing"}, "e / e.sum"),
        ("path", {"path_missing"}, "x @ self.G"),
    ],
)
def test_wrong_step_deep_inside_is_named_with_its_expression(bug, codes, expression):
    first = gradcheck.check(Cell(bug), X).explanations[0]
    assert first.code in codes
    assert expression in first.message
    assert "test_record.py:" in first.message


def test_right_cell_is_not_explained():
    report = gradcheck.check(Cell(""), X)
    assert report.ok
    assert report.explanations == ()


def test_what_cannot_be_recorded_is_left_to_other_patterns():
    def forward(x):
        return np.array([float(v) ** 2 for v in x.ravel()]).reshape(x.shape), x

    report = gradcheck.check((forward, lambda dout, x: 3 * x * dout), X)
    assert report.explanations[0].code == "constant_factor"


def foreign(replay):
    """Return tanh(x A) of a library that NumPy sees nothing of, with what stands for it."""
    return Target(
        "foreign",
        {"x": X},
        lambda at: np.tanh(np.asarray(at["x"].tolist()) @ A),
        lambda at, g: {"x": g},
        replay=replay,
    )


def test_replay_stands_for_a_forward_that_numpy_cannot_follow():
    def replay(at, locate):
        locate(__file__, (1, 0, 1, 14))
        product = at["x"] @ A
        locate(__file__, (1, 3, 1, 11))
        return [np.tanh(product)]

    recording = record(Evaluator(foreign(replay)), {"x": X})
    assert recording is not None
    right = (1 - np.tanh(X @ A) ** 2) @ A.T
    np.testing.assert_allclose(recording.gradient("x", (np.ones_like(X),)), right, rtol=1e-12)
    assert [node.site.text for node in recording.nodes[1:]] == ['"""A recorded', "A record"]


def test_replay_that_does_not_know_an_operation_records_nothing():
    def replay(at, locate):
        raise NotImplementedError("an operation that is not replayed")

    assert record(Evaluator(foreign(replay)), {"x": X}) is None
