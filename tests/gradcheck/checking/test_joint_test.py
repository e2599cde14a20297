"""Tensors that are tested at once: as much is found as one by one, for fewer forwards."""

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.checking.measurer import WANTED_ACCURACY

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 6))


class Deep:
    """Layers of tanh; every gradient, by name, may be spoiled."""

    def __init__(self, depth, spoil=None):
        rng = np.random.default_rng(1)
        self.W = [np.linalg.qr(rng.normal(size=(6, 6)))[0] for _ in range(depth)]
        self.b = [0.1 * rng.normal(size=6) for _ in range(depth)]
        self.spoil = spoil or {}

    def forward(self, x):
        self.a = [x]
        for weights, bias in zip(self.W, self.b, strict=True):
            self.a.append(np.tanh(self.a[-1] @ weights + bias))
        return self.a[-1]

    def backward(self, grad):
        self.dW, self.db = [None] * len(self.W), [None] * len(self.b)
        for k in reversed(range(len(self.W))):
            grad = grad * (1 - self.a[k + 1] ** 2)
            self.dW[k], self.db[k] = self.a[k].T @ grad, grad.sum(axis=0)
            grad = grad @ self.W[k].T
        gradients = {"x": grad}
        gradients |= {f"W[{k}]": d for k, d in enumerate(self.dW)}
        gradients |= {f"b[{k}]": d for k, d in enumerate(self.db)}
        for name, error in self.spoil.items():
            gradients[name] += error * np.abs(gradients[name]).max()
        return grad


def checked(layer, **options):
    return gradcheck.check(layer, X, explain=False, contract=False, **options)


def test_deep_networks_cost_no_more_forwards_than_flat_ones():
    flat, deep = checked(Deep(2)), checked(Deep(10))

    assert flat.ok, str(flat)
    assert deep.ok, str(deep)
    assert deep.forwards <= 2 * flat.forwards
    assert len(deep.tensors) > 4 * len(flat.tensors) - 4


def test_what_could_have_been_missed_is_no_more_than_is_wanted():
    report = checked(Deep(10))

    assert all(0 < t.resolution <= 2 * WANTED_ACCURACY for t in report.tensors.values())


@pytest.mark.parametrize("name", ["x", "W[0]", "b[0]", "W[2]", "b[3]"])
@pytest.mark.parametrize("error", [1.0, 1e-3, 1e-8])
def test_the_one_gradient_that_is_wrong_among_many_is_named(name, error):
    report = checked(Deep(4, {name: error}))

    assert {n for n, t in report.tensors.items() if t.verdict is Verdict.FAIL} == {name}
    assert all(t.ok for n, t in report.tensors.items() if n != name)


def test_errors_of_all_gradients_at_once_are_found_in_each():
    names = ["x", *(f"{letter}[{k}]" for letter in "Wb" for k in range(4))]
    report = checked(Deep(4, dict.fromkeys(names, 1e-4)))

    assert all(t.verdict is Verdict.FAIL for t in report.tensors.values())


@pytest.mark.parametrize("seed", range(40))
def test_opposite_errors_of_two_numbers_do_not_cancel(seed):
    def forward(a, b):
        return a * b

    def backward(g, a, b):
        return g * (b + 0.5), g * (a - 0.5)

    report = gradcheck.check(
        (forward, backward), np.array(1.0), np.array(1.0), explain=False, seed=seed
    )

    assert {t.verdict for t in report.tensors.values()} == {Verdict.FAIL}


def test_gradients_of_very_different_sizes_are_held_to_their_own():
    def forward(a, b):
        return 1e6 * np.sin(a) + 1e-3 * np.sin(b)

    def backward(g, a, b):
        return 1e6 * np.cos(a) * g, 2e-3 * np.cos(b) * g

    report = gradcheck.check((forward, backward), X, X[::-1].copy(), explain=False)

    assert report.tensors["a"].ok
    assert report.tensors["b"].verdict is Verdict.FAIL


def test_one_after_the_other_gives_the_same_verdicts():
    layer = Deep(3, {"b[1]": 1e-3})

    together, apart = checked(layer), checked(layer, mode="element")

    assert {n: t.verdict for n, t in together.tensors.items()} == {
        n: t.verdict for n, t in apart.tensors.items()
    }
