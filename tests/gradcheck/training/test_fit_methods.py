"""Networks that only learn, as people write them, checked by one line: check(net, X, y)."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

import gradcheck
from gradcheck import Verdict
from gradcheck.cli.main import app
from gradcheck.values import TargetError
from network.faulty_mlp import QuestionNetwork

RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 4))
CLASSES = RNG.integers(0, 3, 8)
NUMBERS = RNG.uniform(size=(8, 1))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Lists:
    """Weights in a list, a step for every sample, a rate called alpha, no loss that fits."""

    def __init__(self, sign=1.0):
        self.W = [np.random.default_rng(1).normal(size=s) for s in [(4, 5), (5, 1)]]
        self.alpha, self.sign = 0.1, sign

    def fit(self, X, y, epochs=1000):
        for _ in range(epochs):
            for x, target in zip(X, y, strict=True):
                self.fit_sample(np.atleast_2d(x), target)
            print("loss", epochs)  # noqa: T201 (people do)

    def fit_sample(self, x, y):
        h = sigmoid(x @ self.W[0])
        p = sigmoid(h @ self.W[1])
        d = (p - y) * p * (1 - p)
        dh = d @ self.W[1].T * h * (1 - h)
        self.W[1] -= self.alpha * h.T @ d
        self.W[0] -= self.sign * self.alpha * x.T @ dh

    def predict(self, X):
        return sigmoid(sigmoid(np.atleast_2d(X) @ self.W[0]) @ self.W[1])


class Columns:
    """Samples as lists, turned to columns; train and query; weights as they are rebound."""

    def __init__(self):
        rng = np.random.default_rng(2)
        self.lr, self.wih, self.who = 0.3, rng.normal(size=(5, 4)), rng.normal(size=(3, 5))

    def train(self, inputs_list, targets_list):
        inputs, targets = np.array(inputs_list, ndmin=2).T, np.array(targets_list, ndmin=2).T
        h = sigmoid(self.wih @ inputs)
        o = sigmoid(self.who @ h)
        d = (targets - o) * o * (1 - o)
        dh = (self.who.T @ d) * h * (1 - h)
        self.who = self.who + self.lr * d @ h.T
        self.wih = self.wih + self.lr * dh @ inputs.T

    def query(self, inputs_list):
        return sigmoid(self.who @ sigmoid(self.wih @ np.array(inputs_list, ndmin=2).T)).T


class Thinking:
    """No rate, no loss, and the number of iterations is asked for."""

    def __init__(self, derivative=True):
        self.synaptic_weights = np.random.default_rng(3).normal(size=(4, 1))
        self.derivative = derivative

    def train(self, training_inputs, training_outputs, number_of_training_iterations):
        for _ in range(number_of_training_iterations):
            output = self.think(training_inputs)
            d = training_outputs - output
            if self.derivative:
                d = d * output * (1 - output)
            self.synaptic_weights += training_inputs.T @ d

    def think(self, inputs):
        return sigmoid(inputs @ self.synaptic_weights)


class Softmax:
    """A loss of its own, a rate by default, a prediction of classes besides the forward."""

    def __init__(self, axis=1):
        self.W, self.b = np.random.default_rng(4).normal(size=(4, 3)), np.zeros(3)
        self.axis = axis

    def forward(self, X):
        e = np.exp(X @ self.W + self.b)
        return e / e.sum(axis=self.axis, keepdims=True)

    def loss(self, X, y):
        return -np.mean(np.log(self.forward(X)[np.arange(len(y)), y]))

    def train_step(self, X, y, lr=0.1):
        d = (self.forward(X) - np.eye(3)[y]) / len(X)
        self.W -= lr * X.T @ d
        self.b -= lr * d.sum(axis=0)

    def predict(self, X):
        return self.forward(X).argmax(axis=1)


class Regression:
    """A loss of its own, a rate that is written out."""

    def __init__(self, bias=1.0):
        self.w, self.v = np.random.default_rng(5).normal(size=(2, 4, 1))
        self.b, self.bias = np.zeros((1, 1)), bias

    def predict(self, X):
        return X @ self.w + X**2 @ self.v + self.b

    def compute_loss(self, y_pred, y_true):
        return np.mean((y_pred - y_true) ** 2)

    def train(self, X, y, epochs=100):
        for _ in range(epochs):
            e = 2 * (self.predict(X) - y) / len(X)
            self.w -= 0.05 * X.T @ e
            self.v -= 0.05 * (X**2).T @ e
            self.b -= self.bias * 0.05 * e.sum()


class Afresh(Thinking):
    """Begins with weights of its own."""

    def fit(self, X, y):
        self.synaptic_weights = np.zeros((4, 1))
        super().train(X, y, 1)

    train = None


@pytest.mark.parametrize(
    ("network", "targets", "words"),
    [
        (Lists(), NUMBERS, "steps once a sample"),
        (Columns(), RNG.uniform(size=(8, 3)), "half the squared error, summed"),
        (Thinking(), NUMBERS, "number_of_training_iterations=1"),
        (Softmax(), CLASSES, "loss loss(X, y)"),
        (Regression(), NUMBERS, "learning_rate=0.05, as most"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_right_network_passes(network, targets, words):
    report = gradcheck.check(network, X, targets)

    assert report.ok, str(report)
    assert words in report.notes[-1]


@pytest.mark.parametrize(
    ("network", "targets", "code", "tensors"),
    [
        (Lists(sign=-1.0), NUMBERS, "sign_flipped", "W[0]"),
        (Softmax(axis=None), CLASSES, "wrong_axis", "W, b"),
        (Regression(bias=1 / 8), NUMBERS, "factor_batch_size", "b"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_wrong_network_is_told_what_to_change(network, targets, code, tensors):
    report = gradcheck.check(network, X, targets)

    assert report.verdict is Verdict.FAIL
    assert report.explanations[0].code == code, str(report)
    assert report.explanations[0].tensor == tensors


def test_the_loss_that_is_descended_is_said_where_none_is_reported():
    report = gradcheck.check(Thinking(derivative=False), X, NUMBERS)

    assert report.ok
    assert "binary cross-entropy, summed" in report.notes[-1]


def test_the_network_of_the_question_in_one_line():
    network = QuestionNetwork((4, 5, 4, 3))

    codes = {e.code for e in gradcheck.check(network, X[:5], CLASSES[:5]).explanations}

    assert {"samples_mixed", "gradient_of_other_loss", "last_sample_only"} <= codes


def test_the_network_stays_as_it_is_and_is_not_heard(capsys):
    network = Lists()
    before = [W.copy() for W in network.W]

    gradcheck.check(network, X, NUMBERS)

    assert all(np.array_equal(now, then) for now, then in zip(network.W, before, strict=True))
    assert capsys.readouterr().out == ""


def test_a_fit_that_begins_afresh_is_refused_with_the_way_out():
    with pytest.raises(TargetError, match="the body of the loop of fit"):
        gradcheck.check(Afresh(), X, NUMBERS)


class Logistic:
    """A fit that begins at zero, over many turns."""

    def __init__(self, learning_rate=0.1, n_iters=1000, share=1 / 8, penalty=0.0, momentum=0.0):
        self.lr, self.n_iters, self.share = learning_rate, n_iters, share
        self.penalty, self.momentum = penalty, momentum
        self.weights = self.bias = None

    def fit(self, X, y):
        self.weights, self.bias = np.zeros(X.shape[1]), 0
        v = np.zeros(X.shape[1])
        for _ in range(self.n_iters):
            error = self.predict_proba(X) - y
            v = self.momentum * v + X.T @ error / len(X) + self.penalty * self.weights
            self.weights = self.weights - self.lr * v
            self.bias -= self.lr * self.share * np.sum(error)

    def predict_proba(self, X):
        return sigmoid(X @ self.weights + self.bias)

    def compute_loss(self, X, y):
        p = self.predict_proba(X)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


class Classes(Logistic):
    """As most write it: what is predicted are classes, in a list."""

    predict_proba = compute_loss = None

    def fit(self, X, y):
        self.weights, self.bias = np.zeros(X.shape[1]), 0
        for _ in range(self.n_iters):
            error = sigmoid(X @ self.weights + self.bias) - y
            self.weights = self.weights - self.lr * X.T @ error / len(X)
            self.bias -= self.lr * self.share * np.sum(error)

    def predict(self, X):
        linear = X @ self.weights + self.bias
        y_predicted = sigmoid(linear)
        return [1 if p > 0.5 else 0 for p in y_predicted]


class CalledClasses(Classes):
    """The numbers have no name, they are what a function returns."""

    def predict(self, X):
        return (sigmoid(X @ self.weights + self.bias) > 0.5).astype(int)


YES = (CLASSES > 0).astype(int)


@pytest.mark.parametrize("kind", [Classes, CalledClasses])
def test_raw_scores_of_predicted_classes_are_found(kind):
    right, wrong = (gradcheck.check(kind(share=share), X, YES) for share in (1 / 8, -1 / 8))

    assert right.ok, str(right)
    assert "predictions raw scores of predict(X)" in right.notes[-1]
    assert [(e.code, e.tensor) for e in wrong.explanations] == [("sign_flipped", "bias")]


def test_a_fit_that_restarts_is_checked_by_its_epochs():
    network = Logistic()

    report = gradcheck.check(network, X, YES)

    assert report.ok, str(report)
    assert (
        "fit restarts with every call: checked at its first step, and after 3 epochs"
        in report.notes[-1]
    )
    assert network.weights is None
    assert network.n_iters == 1000
    assert network.lr == 0.1


@pytest.mark.parametrize(
    ("network", "code", "tensor"),
    [
        (Logistic(share=1.0), "factor_batch_size", "bias"),
        (Logistic(penalty=0.3), "additive_term", "weights"),
    ],
)
def test_a_wrong_fit_is_told_though_its_penalty_shows_later_only(network, code, tensor):
    report = gradcheck.check(network, X, YES)

    assert report.verdict is Verdict.FAIL
    assert (report.explanations[0].code, report.explanations[0].tensor) == (code, tensor)


def test_the_memory_of_a_fit_is_not_taken_for_a_bug():
    report = gradcheck.check(Logistic(momentum=0.9), X, YES)

    assert report.verdict is Verdict.UNDECIDED
    assert "momentum or a changing rate" in report.tensors["weights"].reason


def test_steps_of_no_known_loss_ask_for_it():
    class Odd(Thinking):
        def train(self, inputs, outputs):
            self.synaptic_weights += inputs.T @ np.sin(outputs * 7)

    with pytest.raises(TargetError, match=r"Odd\.compute_loss = "):
        gradcheck.check(Odd(), X, NUMBERS)


def test_the_shell_checks_a_network_in_a_file(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "class Linear:\n"
        "    def __init__(self):\n"
        "        self.w, self.lr = np.ones((3, 1)), 0.1\n"
        "    def predict(self, X):\n"
        "        return X @ self.w\n"
        "    def train(self, X, y):\n"
        "        self.w += self.lr * X.T @ (self.predict(X) - y)\n"
        "net = Linear()\n"
    )

    for name in ("net", "Linear"):
        told = CliRunner().invoke(
            app, ["check", f"{tmp_path / 'mine.py'}:{name}", "-i", "6,3", "-i", "6,1"]
        )

        assert told.exit_code == 1
        assert "sign_flipped" in told.output
        assert "mine.py:8" in told.output


def test_the_shell_asks_for_an_instance_of_a_class_that_needs_something(tmp_path):
    (tmp_path / "sized.py").write_text("class Sized:\n    def __init__(self, n):\n        pass\n")

    told = CliRunner().invoke(app, ["check", f"{tmp_path / 'sized.py'}:Sized", "-i", "6,3"])

    assert told.exit_code == 2
    assert "Sized is a class that needs n" in told.output
