"""What is not recognised is refused with lines that fit the very thing that was given."""

import numpy as np
import pytest

import gradcheck

X = np.ones((2, 3))


class Halfway:
    def forward(self, inputs):
        return inputs


class Trainer:
    def train(self, X, y):
        """Update in place."""


class Nothing:
    def forward(self, x):
        """Forget to return."""

    def backward(self, grad):
        return grad


class Demanding:
    def forward(self, x):
        return x

    def backward(self, one, two, three, four):
        return one


@pytest.mark.parametrize(
    ("thing", "messages"),
    [
        (Halfway(), ["no backward", "'inputs': inputs", "it.forward(t['inputs'])"]),
        (Trainer(), ["check_update(lambda: net.train(X, y)"]),
        (X, ["ndarray", "its inputs follow"]),
        ({"W": X}, ["dict", "its inputs follow"]),
        (None, ["NoneType"]),
        ([], ["empty"]),
        ([Demanding(), Halfway()], ["item 1", "Halfway"]),
        (Nothing(), ["returned None"]),
        (Demanding(), ["backward(one, two, three, four)", "t['x']"]),
        (lambda x: x**2, ["no gradient beside it", "check((f, f_backward), x)"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_way_out_is_shown(thing, messages):
    with pytest.raises(gradcheck.TargetError) as raised:
        gradcheck.check(thing, X)

    assert all(message in str(raised.value) for message in messages), str(raised.value)


def test_a_network_that_descends_an_unknown_loss_says_how_to_give_it():
    class Odd:
        def __init__(self):
            self.W = np.full((3, 2), 0.3)

        def forward(self, X):
            return np.tanh(X @ self.W)

        def backward(self, X, y):
            self.dW = X.T @ np.cos(X @ self.W + y)

    with pytest.raises(gradcheck.TargetError, match="compute_loss"):
        gradcheck.check(Odd(), X, np.eye(2))


def test_the_lines_for_an_unknown_loss_work():
    class Cubic:
        def __init__(self):
            self.W = np.full((3, 2), 0.3)

        def forward(self, X):
            return X @ self.W

        def backward(self, X, y):
            self.dW = X.T @ (3 * (X @ self.W - y) ** 2)

    Cubic.compute_loss = lambda self, y_pred, y: np.sum((y_pred - y) ** 3)

    assert gradcheck.check(Cubic(), X, np.eye(2)).ok
