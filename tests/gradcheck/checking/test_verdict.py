"""FAIL must be earned, and so must PASS: right but hard gradients, and what shows nothing."""

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from gradcheck.checking.plateaus import plateau
from tests.support.hard_functions import FUNCTIONS

X = np.random.default_rng(0).normal(size=(5, 4))


def judged(forward, pullback, x, **options):
    pair = (lambda x: forward(x), lambda v, x: pullback(x, v))
    with np.errstate(all="ignore"):
        return gradcheck.check(pair, x, explain=False, **options)


def verdict(forward, pullback, x, **options):
    (tensor,) = judged(forward, pullback, x, **options).tensors.values()
    return tensor.verdict


@pytest.mark.parametrize("hard", FUNCTIONS, ids=lambda hard: hard.name)
def test_right_gradients_of_hard_functions_pass(hard):
    report = judged(hard.forward, hard.pullback, hard.x)

    assert report.ok, str(report)
    assert all(t.resolution > 0 for t in report.tensors.values())


@pytest.mark.parametrize(
    "spoil",
    [lambda g: 2 * g, lambda g: -g, lambda g: g * (np.arange(g.size).reshape(g.shape) % 2)],
    ids=["doubled", "sign", "half missing"],
)
@pytest.mark.parametrize(
    "hard",
    [hard for hard in FUNCTIONS if not hard.vanishes],
    ids=lambda hard: hard.name,
)
def test_wrong_gradients_of_hard_functions_fail(hard, spoil):
    if hard.name == "sum of huge and tiny" and spoil(np.ones(2))[1] == 1:
        pytest.skip("what is left out is all of the gradient but for rounding")
    wrong = verdict(hard.forward, lambda x, v: spoil(hard.pullback(x, v)), hard.x, contract=False)

    assert wrong is Verdict.FAIL


@pytest.mark.parametrize("decimals", [2, 3, 6, 8])
def test_rounding_to_decimals_is_no_fault_of_a_zero_gradient(decimals):
    assert verdict(lambda x: np.round(x, decimals), lambda x, v: 0 * v, X) is not Verdict.FAIL


def test_a_zero_gradient_of_a_function_computed_in_single_is_a_fault():
    single = lambda x: np.tanh(x.astype(np.float32)).astype(np.float64)  # noqa: E731

    assert verdict(single, lambda x, v: 0 * v, X) is Verdict.FAIL


@pytest.mark.parametrize(
    ("forward", "x", "word"),
    [
        (lambda x: np.full(3, 2.0), X, "stays the same"),
        (lambda x: x > 0, X, "truth values"),
        (lambda x: np.argmax(x, axis=1), X, "whole numbers"),
        (lambda x: 2 * x, X[:0], "empty"),
        (lambda x: np.exp(1e4 + np.sum(x**2)), X, "infinite"),
        (lambda x: np.exp(-1e4 * np.sum(x**2)), X, "too small"),
        (lambda x: np.exp(-1e3 * np.sum(x**2, dtype=x.dtype)), X.astype(np.float32), "too small"),
    ],
    ids=["constant", "boolean", "integer", "empty", "overflow", "underflow", "underflow in single"],
)
def test_what_shows_nothing_is_undecided_with_a_way_out(forward, x, word):
    report = judged(forward, lambda x, v: np.zeros_like(x), x)

    assert report.verdict is Verdict.UNDECIDED
    (tensor,) = report.tensors.values()
    assert word in tensor.reason
    assert "; " in tensor.reason
    assert "above 0" not in str(report)


class Attended:
    """One token: the weights of a softmax over it alone, which the output does not depend on."""

    def __init__(self, factor=0.0):
        rng = np.random.default_rng(1)
        self.Wq, self.Wv, self.factor = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), factor

    def forward(self, x):
        self.x = x
        scores = (x @ self.Wq).sum(axis=1, keepdims=True)
        return np.exp(scores - scores) * (x @ self.Wv)

    def backward(self, grad):
        self.dWq = np.full((4, 3), self.factor)
        self.dWv = self.x.T @ grad
        return grad @ self.Wv.T


def test_a_zero_gradient_passes_where_other_tensors_move_the_output():
    right, wrong = gradcheck.check(Attended(), X), gradcheck.check(Attended(1e-3), X)

    assert right.ok, str(right)
    assert right.tensors["Wq"].resolution > 0
    assert wrong.tensors["Wq"].verdict is Verdict.FAIL


def test_cotangents_that_show_nothing_are_refused_by_name():
    pair = (lambda x: 2 * x, lambda v, x: 2 * v)

    with pytest.raises(ValueError, match="cotangent: every entry is zero"):
        gradcheck.check(pair, X, cotangent=np.zeros_like(X))
    with pytest.raises(ValueError, match="cotangent: 20 of 20 entries are NaN"):
        gradcheck.check(pair, X, cotangent=np.full_like(X, np.nan))


