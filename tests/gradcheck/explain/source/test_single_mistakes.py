"""Mistakes that take more than another name or number: each is corrected in its own line."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck

RNG = np.random.default_rng(8)
X = RNG.normal(size=(6, 4))
LABELS = RNG.integers(0, 3, 6)
RATE = 0.1


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Complement:
    """The gate of the other side."""

    def forward(self, x):
        self.x, self.s = x, sigmoid(x)
        return (1 - self.s) * x

    def backward(self, grad):
        s, x = self.s, self.x
        return grad * s - grad * x * s * (1 - s)


class OfRelu:
    """The derivative of ReLU behind a tanh."""

    def __init__(self):
        self.W = np.random.default_rng(0).normal(size=(4, 3))

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.W)
        return self.h

    def backward(self, grad):
        d = grad * (self.h > 0)
        self.dW = self.x.T @ d
        return d @ self.W.T


class CalledTwice:
    """The sigmoid of what is its value already."""

    def forward(self, x):
        self.y = sigmoid(x)
        return self.y

    def backward(self, grad):
        return grad * sigmoid(self.y) * (1 - sigmoid(self.y))


class LastSample:
    def __init__(self):
        self.b = np.zeros(4)

    def forward(self, x):
        return x + self.b

    def backward(self, grad):
        self.db = grad[-1]
        return grad


@pytest.mark.parametrize(
    ("layer", "code", "after"),
    [
        (Complement, "derivative_at_wrong_point", "grad * (1 - s) - grad"),
        (OfRelu, "derivative_at_wrong_point", "1 - self.h ** 2"),
        (CalledTwice, "derivative_at_wrong_point", "grad * self.y * (1 - self.y)"),
        (LastSample, "last_sample_only", "grad.sum(axis=0)"),
    ],
)
def test_the_line_is_written_right(layer, code, after):
    found = gradcheck.check(layer(), X).explanations[0]

    assert after in found.fix.partition("->")[2]
    assert found.code == code


def svm_loss(W):
    """Every violated margin counts for the right class as well, which is summed and forgotten."""
    scores = X @ W
    rows = np.arange(len(X))
    margins = np.maximum(0, scores - scores[rows, LABELS][:, None] + 1)
    margins[rows, LABELS] = 0
    wrong = (margins > 0).astype(float)
    violated = wrong.sum(axis=1)  # noqa: F841 (this is the bug)
    wrong[rows, LABELS] = -1
    return margins.sum() / len(X), X.T @ wrong / len(X)


def test_a_number_for_the_variable_that_is_computed_and_forgotten():
    found = gradcheck.check(svm_loss, RNG.normal(size=(4, 3))).explanations[0]

    assert found.fix.endswith("-> `wrong[rows, LABELS] = -violated`")


def softmax_loss(W):
    """The numerator's part of the gradient is missing; the shift by the maximum has none."""
    scores = X @ W
    shifted = scores - scores.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(len(X)), LABELS]).mean()
    return loss, X.T @ p / len(X)


def test_a_shift_that_changes_nothing_is_on_nobodys_way_back():
    found = gradcheck.check(softmax_loss, RNG.normal(size=(4, 3))).explanations[0]

    assert found.code == "path_missing"
    assert "operand 1 of `e / e.sum" in found.message


class UpdatedTooEarly:
    """The weights are updated before the gradient of the layer below goes through them."""

    def __init__(self):
        rng = np.random.default_rng(1)
        self.W1, self.W2 = rng.normal(size=(4, 5)), rng.normal(size=(5, 2))
        self.Y = rng.normal(size=(6, 2))

    def loss(self):
        return 0.5 * np.sum((np.tanh(X @ self.W1) @ self.W2 - self.Y) ** 2)

    def step(self):
        h = np.tanh(X @ self.W1)
        delta = h @ self.W2 - self.Y
        self.W2 -= RATE * h.T @ delta
        below = delta @ self.W2.T * (1 - h**2)
        self.W1 -= RATE * X.T @ below


def test_a_statement_that_comes_too_early_is_moved():
    net = UpdatedTooEarly()

    (found,) = gradcheck.check_update(net.step, net, net.loss, learning_rate=RATE).explanations

    assert found.tensor == "W1"
    assert ": move `self.W2 -= RATE * h.T @ delta` below line " in found.fix


class Rewarded:
    """Each sample's log-probability counts with its own reward, which the step forgets."""

    def __init__(self):
        rng = np.random.default_rng(2)
        self.W, self.rewards = rng.normal(size=4), rng.normal(size=6)

    def loss(self):
        pairs = zip(X, self.rewards, strict=True)
        return -sum(r * np.log(sigmoid(x @ self.W)) for x, r in pairs)

    def step(self):
        errors = []
        for x, r in zip(X, self.rewards, strict=True):  # noqa: B007 (this is the bug)
            p = sigmoid(x @ self.W)
            errors.append(1 - p)
        self.W += RATE * X.T @ np.array(errors)


def test_a_weight_of_each_sample_is_missed_where_a_list_is_made():
    net = Rewarded()

    (found,) = gradcheck.check_update(net.step, net, net.loss, learning_rate=RATE).explanations

    assert found.code == "path_missing"
    assert "-> `errors.append((1 - p) * r)`" in found.fix


