"""Softmax keeps its promises on any shape and axis; the asker's does not."""

import numpy as np
import pytest
from hypothesis import example, find, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from network import log_softmax, softmax
from network.question import matrix_softmax, row_softmax

EPS = np.finfo(np.float64).eps


def logits(limit=50.0, min_dims=1, max_dims=3):
    """Draw arrays of finite logits, every entry on its own."""
    return hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, max_side=5),
        elements=st.floats(-limit, limit, allow_subnormal=False),
        fill=st.nothing(),
    )


@st.composite
def with_axis(draw, arrays):
    x = draw(arrays)
    return x, draw(st.integers(-x.ndim, x.ndim - 1))


# an n-term sum and n divisions, each entry off by at most half an ulp and the exp by one
def sum_tolerance(n):
    return (n + 4) * EPS


@given(with_axis(logits(limit=1e308)))
@example((np.array([[1e308, -1e308], [0.0, 0.0]]), -1))
@example((np.array([3.0, 3.0, 3.0]), 0))
def test_every_row_is_a_distribution_whatever_the_size_of_the_logits(case):
    x, axis = case

    p = softmax(x, axis)

    assert p.shape == x.shape
    assert np.all((p >= 0) & (p <= 1))
    assert np.all(np.abs(p.sum(axis=axis) - 1) <= sum_tolerance(x.shape[axis]))


@given(with_axis(logits()))
def test_every_row_depends_only_on_its_own_logits(case):
    x, axis = case
    rows = np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])

    together = np.moveaxis(softmax(x, axis), axis, -1).reshape(rows.shape)
    alone = np.stack([softmax(row) for row in rows])

    np.testing.assert_allclose(together, alone, rtol=2 * (x.shape[axis] + 8) * EPS, atol=0)


@given(with_axis(logits()), st.integers(-(2**20), 2**20))
def test_a_shift_of_all_logits_changes_nothing(case, shift):
    x, axis = case
    grid = np.round(x * 8) / 8  # on this grid the shift itself is exact

    np.testing.assert_allclose(
        softmax(grid + shift, axis), softmax(grid, axis), rtol=4 * EPS, atol=0
    )


@given(logits(limit=1e308))
def test_larger_logits_have_larger_probabilities_and_ties_are_equal(x):
    row = x.reshape(-1)

    p = softmax(row)

    order = np.argsort(row)
    assert np.all(np.diff(p[order]) >= 0)
    assert p[row.argmax()] == p.max()


@given(logits(), st.data())
def test_a_masked_logit_has_probability_zero_and_leaves_the_others_as_without_it(x, data):
    row = np.append(x.reshape(-1), 0.0)
    masked = data.draw(hnp.arrays(bool, row.shape).filter(lambda m: not m.all()))

    p = softmax(np.where(masked, -np.inf, row))

    assert np.all(p[masked] == 0)
    np.testing.assert_allclose(p[~masked], softmax(row[~masked]), rtol=2 * (row.size + 8) * EPS)


@given(with_axis(logits(limit=1e3)))
def test_log_softmax_is_the_logarithm_and_stays_finite_where_softmax_underflows(case):
    x, axis = case

    log_p = log_softmax(x, axis)

    assert np.all(np.isfinite(log_p))
    p = softmax(x, axis)
    normal = p > np.finfo(np.float64).tiny
    bound = (np.ptp(x) + x.shape[axis] + 4) * EPS
    assert np.all(np.abs(np.log(p[normal]) - log_p[normal]) <= 2 * bound)


@given(logits(min_dims=2, max_dims=2), st.sampled_from([np.nan, np.inf]))
def test_what_is_not_finite_stays_in_its_row(x, value):
    spoiled = x.copy()
    spoiled[0, 0] = value

    p = softmax(spoiled)

    assert np.isnan(p[0]).all()
    np.testing.assert_array_equal(p[1:], softmax(x)[1:])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtype_and_input_are_kept(dtype):
    x = np.array([[1, 2, 3], [4, 5, 6]], dtype)
    x.flags.writeable = False

    assert softmax(x).dtype == dtype
    assert log_softmax(x).dtype == dtype


def test_integers_become_float64_and_other_dtypes_are_refused():
    assert softmax(np.array([1, 2])).dtype == np.float64
    for bad in (np.array([True]), np.array([1j]), np.array(["a"])):
        with pytest.raises(TypeError, match="dtype"):
            softmax(bad)


def test_a_row_of_nothing_but_minus_infinity_is_nan_and_no_distribution():
    p = softmax(np.array([[-np.inf, -np.inf], [0.0, 0.0]]))

    assert np.isnan(p[0]).all()
    assert np.array_equal(p[1], [0.5, 0.5])


def test_empty_batches_pass_and_bad_axes_are_named():
    assert softmax(np.empty((0, 3))).shape == (0, 3)
    with pytest.raises(ValueError, match="axis=2"):
        softmax(np.ones((2, 2)), axis=2)
    with pytest.raises(ValueError, match="single number"):
        softmax(np.float64(1.0))


def test_against_numbers_computed_with_50_digits():
    import mpmath

    x = [0.1, -3.5, 12.25, 12.0, -40.0]
    with mpmath.workdps(50):
        total = mpmath.fsum(mpmath.exp(v) for v in x)
        exact = [float(mpmath.exp(v) / total) for v in x]

    np.testing.assert_allclose(softmax(x), exact, rtol=(np.ptp(x) + len(x) + 4) * EPS)


def violates_row_independence(function):
    def violated(x):
        return not np.allclose(function(x), np.stack([function(row) for row in x]), rtol=1e-12)

    return violated


def test_the_askers_softmax_fails_with_a_minimal_example():
    batches = hnp.arrays(
        np.float64, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.floats(-5, 5)
    )

    smallest = find(
        batches,
        violates_row_independence(matrix_softmax),
        settings=settings(database=None, derandomize=True, max_examples=200),
    )

    assert np.array_equal(smallest, [[0.0], [0.0]])
    assert not violates_row_independence(row_softmax)(smallest)
    assert np.allclose(matrix_softmax(np.zeros(3)), softmax(np.zeros(3)))
