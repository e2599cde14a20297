"""Initial weights have the variance their authors derived."""

import numpy as np
import pytest

from network import Dense
from network.layers.initialisers import glorot, he, lecun


@pytest.mark.parametrize(
    ("initialiser", "variance"), [(he, 2 / 300), (lecun, 1 / 300), (glorot, 2 / 500)]
)
def test_weights_have_mean_zero_and_the_variance_of_their_paper(initialiser, variance):
    W = initialiser(np.random.default_rng(0), 300, 200)

    # of 60,000 numbers, variances are right to 0.6 % and means to 0.4 % of a deviation
    assert W.shape == (300, 200)
    assert W.var() == pytest.approx(variance, rel=0.03)
    assert abs(W.mean()) < 0.02 * np.sqrt(variance)


def test_a_layer_takes_its_initialiser():
    layer = Dense(300, 200, initialiser=glorot)

    assert np.abs(layer.params["W"]).max() <= np.sqrt(6 / 500)