class ManyGates:
    """So many changes of what is right are possible that only what is wrong may be changed."""

    def __init__(self):
        rng = np.random.default_rng(3)
        self.A, self.B, self.C = (rng.normal(size=(4, 4)) for _ in range(3))

    def forward(self, x):
        self.x = x
        self.a, self.b = sigmoid(x @ self.A), np.tanh(x @ self.B)
        self.c = np.tanh((self.a * x) @ self.C)
        return self.a * self.b + self.c

    def backward(self, grad):
        a, b, c, x = self.a, self.b, self.c, self.x
        dc = grad * (1 - c**2)
        self.dC = (a * x).T @ dc
        gated = dc @ self.C.T
        da = (grad * b + gated * x) * a * (1 - a)
        db = grad * a * (1 - b**2)
        self.dA, self.dB = x.T @ da, x.T @ db
        return da @ self.A.T + db @ self.B.T + gated


def test_changes_of_what_only_wrong_gradients_depend_on_are_tried_first(monkeypatch):
    monkeypatch.setattr("gradcheck.explain.source.repair_search.MOST_LINES", 60_000)

    found = gradcheck.check(ManyGates(), X).explanations[0]

    assert found.fix.endswith("`return da @ self.A.T + db @ self.B.T + gated * a`")


class Heads:
    """Heads that go back merged, without their axes being exchanged."""

    def __init__(self):
        self.W = np.random.default_rng(5).normal(size=(3, 4))

    def forward(self, x):
        self.x = x
        self.y = np.tanh((x @ self.W).reshape(len(x), -1, 2, 2).transpose(0, 2, 1, 3))
        return self.y

    def backward(self, grad):
        merged = (grad * (1 - self.y**2)).reshape(len(self.x), -1, 4)
        self.dW = np.einsum("nri,nrj->ij", self.x, merged)
        return merged @ self.W.T


def test_entries_that_go_back_in_another_order_are_told_by_the_step(monkeypatch):
    monkeypatch.setattr("gradcheck.explain.source.repair_search.MOST_LINES", 0)

    found = gradcheck.check(Heads(), RNG.normal(size=(2, 5, 3))).explanations[0]

    assert found.code == "wrong_index"
    assert "in the order (0, 2, 1, 3)" in found.message


class OneRightBeside:
    """The last layer descends the loss, the one below goes without the slope of the last."""

    def __init__(self):
        rng = np.random.default_rng(6)
        self.U, self.V = rng.normal(size=(4, 5)), rng.normal(size=(5, 2))
        self.Y = rng.uniform(0.2, 0.8, size=(6, 2))

    def loss(self):
        return 0.5 * np.sum((sigmoid(np.tanh(X @ self.U) @ self.V) - self.Y) ** 2)

    def step(self):
        h = np.tanh(X @ self.U)
        p = sigmoid(h @ self.V)
        error = p - self.Y
        delta = error * p * (1 - p)
        below = error @ self.V.T * (1 - h**2)
        self.V -= RATE * h.T @ delta
        self.U -= RATE * X.T @ below


def test_no_other_loss_is_descended_where_a_layer_is_right():
    net = OneRightBeside()

    (found,) = gradcheck.check_update(net.step, net, net.loss, learning_rate=RATE).explanations

    assert found.code == "activation_derivative_missing"
    assert "-> `below = delta @ self.V.T * (1 - h ** 2)`" in found.fix


def svm_by_hand(W):
    """The right class is paid once a sample, behind the condition that a margin is violated."""
    loss, dW = 0.0, np.zeros_like(W)
    for x, label in zip(X, LABELS, strict=True):
        scores = x @ W
        for other in range(3):
            if other == label:
                continue
            margin = scores[other] - scores[label] + 1
            if margin > 0:
                loss += margin
                dW[:, other] += x
        dW[:, label] -= x
    return loss, dW


def test_a_lost_indentation_is_found():
    found = gradcheck.check(svm_by_hand, RNG.normal(size=(4, 3))).explanations[0]

    assert ": move `dW[:, label] -= x` into the block of line " in found.fix


class Value:
    """A number that knows how it was made, and forgets the gradients of other uses."""

    def __init__(self, data, backward=lambda: None, parents=()):
        self.data, self.grad, self.backward, self.parents = data, 0.0, backward, parents

    def __mul__(self, other):
        out = Value(self.data * other.data, parents=(self, other))

        def backward():
            self.grad = other.data * out.grad
            other.grad = self.data * out.grad

        out.backward = backward
        return out


def of_values(x):
    a, b, c = (Value(number) for number in x)
    u, v = a * b, b * c
    p, q = u * v, u * v
    y = p * q
    y.grad = 1.0
    for value in (y, p, q, u, v):
        value.backward()
    return y.data, np.array([a.grad, b.grad, c.grad])


def test_assignments_that_all_have_to_accumulate_are_one_bug():
    found = gradcheck.check(of_values, np.array([0.3, -0.5, 0.8])).explanations[0]

    assert found.code == "overwritten_not_accumulated"
    assert "write += for = where `self.grad` and `other.grad` get a value" in found.fix


class MeanSquare:
    def forward(self, p):
        self.p = p
        return np.mean(p**2)

    def backward(self, dout):
        return dout * 2 * self.p / self.p.size


def test_a_pair_of_a_loss_is_read_by_what_its_backward_asks_for():
    loss = MeanSquare()

    report = gradcheck.check((lambda p: loss.forward(p), lambda dout: loss.backward(dout)), X)

    assert report.ok, str(report)
