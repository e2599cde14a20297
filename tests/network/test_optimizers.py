"""Descent follows its formula, in place, and refuses gradients that do not fit."""

import numpy as np
import pytest

from network import SGD


def test_plain_descent_goes_against_the_gradient_in_place():
    w = np.array([1.0, 2.0])
    gradient = np.array([2.0, -4.0])

    SGD(0.5).step({"w": w}, {"w": gradient})

    assert np.array_equal(w, [0.0, 4.0])
    assert np.array_equal(gradient, [2.0, -4.0])


def test_momentum_keeps_a_share_of_the_last_step():
    w = np.array([1.0])
    optimizer = SGD(0.1, momentum=0.5)

    for _ in range(2):
        optimizer.step({"w": w}, {"w": np.array([2.0])})

    # steps of 0.1 * 2, then 0.5 * 0.2 + 0.1 * 2
    assert w == pytest.approx(1 - 0.2 - 0.3)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("layout", [np.asfortranarray, lambda w: np.repeat(w, 2, axis=1)[:, ::2]])
def test_any_layout_and_precision_is_updated(layout, momentum):
    w = layout(np.ones((3, 2), np.float32))

    SGD(0.5, momentum).step({"w": w}, {"w": np.full((3, 2), 2.0)})

    assert w.dtype == np.float32
    assert np.array_equal(w, np.zeros((3, 2)))


def test_gradients_that_are_missing_or_would_be_broadcast_are_named():
    params = {"b": np.zeros(3)}

    with pytest.raises(ValueError, match=r"nothing for 'b'; it holds \['c'\]"):
        SGD().step(params, {"c": np.zeros(3)})
    with pytest.raises(ValueError, match=r"\['b'\] has shape \(\); expected \(3,\)"):
        SGD().step(params, {"b": np.float64(1.0)})


@pytest.mark.parametrize(
    "options",
    [{"learning_rate": 0}, {"learning_rate": np.nan}, {"momentum": 1}, {"momentum": -0.1}],
)
def test_an_optimizer_refuses_what_cannot_work(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        SGD(**options)
