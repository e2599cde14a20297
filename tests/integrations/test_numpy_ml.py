"""numpy-ml's layers, activations and losses are checked as they are."""

from __future__ import annotations

import collections.abc
import importlib
import importlib.util
import warnings

import numpy as np
import pytest
from scipy.special import softmax

import gradcheck

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        importlib.util.find_spec("numpy_ml") is None,
        reason="the extra `integrations` is not installed",
    ),
]

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 5))
IMAGES = RNG.normal(size=(2, 5, 5, 3))
SEQUENCES = RNG.normal(size=(2, 4, 3))
LABELS = np.eye(4)[[0, 1, 3, 2, 2, 0]]
LOGITS = RNG.normal(size=(6, 4))

ACTIVATIONS = [
    "Sigmoid", "ReLU", "LeakyReLU", "Tanh", "Identity", "ELU", "Exponential", "SELU",
    "HardSigmoid", "SoftPlus",
]  # fmt: skip
LAYERS = {
    "FullyConnected": (lambda L: L.FullyConnected(4, "Tanh"), X),
    "FullyConnected, ReLU": (lambda L: L.FullyConnected(4, "ReLU"), X),
    "Softmax": (lambda L: L.Softmax(), X),
    "BatchNorm1D": (lambda L: L.BatchNorm1D(), X),
    "BatchNorm2D": (lambda L: L.BatchNorm2D(), IMAGES),
    "LayerNorm1D": (lambda L: L.LayerNorm1D(), X),
    "LayerNorm2D": (lambda L: L.LayerNorm2D(), IMAGES),
    "Conv1D": (lambda L: L.Conv1D(2, 3, pad=1, act_fn="Tanh"), SEQUENCES),
    "Conv2D": (lambda L: L.Conv2D(2, (3, 3), pad=1, act_fn="Tanh"), IMAGES),
    "Deconv2D": (lambda L: L.Deconv2D(2, (3, 3), act_fn="Tanh"), IMAGES),
    "Pool2D, max": (lambda L: L.Pool2D((2, 2), stride=2, mode="max"), IMAGES),
    "Pool2D, mean": (lambda L: L.Pool2D((2, 2), stride=2, mode="average"), IMAGES),
    "Flatten": (lambda L: L.Flatten(), IMAGES),
    "Embedding": (lambda L: L.Embedding(4, 10), np.array([[1, 2], [3, 1]])),
    "Add": (lambda L: L.Add("Tanh"), [X, 2 * X]),
    "Multiply": (lambda L: L.Multiply("Tanh"), [X, 2 * X]),
}


@pytest.fixture(scope="module")
def neural_nets():
    """The package, which was written for a Python that had ``collections.Hashable``."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(collections, "Hashable", collections.abc.Hashable, raising=False)
        return importlib.import_module("numpy_ml.neural_nets")


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_right_activation_passes(neural_nets, name):
    report = gradcheck.check(getattr(neural_nets.activations, name)(), X)

    assert report.ok, str(report)


@pytest.mark.parametrize("name", LAYERS)
def test_right_layer_passes_with_the_parameters_it_creates(neural_nets, name):
    build, given = LAYERS[name]
    layer = build(neural_nets.layers)

    report = gradcheck.check(layer, given)

    assert report.ok, str(report)
    assert all(value is None or np.size(value) for value in layer.parameters.values())
    assert layer.X == []


def test_cross_entropy_is_right_with_the_softmax_it_is_meant_for(neural_nets):
    loss = neural_nets.losses.CrossEntropy()

    report = gradcheck.check(
        (
            lambda z: loss(LABELS, softmax(z, axis=1)),
            lambda z: loss.grad(LABELS, softmax(z, axis=1)),
        ),
        LOGITS,
    )

    assert report.ok, str(report)


def test_squared_error_is_right_behind_an_activation(neural_nets):
    loss, act = neural_nets.losses.SquaredError(), neural_nets.activations.Tanh()

    report = gradcheck.check(
        (lambda z: loss(LABELS, act(z)), lambda z: loss.grad(LABELS, act(z), z, act)), LOGITS
    )

    assert report.ok, str(report)


def test_attention_cannot_be_called_twice(neural_nets):
    """A fault of numpy-ml: to flush the layer leaves the softmax inside with its old inputs."""
    layer = neural_nets.layers.DotProductAttention()

    report = gradcheck.check(layer, X, X + 1, LOGITS)

    assert all(tensor.verdict == "PASS" for tensor in report.tensors.values())
    assert not report.contract["fresh_cache"].holds
