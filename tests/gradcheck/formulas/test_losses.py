"""The losses a step may descend: gradients that are theirs, and numbers that are recognised."""

import numpy as np
import pytest

import gradcheck
from gradcheck.formulas.losses import LOSSES, candidates, identify

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, 4))
P = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
LABELS = RNG.integers(0, 4, 6)


@pytest.mark.parametrize("loss", candidates(LABELS, P), ids=lambda loss: loss.name)
def test_every_gradient_is_that_of_its_value(loss):
    pair = (lambda p: loss.value((p,)), lambda p: loss.gradient((p,))[0])

    assert gradcheck.check(pair, P, contract=False).ok


@pytest.mark.parametrize("scale", [1.0, 6.0, 0.25, 2.0])
@pytest.mark.parametrize("name", ["cross-entropy", "squared error"])
def test_a_reported_number_is_recognised_whatever_its_reduction(name, scale):
    known = candidates(LABELS, P)
    loss = next(loss for loss in known if loss.name == name)

    losses = identify(known, P, scale * loss.value((P,)))

    assert losses is not None
    assert losses.reported is loss
    assert loss not in losses.others


def test_an_unknown_number_is_not_recognised():
    assert identify(candidates(LABELS, P), P, 1234.5) is None


def test_probabilities_are_needed_for_a_cross_entropy():
    names = {loss.name for loss in candidates(RNG.normal(size=6), RNG.normal(size=6))}

    assert names == {"squared error", "absolute error"}


def test_targets_that_do_not_belong_to_the_predictions_are_refused():
    with pytest.raises(ValueError, match="do not belong"):
        candidates(np.zeros((5, 2)), P)


@pytest.mark.parametrize("name", LOSSES)
def test_every_gradient_in_the_table_is_that_of_its_terms(name):
    loss = LOSSES[name]
    y = (
        np.where(np.eye(4)[LABELS] > 0, 1.0, -1.0)
        if "hinge" in name or "percep" in name
        else 0.75 * P
    )
    pair = (lambda p: float(loss.terms(p, y).sum()), lambda p: loss.gradient(p, y))

    assert gradcheck.check(pair, P, contract=False).ok
