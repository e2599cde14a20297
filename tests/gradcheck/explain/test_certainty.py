"""Certainties: alternatives share one whole, one number proves nothing, and only what was verified
or measured is over 99 % sure."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradcheck
from gradcheck.explain.certainty import (
    MEASURED,
    ONE_NUMBER,
    RELIABILITY,
    VERIFIED,
    certainty,
    kind_of,
    settle,
)
from gradcheck.report.data import Explanation, Support

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4))

KINDS = sorted({kind.partition(",")[0] for kind in RELIABILITY} | {"unheard_of"})
NAMES = ("x", "W", "b")

supports = st.builds(
    Support,
    kind=st.sampled_from(KINDS),
    numbers=st.integers(0, 50),
    fitted=st.integers(0, 3),
    rivals=st.integers(0, 4),
    alternative=st.none() | st.integers(0, 4),
)


@st.composite
def explanations(draw):
    found = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        if draw(st.booleans()):
            support = Support("change", rivals=draw(st.integers(0, 2)), alternative=VERIFIED)
            found.append(Explanation("change", (name,), 1.0, "", "", "", support))
    for _ in range(draw(st.integers(0, 6))):
        about = draw(st.lists(st.sampled_from(NAMES), unique=True))
        share = draw(st.floats(0.0, 1.0))
        found.append(Explanation("code", tuple(about), share, "", "", "", draw(supports)))
    return found


def sums(found):
    """Certainties by tensor, those that hold together counted once."""
    alternatives = defaultdict(dict)
    for position, e in enumerate(found):
        number = ("alone", position) if e.support.alternative is None else e.support.alternative
        for name in e.tensors:
            alternatives[name][number] = max(alternatives[name].get(number, 0.0), e.confidence)
    return {name: sum(of_number.values()) for name, of_number in alternatives.items()}


@given(explanations())
def test_certainties_of_alternatives_add_up_to_at_most_one(given_explanations):
    settled = settle(given_explanations)

    assert all(total <= 1 + 1e-9 for total in sums(settled).values())
    assert all(0 <= e.confidence <= 1 for e in settled)


@given(explanations())
def test_order_is_kept_and_no_tensor_loses_its_first(given_explanations):
    settled = settle(given_explanations)

    places = iter(given_explanations)
    for e in settled:
        same = (
            other
            for other in places
            if (other.code, other.tensors, other.support) == (e.code, e.tensors, e.support)
            and certainty(other) >= e.confidence - 1e-9
        )
        assert next(same, None) is not None
    assert set(sums(settled)) == set(sums(given_explanations))


@given(st.sampled_from(KINDS), st.integers(0, 5), st.floats(0.0, 1.0))
def test_what_rests_on_one_number_is_never_sure(kind, fitted, share):
    support = Support(kind, numbers=fitted + 1, fitted=fitted)
    sure = certainty(Explanation("code", ("x",), share, "", "", "", support))

    assert sure <= ONE_NUMBER or kind in MEASURED


class Scaled:
    """One parameter that is a number, with a gradient that is wrong by ``slip``."""

    def __init__(self, slip):
        self.s, self.ds, self.slip = np.array(1.3), np.zeros(()), slip

    def forward(self, x):
        self.x = x
        return np.tanh(x * self.s)

    def backward(self, grad):
        d = grad * (1 - np.tanh(self.x * self.s) ** 2)
        self.ds = np.asarray(self.slip(np.sum(d * self.x)))
        return d * self.s


# no source is at hand of what is evaluated, so that no change can be verified
SLIPS = {"halved": "lambda s: s / 2", "turned": "lambda s: -s", "shifted": "lambda s: s + 0.1"}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_gradient_of_one_number_gets_no_sure_name_unless_a_change_is_verified(slip):
    report = gradcheck.check(Scaled(eval(SLIPS[slip])), X)
    found = next(e for e in report.explanations if e.tensor == "s")

    assert found.confidence <= ONE_NUMBER or found.support.kind == "change"


def rows_of(reports):
    return [e for report in reports for e in report.explanations]


def dense(bug):
    source = f"""
class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        self.y = np.tanh(x @ self.W + self.b)
        return self.y

    def backward(self, grad):
        d = {bug.get("d", "grad * (1 - self.y ** 2)")}
        self.dW = {bug.get("W", "self.x.T @ d")}
        self.db = {bug.get("b", "d.sum(axis=0)")}
        return {bug.get("x", "d @ self.W.T")}
"""
    names = {"np": np}
    exec(source, names)
    return names["Dense"](RNG.normal(size=(4, 3)), RNG.normal(size=3))


BUGS = [
    {"d": "grad"},
    {"d": "grad * (1 - self.y)"},
    {"d": "-grad * (1 - self.y ** 2)"},
    {"W": "self.x.T @ d / 5"},
    {"W": "2 * (self.x.T @ d)", "b": "d.sum()"},
    {"b": "d.mean(axis=0)", "x": "grad @ self.W.T"},
    {"x": "-(d @ self.W.T) / 5"},
]


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_reports_share_one_whole_among_alternatives_and_are_sure_of_measured_things_alone(bug):
    report = gradcheck.check(dense(bug), X)

    assert not report.ok
    assert all(total <= 1 + 1e-9 for total in sums(report.explanations).values())
    for e in report.explanations:
        if e.confidence > 0.99:
            assert RELIABILITY[kind_of(e.support)] > 0.99
            assert not e.support.rivals


def test_two_faults_of_one_gradient_hold_together_and_are_no_alternatives():
    report = gradcheck.check(dense({"x": "-(d @ self.W.T) / 5"}), X)
    alternatives = {e.support.alternative for e in report.explanations if e.code != "unexplained"}

    assert len(report.explanations) > 1
    assert len(alternatives) == 1
    assert "\nalso    constant_factor" in str(report)
