"""Hidden units are found wherever a network keeps its weights, and whatever calls them."""

import numpy as np
import pytest

from diagnostics import investigate
from diagnostics.experiments.model.hidden_layers import activations
from tests.support import training_runs as runs

HIDDEN, DEAD = 24, 18


def relu(z):
    return np.maximum(z, 0)


@pytest.fixture
def weights():
    """Two layers that classify the blobs, most of whose units never answer."""
    rng = np.random.default_rng(0)
    centres = np.random.default_rng(123).normal(size=(runs.CLASSES, runs.FEATURES))
    W1 = np.concatenate([centres.T, rng.normal(size=(runs.FEATURES, DEAD))], axis=1)
    b1 = np.where(np.arange(HIDDEN) < HIDDEN - DEAD, 0.0, -1e3)
    W2 = np.concatenate([np.eye(runs.CLASSES), np.zeros((DEAD, runs.CLASSES))])
    return W1, b1, W2, np.full(runs.CLASSES, -1.0)  # logits of both signs


def closure(W1, b1, W2, b2):
    return lambda X: runs.softmax(relu(X @ W1 + b1) @ W2 + b2)


def function_called_by_another(W1, b1, W2, b2):
    def forward(X):
        return relu(X @ W1 + b1) @ W2 + b2

    return lambda X: runs.softmax(forward(X))


def dictionary(W1, b1, W2, b2):
    params = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
    return lambda X: relu(X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]


def attributes_beside_their_gradients(W1, b1, W2, b2):
    class Network:
        def __init__(self):
            self.W1, self.dW1, self.b1 = W1, np.ones_like(W1), b1[np.newaxis]
            self.W2, self.dW2, self.b2 = W2, np.ones_like(W2), b2[np.newaxis]

        def predict(self, X):
            self.hidden = relu(X @ self.W1 + self.b1)
            return runs.softmax(self.hidden @ self.W2 + self.b2)

    return Network().predict


def lists_of_matrices_the_other_way_round(W1, b1, W2, b2):
    class Network:
        def __init__(self):
            self.sizes = [len(W1), HIDDEN, runs.CLASSES]
            self.biases, self.weights = [b1[:, np.newaxis], b2[:, np.newaxis]], [W1.T, W2.T]

        def __call__(self, X):
            a = relu(self.weights[0] @ X.T + self.biases[0])
            return runs.softmax((self.weights[1] @ a + self.biases[1]).T)

    return Network()


KEEPERS = [
    closure,
    function_called_by_another,
    dictionary,
    attributes_beside_their_gradients,
    lists_of_matrices_the_other_way_round,
]


@pytest.mark.parametrize("keep", KEEPERS, ids=lambda keep: keep.__name__)
def test_dead_units_are_counted_wherever_the_weights_are_kept(keep, weights):
    X, y = runs.blobs(300, seed=3, spread=0.5)

    report = investigate(keep(*weights), X, y)

    assert report["dead_units"].evidence["dead units"] == DEAD
    assert "(relu)" in report["dead_units"].evidence["layer"]


def test_saturated_units_are_dead_too(weights):
    W1, _, W2, b2 = weights
    X, y = runs.blobs(300, seed=3, spread=0.5)
    b1 = np.where(np.arange(HIDDEN) < HIDDEN - DEAD, 0.0, 1e3)

    report = investigate(lambda x: np.tanh(x @ W1 + b1) @ W2 + b2, X, y)

    assert "(tanh)" in report["dead_units"].evidence["layer"]


def test_matrices_that_do_not_lead_to_the_answers_are_not_judged(weights):
    W1, b1, W2, b2 = weights
    X, _ = runs.blobs(50, seed=3)

    def predict(x):
        return runs.softmax(relu(np.sin(x) @ W1 + b1) @ W2 + b2)

    assert activations(predict, X, predict(X)) == []


def test_layer_that_only_reshapes_the_samples_has_no_units(weights):
    W1, b1, W2, b2 = weights
    X, _ = runs.blobs(50, seed=3)
    images = np.concatenate([X, np.zeros((50, 12))], axis=1).reshape(50, 4, 6)  # half of it empty

    class Network:
        layers = (
            lambda x: x.reshape(len(x), -1),
            lambda x: relu(x[:, : runs.FEATURES] @ W1 + b1),
            lambda x: runs.softmax(x @ W2 + b2),
        )

        def predict(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    model = Network()

    (hidden,) = activations(model.predict, images, model.predict(images))

    assert hidden.values.shape == (50, HIDDEN)


@pytest.mark.integration
@pytest.mark.parametrize("images", [False, True])
def test_activations_called_as_functions_are_seen_in_torch(images):
    torch = pytest.importorskip("torch", reason="the extra `integrations` is not installed")

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Conv2d(1, 8, 3) if images else torch.nn.Linear(64, 8)
            self.last = torch.nn.Linear(8 * 9 if images else 8, 10)

        def forward(self, x):
            x = torch.relu(self.first(x))
            x = torch.nn.functional.max_pool2d(x, 2).flatten(1) if images else x
            return self.last(x)

    torch.manual_seed(0)
    model = Network()
    model.first.bias.data[:6] = -100
    X = torch.rand(60, 1, 8, 8) if images else torch.rand(60, 64)
    y = np.random.default_rng(0).integers(0, 10, 60)

    finding = investigate(model, X, y)["dead_units"]

    assert finding.evidence["dead units"] == 6
    assert "the activation after first" in finding.evidence["layer"]


@pytest.mark.integration
def test_half_precision_of_torch_is_read():
    torch = pytest.importorskip("torch", reason="the extra `integrations` is not installed")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10)).to(torch.bfloat16)
    X = torch.rand(60, 8, 8)

    report = investigate(lambda x: model(x.to(torch.bfloat16)), X, np.arange(60) % 10)

    assert "predict_failed" not in report
    assert "dead_units" not in report
