"""thinc's layers, with their hand-written callbacks, are checked as they are."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

thinc = pytest.importorskip("thinc.api", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration

X = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
SEQUENCES = [X[:4], X[4:]]
RAGGED_LENGTHS = np.array([4, 2], dtype=np.int32)

# Faults of thinc itself are looked for where they are known to be.
of_thinc_9_1 = pytest.mark.skipif(
    not version("thinc").startswith("9.1."), reason="another thinc may have mended it"
)

RIGHT = {
    "Linear": lambda: thinc.Linear(4),
    "Relu": lambda: thinc.Relu(4),
    "Relu, normalized": lambda: thinc.Relu(4, normalize=True),
    "Maxout": lambda: thinc.Maxout(4, nP=3),
    "Mish": lambda: thinc.Mish(4),
    "Gelu": lambda: thinc.Gelu(4),
    "Swish": lambda: thinc.Swish(4),
    "Sigmoid": lambda: thinc.Sigmoid(4),
    "HardSwish": lambda: thinc.HardSwish(4),
    "ClippedLinear": lambda: thinc.ClippedLinear(4),
    "LayerNorm": lambda: thinc.LayerNorm(),
    "softmax_activation": lambda: thinc.softmax_activation(),
    "Dropout, off": lambda: thinc.Dropout(0.0),
    "expand_window": lambda: thinc.expand_window(1),
    "chain": lambda: thinc.chain(thinc.Relu(7), thinc.Linear(4)),
    "residual": lambda: thinc.residual(thinc.Mish(5)),
    "add": lambda: thinc.add(thinc.Linear(4), thinc.Relu(4)),
    "concatenate": lambda: thinc.concatenate(thinc.Linear(4), thinc.Mish(3)),
    "clone": lambda: thinc.clone(thinc.Linear(5), 3),
}


def initialized(model, given=X, dtype=np.float32):
    """The model with random parameters: many of thinc's start at zero, where errors hide."""
    model.initialize(X=given)
    rng = np.random.default_rng(1)
    for node in model.walk():
        for name in node.param_names:
            shape = node.get_param(name).shape
            node.set_param(name, rng.normal(size=shape).astype(dtype))
    return model


@pytest.mark.parametrize("name", RIGHT)
def test_right_layer_passes_with_all_its_parameters(name):
    model = initialized(RIGHT[name]())

    report = gradcheck.check(model, X)

    parameters = sum(len(node.param_names) for node in model.walk())
    assert report.ok, str(report)
    assert sum(tensor.role == "parameter" for tensor in report.tensors.values()) == parameters


@pytest.mark.parametrize("pool", ["reduce_mean", "reduce_max", "reduce_last"])
def test_pooling_of_ragged_sequences_passes(pool):
    report = gradcheck.check(getattr(thinc, pool)(), thinc.Ragged(X, RAGGED_LENGTHS))

    assert report.ok, str(report)


def test_list_of_sequences_is_checked_sequence_by_sequence():
    model = initialized(thinc.with_array(thinc.Linear(3)), SEQUENCES)

    report = gradcheck.check(model, SEQUENCES)

    assert report.ok, str(report)
    assert list(report.tensors) == ["X[0]", "X[1]", "W", "b"]


def test_indices_have_no_gradient_and_the_table_has():
    report = gradcheck.check(initialized(thinc.Embed(4, 10), None), np.array([1, 3, 1, 7]))

    assert report.ok, str(report)
    assert list(report.tensors) == ["E"]


def test_begin_update_is_checked_like_its_model():
    model = initialized(thinc.Linear(4))

    assert gradcheck.check(model.begin_update, X).to_dict() == gradcheck.check(model, X).to_dict()


def test_model_is_left_as_it_was():
    model = initialized(thinc.chain(thinc.Relu(7), thinc.Linear(4)))
    before = model.to_bytes()

    gradcheck.check(model, X)

    assert model.to_bytes() == before
    assert not any(node.has_grad(name) for node in model.walk() for name in node.param_names)


def test_dropout_that_is_on_is_judged_with_its_draw_held_and_said_to_be_random():
    report = gradcheck.check(thinc.Dropout(0.5), X)

    assert report.ok, str(report)
    assert report.contract["deterministic"].holds is False


def test_fault_in_a_callback_is_named():
    def forward(model, inputs, is_train):
        return inputs**2, lambda grad: -2 * inputs * grad

    report = gradcheck.check(thinc.Model("square", forward), X)

    assert report.explanations[0].code == "sign_flipped"


@of_thinc_9_1
def test_dish_takes_its_derivative_at_the_input_instead_of_the_preactivation():
    """A fault of thinc 9.1: ``backprop_dish(dY, X)``, where its Swish has ``Y_preact``."""
    report = gradcheck.check(initialized(thinc.Dish(5)), X)

    assert report.verdict is Verdict.FAIL
    assert report.explanations[0].code == "derivative_at_wrong_point"


@of_thinc_9_1
def test_lstm_sends_no_gradient_to_the_first_step():
    """A fault of thinc 9.1: the loop backwards over pairs of steps leaves out the first step."""
    report = gradcheck.check(initialized(thinc.with_padded(thinc.LSTM(3)), [X]), [X])

    wrong = report.tensors["X"]
    assert wrong.verdict is Verdict.FAIL
    assert {entry.index[0] for entry in wrong.worst} == {0}
    assert np.all(wrong.analytic[0] == 0)


def test_softmax_expects_the_gradient_of_the_logits_not_of_its_output():
    """Thinc's Softmax is meant for cross-entropy: its callback leaves out the Jacobian."""
    model = initialized(thinc.Softmax(3), dtype=np.float64)
    labels, x = np.eye(3)[[0, 1, 2, 1, 0, 2]], X.astype(np.float64)

    def cross_entropy(x):
        probabilities, backprop = model.begin_update(x)
        loss = -np.sum(labels * np.log(probabilities))
        return loss, backprop(probabilities - labels)

    assert gradcheck.check(model, x).verdict is Verdict.FAIL
    assert gradcheck.check(cross_entropy, x).ok