def test_entries_that_overflow_are_left_out_and_said():
    x = np.array([1.0, 2.0, 1000.0])
    report = judged(np.exp, lambda x, v: v * np.exp(np.minimum(x, 700)), x)

    assert report.ok
    assert any("1 of 3 entries of the output are not finite" in note for note in report.notes)


@pytest.mark.parametrize(
    ("phi", "jump"),
    [
        (lambda t: np.floor(100 * (t + 0.003)), 1.0),
        (lambda t: 0.0 if abs(t) < 1e-5 else 0.25, 0.25),
    ],
)
def test_a_tread_is_found_with_its_jump(phi, jump):
    found = plateau(phi, 0.0, 2.0**-52, 2.0**-52, 1.0)

    assert found is not None
    assert found.certain
    assert found.jump == jump


@pytest.mark.parametrize(
    "phi", [lambda t: t, lambda t: max(t - 1e-3, 0.0), lambda t: t**3, lambda t: 0.0]
)
def test_what_is_continuous_has_no_tread(phi):
    assert plateau(phi, 0.0, 2.0**-52, 2.0**-52, 1.0) is None


def test_two_wrong_entries_do_not_cancel_by_their_signs():
    swapped = lambda x, v: np.array([4 * x[1], 2 * x[0]]) * v  # noqa: E731

    seeds = range(40)
    verdicts = {
        verdict(lambda x: np.sum(x**2 * [1, 2]), swapped, np.array([1.0, 1.1]), seed=s)
        for s in seeds
    }

    assert verdicts == {Verdict.FAIL}


class Rectified:
    """Dense and ReLU with a bias of zero: at an input of zero every unit is at its kink."""

    def __init__(self, sizes, slope):
        rng = np.random.default_rng(0)
        self.W, self.b, self.slope = rng.normal(size=sizes), np.zeros(sizes[1]), slope

    def forward(self, x):
        self.x, self.z = x, x @ self.W + self.b
        return np.maximum(self.z, 0)

    def backward(self, grad):
        grad = grad * np.where(self.z == 0, self.slope, self.z > 0)
        self.dW, self.db = self.x.T @ grad, grad.sum(axis=0)
        return grad @ self.W.T


SIZES = [(4, 3), (20, 40), (200, 150)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_any_subgradient_does_where_many_kinks_meet(sizes, slope):
    report = gradcheck.check(Rectified(sizes, slope), np.zeros((1, sizes[0])), explain=False)

    assert report.verdict is not Verdict.FAIL, str(report)
    assert report.tensors["b"].verdict is Verdict.PASS


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("slope", [-1.0, 2.0, 5.0])
def test_what_is_no_subgradient_fails_where_many_kinks_meet(sizes, slope):
    report = gradcheck.check(Rectified(sizes, slope), np.zeros((1, sizes[0])), explain=False)

    assert report.verdict is Verdict.FAIL, str(report)


UNIT = np.finfo(float).eps
POLES = {
    "1 / x": (lambda x: 1 / np.maximum(x, 1e-300), lambda x: -1 / x**2),
    "1 / x (1 - x)": (
        lambda x: 1 / (np.clip(x, UNIT, 1 - UNIT) * (1 - np.clip(x, UNIT, 1 - UNIT))),
        lambda x: (2 * x - 1) / (x * (1 - x)) ** 2,
    ),
    "exp(1 / x)": (
        lambda x: np.exp(1 / np.maximum(x, 2e-3)),
        lambda x: -np.exp(1 / x) / x**2,
    ),
}


@pytest.mark.parametrize("spoil", [lambda g: 1.5 * g, lambda g: -g, lambda g: g + 1])
@pytest.mark.parametrize("name", POLES)
def test_a_pole_within_a_step_excuses_no_wrong_gradient(name, spoil):
    function, slope = POLES[name]
    for seed in range(3):
        x = np.random.default_rng(seed).uniform(0.1, 0.9, 12)

        assert verdict(function, lambda x, v: v * slope(x), x) is Verdict.PASS
        assert verdict(function, lambda x, v: v * spoil(slope(x)), x) is Verdict.FAIL


def test_outputs_that_overflow_in_half_precision_warn_of_nothing():
    x = np.random.default_rng(3).normal(size=(4, 3)).astype(np.float16)

    found = verdict(
        lambda x: (x * x).astype(np.float16), lambda x, v: (3 * x * v).astype(np.float16), x
    )

    assert found is not Verdict.PASS


@pytest.mark.parametrize("wrong", [None, 0, 3, 6])
def test_parameters_over_twelve_orders_are_each_judged_in_their_units(wrong):
    units = np.logspace(-6, 6, 7)
    factor = np.where(np.arange(7) == wrong, 1.01, 1.0)

    report = gradcheck.check(
        (lambda x: np.sum(np.sin(x / units)), lambda x: factor * np.cos(x / units) / units),
        units * np.linspace(0.3, 1.2, 7),
        explain=False,
    )

    assert report.verdict is (Verdict.PASS if wrong is None else Verdict.FAIL)
