"""The same faults are found in models of any make: by hand, scikit-learn, torch, with layers."""

import copy

import numpy as np
import pytest

from diagnostics import Severity, investigate
from tests.support import training_runs as runs

datasets = pytest.importorskip("sklearn.datasets")
naive_bayes = pytest.importorskip("sklearn.naive_bayes")
neighbors = pytest.importorskip("sklearn.neighbors")
neural_network = pytest.importorskip("sklearn.neural_network")


@pytest.fixture(scope="module")
def digits():
    """Training and validation sets of scikit-learn's digits, scaled to one."""
    X, y = datasets.load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order] / 16, y[order]
    return (X[:1000], y[:1000]), (X[1000:], y[1000:])


class Layer:
    """A dense layer with an optional ReLU, as people write it."""

    def __init__(self, W, b, last=False):
        self.W, self.b, self.last = W, b, last

    def forward(self, x):
        z = x @ self.W + self.b
        return z if self.last else np.maximum(z, 0)


class Network:
    """Layers in a list."""

    def __init__(self, model):
        weights = list(zip(model.coefs_, model.intercepts_, strict=True))
        self.layers = [Layer(W.copy(), b.copy(), W is model.coefs_[-1]) for W, b in weights]

    def predict(self, X):
        for layer in self.layers:
            X = layer.forward(X)
        return runs.softmax(X)


class Make:
    """One trained model: how it predicts, and how its hidden units are killed."""

    def __init__(self, predict, kill):
        self.predict, self.kill = predict, kill


def torch_module(fitted):
    torch = pytest.importorskip("torch", reason="the extra `integrations` is not installed")
    layers = []
    for W, b in zip(fitted.coefs_, fitted.intercepts_, strict=True):
        layers += [torch.nn.Linear(*W.shape), torch.nn.ReLU()]
        layers[-2].weight.data = torch.tensor(W.T, dtype=torch.float32)
        layers[-2].bias.data = torch.tensor(b, dtype=torch.float32)
    module = torch.nn.Sequential(*layers[:-1]).eval()

    def kill():
        module[0].bias.data[:] = -100

    return Make(lambda X: module(torch.tensor(X, dtype=torch.float32)).softmax(dim=1), kill)


def with_layers(fitted):
    network = Network(fitted)

    def kill():
        network.layers[0].b[:] = -100

    return Make(network.predict, kill)


def plain_function(fitted):
    (W1, W2), (b1, b2) = fitted.coefs_, fitted.intercepts_

    def kill():
        b1[:] = -100

    return Make(lambda X: runs.softmax(np.maximum(X @ W1 + b1, 0) @ W2 + b2), kill)


def perceptron(fitted):
    def kill():
        fitted.intercepts_[0][:] = -100

    return Make(fitted.predict_proba, kill)


MAKES = [
    pytest.param(torch_module, marks=pytest.mark.integration, id="torch_module"),
    pytest.param(with_layers, id="with_layers"),
    pytest.param(plain_function, id="plain_function"),
    pytest.param(perceptron, id="perceptron"),
]


@pytest.fixture(scope="module")
def fitted(digits):
    model = neural_network.MLPClassifier((48,), alpha=1e-3, max_iter=300, random_state=0, tol=1e-3)
    return model.fit(*digits[0])


@pytest.fixture(params=MAKES)
def make(request, fitted):
    return request.param(copy.deepcopy(fitted))


def as_array(p):
    return np.asarray(p.detach() if hasattr(p, "detach") else p, dtype=np.float64)


def logits(make, X):
    return np.log(np.maximum(as_array(make.predict(X)), 1e-12))


