"""Data that do not fit are refused at the door: the argument, what it holds, what to do."""

import numpy as np
import pytest

from network import evaluate, fit, mlp

X = np.random.default_rng(0).random((6, 4)).astype(np.float32)
Y = np.array([0, 1, 2, 0, 1, 2])


def spoiled(value):
    spoiled = X.copy()
    spoiled[2, 3] = value
    return spoiled


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (X[:, :3], Y, "X has 3 features; the model takes 4"),
        (X[:0], Y[:0], "X has shape .* no data"),
        (X[0], Y[:1], r"X has shape \(4,\); expected \(n, features\)"),
        (X.reshape(6, 2, 2), Y, r"For images, give X\.reshape\(len\(X\), -1\)"),
        (np.full((6, 4), "a"), Y, "X has dtype <U1 and shape .*; expected an array of numbers"),
        (spoiled(np.nan), Y, "X holds 1 values .* the first in row 2, column 3: nan"),
        (spoiled(-np.inf), Y, "row 2, column 3: -inf"),
        (spoiled(1.0).astype(np.float64) * 1e300, Y, "not finite in float32"),
        (X, Y[:5], r"y has shape \(5,\); expected 6 integer labels, as many as X has rows"),
        (X, Y[:, np.newaxis], r"y has shape \(6, 1\)"),
        (X, np.eye(3)[Y], r"For one-hot rows, give y\.argmax\(axis=1\)"),
        (X, Y.astype(float), r"y has dtype float64; .*give y\.astype\(int\)"),
        (X, Y + 0.5, r"y has dtype float64; expected integer labels, or for a regression loss="),
        (X, Y.astype(str), "y has dtype <U"),
        (X, Y + 1, "from 1 to 3; expected 0 to 2, .*look 1-based: give y - 1"),
        (X, Y - 1, "from -1 to 1; expected 0 to 2, for the model has 3 outputs$"),
        (X, Y + 2, "from 2 to 4"),
    ],
)
def test_data_that_do_not_fit_are_refused_by_name(X, y, message):
    with pytest.raises((TypeError, ValueError), match=message):
        fit(mlp([4, 3]), X, y, epochs=1, progress=False)
    with pytest.raises((TypeError, ValueError), match=message):
        evaluate(mlp([4, 3]), X, y)


def test_validation_data_are_named_as_such():
    with pytest.raises(ValueError, match=r"validation\[1\] has shape \(5,\)"):
        fit(mlp([4, 3]), X, Y, validation=(X, Y[:5]))
    with pytest.raises(ValueError, match=r"validation\[0\] has 3 features"):
        fit(mlp([4, 3]), X, Y, validation=(X[:, :3], Y))


def test_lists_integers_and_other_layouts_are_let_in():
    rows = np.asfortranarray(np.arange(24).reshape(6, 4) % 5)

    for data in (rows, rows.tolist(), rows.astype(np.uint8), rows[::-1][::-1]):
        assert len(fit(mlp([4, 3]), data, Y.tolist(), epochs=1, progress=False)) == 1
