"""What the public strategies promise, and what they shrink to."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from gradcheck.properties import strategies

SETTINGS = settings(
    max_examples=40, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def smallest(strategy, condition=lambda x: True):
    return find(strategy, condition, settings=settings(SETTINGS, max_examples=150))


def found(strategy, condition):
    try:
        smallest(strategy, condition)
    except NoSuchExample:
        return False
    return True


EVERY = {
    name: getattr(strategies, name)
    for name in strategies.__all__
    if name not in ("batch_shapes", "class_indices")
}


@pytest.mark.parametrize("name", EVERY)
def test_arrays_are_finite_float64(name):
    @SETTINGS
    @given(EVERY[name]())
    def check(x):
        assert x.dtype == np.float64
        assert np.isfinite(x).all()
        assert x.flags.writeable

    check()


@pytest.mark.parametrize("name", [name for name in EVERY if name != "well_conditioned_matrices"])
def test_shape_may_be_given_or_drawn(name):
    @SETTINGS
    @given(EVERY[name]((2, 3)), EVERY[name](st.just((3, 2))))
    def check(given_shape, drawn_shape):
        assert given_shape.shape == (2, 3)
        assert drawn_shape.shape == (3, 2)

    check()


@SETTINGS
@given(strategies.well_conditioned(bound=2.0))
def test_well_conditioned_arrays_are_bounded_and_their_sums_exact(x):
    assert np.abs(x).max() <= 2
    assert np.array_equal((x + 1024.0) - 1024.0, x)
    assert np.array_equal(x * 64, np.round(x * 64))


@SETTINGS
@given(strategies.well_conditioned_matrices(st.integers(1, 4), condition=50.0))
def test_well_conditioned_matrices_have_the_condition_promised(a):
    assert np.linalg.cond(a) <= 50.0 * (1 + 1e-9)


@SETTINGS
@given(strategies.near_ties(ulps=2))
def test_each_row_has_two_entries_within_the_ulps_promised(x):
    for row in np.sort(x, axis=-1):
        last_place = np.spacing(np.maximum(np.abs(row[:-1]), np.abs(row[1:])))
        assert (np.diff(row) <= 2 * last_place).any()


def test_near_ties_hold_ties_and_entries_one_rounding_apart():
    strategy = strategies.near_ties((1, 2))

    assert found(strategy, lambda x: x[0, 0] == x[0, 1])
    assert found(strategy, lambda x: 0 < abs(x[0, 0] - x[0, 1]) < 1e-14)


@SETTINGS
@given(strategies.kink_avoiding(kinks=(-1.0, 1.0), margin=0.5))
def test_no_entry_lies_within_the_margin_of_a_kink(x):
    assert min(np.abs(x + 1).min(), np.abs(x - 1).min()) >= 0.5


@SETTINGS
@given(strategies.kink_hitting(kinks=(1.0,)))
def test_some_entry_lies_at_a_kink_or_one_rounding_beside_it(x):
    assert np.abs(x - 1).min() <= np.spacing(1.0)


def test_kinks_are_hit_exactly_and_from_both_sides():
    strategy = strategies.kink_hitting((1, 1))

    assert found(strategy, lambda x: x[0, 0] == 0)
    assert found(strategy, lambda x: 0 < x[0, 0] < 1e-300)
    assert found(strategy, lambda x: -1e-300 < x[0, 0] < 0)


@SETTINGS
@given(strategies.one_hot_targets())
def test_one_hot_rows_hold_a_single_one(t):
    assert np.array_equal(np.sort(t, axis=-1)[:, -1], np.ones(len(t)))
    assert np.array_equal(t.sum(axis=-1), np.ones(len(t)))


@SETTINGS
@given(strategies.soft_targets())
def test_soft_targets_are_positive_and_sum_to_one(t):
    assert t.min() > 0
    assert np.abs(t.sum(axis=-1) - 1).max() <= t.shape[-1] * np.finfo(float).eps


@SETTINGS
@given(strategies.stochastic_rows())
def test_stochastic_rows_are_probabilities(p):
    assert p.min() >= 0
    assert p.max() <= 1
    assert np.abs(p.sum(axis=-1) - 1).max() <= p.shape[-1] * np.finfo(float).eps


def test_stochastic_rows_hold_certainty():
    assert found(strategies.stochastic_rows((1, 3)), lambda p: p.max() == 1.0)


def test_rows_differ_and_batches_are_square_or_not():
    assert found(strategies.logits(), lambda x: len(x) > 1 and (x[0] != x[1]).all())
    assert found(strategies.logits(), lambda x: x.shape == (3, 3))
    assert found(strategies.logits(), lambda x: x.shape == (2, 4))


@pytest.mark.parametrize(
    ("strategy", "condition", "expected"),
    [
        (strategies.logits(), lambda x: True, [[0.0]]),
        (strategies.logits(), lambda x: len(x) > 1 and x[0, 0] != x[1, 0], [[0.0], [1.0]]),
        (strategies.logits(), lambda x: x.max() > 2.5, [[3.0]]),
        (strategies.near_ties(), lambda x: True, [[0.0, 0.0]]),
        (strategies.kink_avoiding(), lambda x: True, [[1.0]]),
        (strategies.kink_hitting(), lambda x: x.size == 2, [[0.0, 0.0]]),
        (strategies.one_hot_targets(), lambda t: t.shape[1] == 2, [[1.0, 0.0]]),
        (strategies.soft_targets(), lambda t: t.shape[1] == 2, [[0.5, 0.5]]),
        (strategies.stochastic_rows(), lambda p: p.min() == 0, [[1.0, 0.0]]),
        (strategies.well_conditioned_matrices(2), lambda a: True, [[1.0, 0.0], [0.0, 1.0]]),
    ],
)
def test_examples_shrink_to_what_can_be_read(strategy, condition, expected):
    assert sorted(map(tuple, smallest(strategy, condition))) == sorted(map(tuple, expected))


def test_class_indices_are_classes():
    drawn = smallest(strategies.class_indices(3, 4), lambda y: y.max() == 3)

    assert drawn.dtype == np.int64
    assert sorted(drawn.tolist()) == [0, 0, 3]


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="no number within 1"):
        smallest(strategies.kink_avoiding(kinks=(0.0,), margin=2.0, bound=1.0))
    with pytest.raises(ValueError, match="two columns or more"):
        smallest(strategies.near_ties((2, 1)))
    with pytest.raises(ValueError, match="condition must be at least 1"):
        smallest(strategies.well_conditioned_matrices(condition=0.5))


def test_example_of_the_documentation_runs():
    assert doctest.testmod(strategies).failed == 0
