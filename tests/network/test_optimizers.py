"""Descent follows its formula, in place, and refuses gradients that do not fit."""

import numpy as np
import pytest

from network import SGD, Adam, AdamW, RMSProp


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
    ("make", "options"),
    [
        (SGD, {"learning_rate": 0}),
        (SGD, {"learning_rate": np.nan}),
        (SGD, {"momentum": 1}),
        (SGD, {"momentum": -0.1}),
        (SGD, {"nesterov": True}),
        (RMSProp, {"decay": 1}),
        (Adam, {"beta1": 1}),
        (Adam, {"beta2": -1}),
        (Adam, {"epsilon": 0}),
        (AdamW, {"weight_decay": -1}),
    ],
)
def test_an_optimizer_refuses_what_cannot_work(make, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        make(**options)


def descend(optimizer, steps=3):
    """Steps along a gradient that changes, from one."""
    w = np.array([1.0, -2.0])
    for _ in range(steps):
        optimizer.step({"w": w}, {"w": 2 * w + 1})
    return w


def test_nesterov_steps_along_the_gradient_and_the_velocity_to_come():
    w, v = np.array([1.0, -2.0]), np.zeros(2)
    for _ in range(3):
        gradient = 2 * w + 1
        v = 0.5 * v + gradient
        w = w - 0.1 * (gradient + 0.5 * v)

    np.testing.assert_allclose(descend(SGD(0.1, 0.5, nesterov=True)), w, rtol=1e-14)


def test_rmsprop_divides_by_the_root_of_the_mean_square():
    w, s = np.array([1.0, -2.0]), np.zeros(2)
    for _ in range(3):
        gradient = 2 * w + 1
        s = 0.9 * s + 0.1 * gradient**2
        w = w - 0.01 * gradient / (np.sqrt(s) + 1e-8)

    np.testing.assert_allclose(descend(RMSProp(0.01)), w, rtol=1e-13)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_follows_its_paper(decay):
    w, m, s = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
    for t in range(1, 4):
        gradient = 2 * w + 1
        m = 0.9 * m + 0.1 * gradient
        s = 0.999 * s + 0.001 * gradient**2
        w = w - 0.01 * decay * w
        w = w - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)

    # 1 - 0.999 is right to 1e-13 of itself
    np.testing.assert_allclose(descend(AdamW(0.01, weight_decay=decay)), w, rtol=1e-12)


def test_the_first_step_of_adam_is_as_long_as_the_learning_rate():
    w = np.array([1.0, -2.0])

    Adam(0.01).step({"w": w}, {"w": np.array([1e-3, -50.0])})

    np.testing.assert_allclose(w, [0.99, -1.99], rtol=1e-6)


def test_a_velocity_that_backward_has_summed_up_is_not_summed_again():
    usual, fused = SGD(0.1, momentum=0.5), SGD(0.1, momentum=0.5)
    w, same = np.array([1.0, 2.0]), np.array([1.0, 2.0])
    velocity, keep = fused.accumulator("w", same)
    for gradient in (np.array([1.0, 3.0]), np.array([-2.0, 1.0])):
        usual.step({"w": w}, {"w": gradient})
        velocity *= keep
        velocity += gradient
        fused.step({"w": same}, {"w": velocity})

    np.testing.assert_allclose(same, w, rtol=1e-14)


def test_an_optimizer_of_another_model_is_refused():
    optimizer = Adam()
    optimizer.step({"w": np.ones(3)}, {"w": np.ones(3)})

    with pytest.raises(ValueError, match="an optimizer of its own"):
        optimizer.step({"w": np.ones(4)}, {"w": np.ones(4)})
