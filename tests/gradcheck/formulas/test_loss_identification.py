"""The loss that a network descends is found by the slopes of those that are known."""

import pytest

import gradcheck
from tests.support.written_functions import X
from tests.support.written_monoliths import MONOLITHS, ONE_HOT, TwoLayers, WithoutLoss


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("backprop of one column", "half the squared error, summed"),
        ("backprop of cross-entropy", "binary cross-entropy, summed"),
        ("backward that updates upwards", "half the squared error, summed"),
        ("backward without a loss", "cross-entropy, averaged over the rows"),
        ("logits", "cross-entropy of logits, averaged over the rows"),
        ("functions of a course", "binary cross-entropy, averaged over the columns"),
    ],
)
def test_the_loss_is_named_with_its_reduction(name, loss):
    make, inputs, _ = MONOLITHS[name]

    report = gradcheck.check(make(1.0), *inputs, contract=False)

    assert loss in report.target


def test_a_wrong_tensor_does_not_hide_the_loss_from_the_others():
    report = gradcheck.check(WithoutLoss(3.7), X, ONE_HOT, contract=False)

    assert "cross-entropy, averaged over the rows" in report.target
    assert report.tensors["b2"].relative_error > 0.5
    assert report.tensors["W2"].verdict == "PASS"


def test_a_network_is_as_before_after_its_loss_was_looked_for():
    network = TwoLayers(1.0)
    before = network.W1.copy()

    gradcheck.check(network, X, ONE_HOT, contract=False)

    assert (before == network.W1).all()
    assert not hasattr(network, "z2")
