"""Masked arrays, and what users' functions do beside computing: assert, count, print."""

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

RNG = np.random.default_rng(0)
X = RNG.standard_normal((5, 3))
MASK = X > 1


def cubes(x):
    return float((x**3).sum())


@pytest.mark.parametrize(
    "x",
    [
        np.ma.array(X, mask=MASK),
        np.ma.array(X),
        np.ma.masked_invalid(np.where(MASK, np.nan, X)),
        np.ma.array(np.where(MASK, 1e20, X), mask=MASK, fill_value=1e20),
        np.ma.array(X.astype(np.float32), mask=MASK),
        np.ma.array(np.arange(1, 7), mask=[0, 1, 0, 0, 0, 0]),
    ],
    ids=["mask", "none", "NaN behind it", "fill value", "float32", "whole numbers"],
)
def test_masked_arrays_are_handed_over_as_they_came(x):

    def loss(given):
        alike = np.array_equal(np.ma.getmaskarray(given), np.ma.getmaskarray(x))
        if not (alike and type(given) is type(x) and np.isclose(given.fill_value, x.fill_value)):
            raise TypeError(f"given {given!r}")
        return cubes(given)

    right = gradcheck.check((loss, lambda x: 3 * x**2), x)
    wrong = gradcheck.check((loss, lambda x: 2 * x**2), x, explain=False)

    assert right.ok, str(right)
    assert wrong.verdict is Verdict.FAIL


def test_layers_of_masked_arrays_are_checked():
    x = np.ma.array(X, mask=MASK)

    report = gradcheck.check((lambda x: x**3, lambda x, d: 3 * x**2 * d), x)

    assert report.ok, str(report)


def test_a_gradient_behind_the_mask_is_told():
    x = np.ma.array(X, mask=MASK)

    report = gradcheck.check((cubes, lambda x: np.full(x.shape, 3.0) * x.data**2 + MASK), x)

    assert report.verdict is Verdict.FAIL


GIVEN = {
    "a list": [0.5, -1.0, 2.0],
    "whole numbers in a list": [1, -2, 3],
    "whole numbers": np.array([1, -2, 3]),
    "nested": [[1, 2], [3, 4]],
    "one whole number": 3,
    "one number": 0.5,
}


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("form", [np.asarray, lambda g: np.asarray(g).tolist()])
def test_points_and_gradients_may_be_lists_and_whole_numbers(name, form):
    def loss(x):
        return float(np.sum(np.asarray(x) ** 3))

    right = gradcheck.check((loss, lambda x: form(3 * np.asarray(x) ** 2)), GIVEN[name])
    wrong = gradcheck.check(
        (loss, lambda x: form(2.9 * np.asarray(x) ** 2)), GIVEN[name], explain=False
    )

    assert right.ok, str(right)
    assert wrong.verdict is Verdict.FAIL


def test_a_list_of_numbers_is_several_gradients_where_there_are_several_numbers():
    pair = (lambda a, b: a**2 * b, lambda a, b: [2 * a * b, a**2])

    report = gradcheck.check(pair, 0.5, 3.0)

    assert report.ok, str(report)
    assert set(report.tensors) == {"a", "b"}


def test_indices_in_a_list_stay_whole():
    def picked(x, rows):
        return float(np.sum(x[rows] ** 2))

    def gradient(x, rows):
        found = np.zeros_like(x)
        np.add.at(found, rows, 2 * x[rows])
        return found

    report = gradcheck.check((picked, gradient), X, [1, 3, 1])

    assert report.ok, str(report)
    assert list(report.tensors) == ["x"]


@pytest.mark.parametrize("least", [0.0, 0.5 - 1e-12, 0.5 - 1e-7])
@pytest.mark.parametrize("error", [AssertionError, ValueError])
def test_a_domain_may_be_kept_by_an_assertion(least, error):
    def loss(x):
        if not np.all(x > least):
            raise error("outside")
        return np.sum(np.log(x))

    x = np.array([0.5, 2.0, 3.0])
    right = gradcheck.check((loss, lambda x: 1 / x), x)
    wrong = gradcheck.check((loss, lambda x: 2 / x), x, explain=False)

    assert right.ok, str(right)
    assert wrong.verdict is Verdict.FAIL


CALLS = {"forward": 0}


class Counting:
    """A layer that counts its calls, in itself and in its module, and prints them."""

    def __init__(self):
        self.calls = 0
        self.log = []

    def forward(self, x):
        self.calls += 1
        CALLS["forward"] += 1
        self.log.append(f"forward {self.calls}")
        print(self.log[-1])  # noqa: T201
        self.x = x
        return x**2

    def backward(self, d):
        self.log.append("backward")
        return 3 * self.x * d


def test_what_counts_and_prints_is_as_before(capsys):
    layer = Counting()

    report = gradcheck.check(layer, X)

    assert report.explanations[0].code in ("constant_factor", "factor_two")
    assert layer.calls == 0
    assert layer.log == []
    assert CALLS == {"forward": 0}
    assert "forward 1" in capsys.readouterr().out
