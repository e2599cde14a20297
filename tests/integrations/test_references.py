"""Functions and modules of PyTorch and JAX as references: their gradients by autograd."""

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from tests.gradcheck.test_reference import (
    FORWARD,
    GRADIENT,
    X,
    bent_gelu,
    bent_gelu_backward,
    gelu,
    gelu_backward,
)
from tests.support import user_layers as s

torch = pytest.importorskip("torch", reason="the extra `integrations` is not installed")
jax = pytest.importorskip("jax", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration

REFERENCES = {
    "torch function": torch.nn.functional.gelu,
    "torch lambda": lambda x: torch.nn.functional.gelu(x),
    "torch module": torch.nn.GELU(),
    "jax function": lambda x: jax.nn.gelu(x, approximate=False),
    "jax jit": jax.jit(lambda x: jax.nn.gelu(x, approximate=False)),
}


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_autograd_of_a_framework_is_the_reference(name, dtype):
    x = X.astype(dtype)

    right = gradcheck.check((gelu, gelu_backward), x, reference=REFERENCES[name])
    other = gradcheck.check((bent_gelu, bent_gelu_backward), x, reference=REFERENCES[name])
    wrong = gradcheck.check(
        (gelu, lambda x, d: 1.01 * gelu_backward(x, d)), x, reference=REFERENCES[name]
    )

    assert right.ok, str(right)
    assert "are its own" in right.contract[GRADIENT].measurement
    assert other.contract[FORWARD].holds is False
    assert other.explanations[0].code == "other_than_reference"
    assert wrong.contract[GRADIENT].holds is False


def test_a_layer_is_compared_with_the_operation_of_a_framework():
    layer, wrong = s.Dense(4, 3), s.Dense(4, 3, "sign_flipped")

    def linear(x, W, b):
        return torch.nn.functional.linear(x, W.T, b)

    assert gradcheck.check(layer, X, reference=linear).ok
    report = gradcheck.check(wrong, X, reference=linear, explain=False)
    assert report.verdict is Verdict.FAIL
    assert report.contract[FORWARD].holds


def test_a_loss_with_labels_is_compared():
    p = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    labels = np.array([0, 1, 2, 3, 0])

    def loss(p, y):
        return -np.mean(np.log(p[np.arange(len(y)), y]))

    def gradient(p, y):
        return -np.eye(4)[y] / p / len(y)

    for reference in (
        lambda p, y: torch.nn.functional.nll_loss(torch.log(p), y),
        lambda p, y: -jax.numpy.mean(jax.numpy.log(p[jax.numpy.arange(5), y])),
    ):
        report = gradcheck.check((loss, gradient), p, labels, reference=reference)
        assert report.ok, str(report)