RANDOM = np.random.default_rng(1)
FAULTS = {
    "softmax over the batch": (
        "evaluation_bug",
        lambda m, X: runs.whole_batch_softmax(logits(m, X)),
    ),
    "softmax along the samples": ("evaluation_bug", lambda m, X: runs.softmax(logits(m, X).T).T),
    "batch statistics": ("evaluation_bug", lambda m, X: m.predict(X - X.mean(axis=0))),
    "dropout on": (
        "nondeterministic_prediction",
        lambda m, X: m.predict(X * (RANDOM.random(X.shape) > 0.3)),
    ),
    "softmax twice": ("softmax_twice", lambda m, X: runs.softmax(as_array(m.predict(X)))),
    "rounded": ("rounded_probabilities", lambda m, X: np.round(as_array(m.predict(X)), 1)),
    "one class": ("class_collapse", lambda m, X: runs.softmax(0 * logits(m, X) + np.eye(10)[3])),
    "exaggerated": ("overconfidence", lambda m, X: runs.softmax(30 * logits(m, X))),
    "columns rolled": ("distribution_shift", lambda m, X: np.roll(as_array(m.predict(X)), 1, 1)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_of_the_answers_is_named_first(make, digits, fault):
    code, answers = FAULTS[fault]

    report = investigate(lambda X: answers(make, X), *digits[1], train=digits[0])

    assert report.primary.code == code, str(report)


def test_right_model_raises_no_alarm(make, digits):
    report = investigate(make.predict, *digits[1], train=digits[0])

    assert {finding.severity for finding in report.findings} <= {Severity.INFO}, str(report)


def test_dead_layer_is_named(make, digits):
    make.kill()

    report = investigate(make.predict, *digits[1], train=digits[0])

    assert report.primary.code == "dead_units"
    assert report.primary.evidence["dead units"] == 48
    assert "class_collapse" in report


def test_inputs_of_another_scale_are_a_shift(make, digits):
    X, y = digits[1]

    report = investigate(make.predict, 16 * X, y, train=digits[0])

    assert report.primary.code == "distribution_shift"
    assert "16" in report.primary.message


def test_shuffled_labels_are_named(make, digits):
    X, y = digits[1]

    report = investigate(make.predict, X, np.random.default_rng(0).permutation(y), train=digits[0])

    assert report.primary.code == "shuffled_labels"


def test_near_copies_of_training_samples_are_named(make, digits):
    (A, a), (X, y) = digits
    rng = np.random.default_rng(0)
    X = np.concatenate([X[:400], A[:100] + 0.01 * rng.normal(size=(100, 64))])
    y = np.concatenate([y[:400], a[:100]])

    report = investigate(make.predict, X, y, train=(A, a))

    assert report.primary.code == "train_validation_overlap"
    assert report.primary.evidence["share"] == pytest.approx(0.2, abs=0.01)


def mean_of_means(values, size):
    return float(np.mean([values[i : i + size].mean() for i in range(0, len(values), size)]))


@pytest.mark.parametrize("size", [16, 64, 256])
def test_mean_over_ragged_batches_is_recognised_to_the_last_digit(make, digits, size):
    X, y = digits[1]
    losses = -np.log(as_array(make.predict(X))[np.arange(len(y)), y])
    curves = {"val_loss": [2.0, mean_of_means(losses, size)]}

    report = investigate(make.predict, X, y, history=curves)

    assert report.primary.code == "biased_average"
    assert report.primary.evidence["batch size"] == size


def test_right_mean_is_not_taken_for_one_over_batches(make, digits):
    X, y = digits[1]
    loss = -np.log(as_array(make.predict(X))[np.arange(len(y)), y]).mean()

    for reported in (loss, np.float32(loss), round(float(loss), 3)):
        report = investigate(make.predict, X, y, history={"val_loss": [2.0, float(reported)]})
        assert not {"biased_average", "loss_scale_mismatch", "loss_not_reproduced"} & set(
            report.codes
        )


def test_sum_of_batch_means_is_a_mismatch_of_scale(make, digits):
    X, y = digits[1]
    losses = -np.log(as_array(make.predict(X))[np.arange(len(y)), y])
    total = sum(float(losses[i : i + 32].mean()) for i in range(0, len(y), 32))

    report = investigate(make.predict, X, y, history={"val_loss": [90.0, total]})

    assert report.primary.code == "loss_scale_mismatch"
    assert "batches of 32" in report.primary.message


def test_neighbours_that_answer_zero_by_right_are_no_warning(digits):
    (A, a), (X, y) = digits
    model = neighbors.KNeighborsClassifier(5).fit(A, a)

    report = investigate(model.predict_proba, X, y, train=(A, a))

    assert {finding.severity for finding in report.findings} <= {Severity.INFO}


def test_naive_bayes_is_too_sure_by_construction_and_not_by_a_fault():
    X, y = datasets.load_breast_cancer(return_X_y=True)
    model = naive_bayes.GaussianNB().fit(X[:300], y[:300])

    report = investigate(
        lambda x: model.predict_proba(x), X[300:], y[300:], train=(X[:300], y[:300])
    )

    assert report["overconfidence"].severity is Severity.INFO
    assert "naive Bayes" in report["overconfidence"].causes[0]


@pytest.mark.parametrize("features", [1, 2])
def test_neighbours_in_few_dimensions_are_no_copies(features):
    X = np.random.default_rng(0).normal(size=(900, features))
    y = (X[:, 0] > 0).astype(int)

    def predict(x):
        return runs.softmax(np.stack([-3 * x[:, 0], 3 * x[:, 0]], axis=1))

    assert "train_validation_overlap" not in investigate(
        predict, X[500:], y[500:], train=(X[:500], y[:500])
    )
