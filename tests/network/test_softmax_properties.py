"""Softmax keeps its promises on any shape and axis; the asker's does not.

Tolerances, in units eps of the dtype for n classes whose logits span R: a shifted logit is rounded
by half a unit of at most R, exp and the division add one each, a sum of n terms at most n / 2. So a
probability is right to (R + n + 4) eps of itself, and a row sums to one within (n + 4) eps.
"""

import math

import numpy as np
import pytest
from hypothesis import example, find, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from network import log_softmax, softmax
from network.faulty_mlp import matrix_softmax

EPS = np.finfo(np.float64).eps
FUNCTIONS = pytest.mark.parametrize("function", [softmax, log_softmax])


def logits(limit=50.0, min_dims=1, max_dims=3):
    """Draw arrays of finite logits, every entry on its own."""
    return hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, max_side=5),
        elements=st.floats(-limit, limit, allow_subnormal=False),
        fill=st.nothing(),  # the default fill makes many batches of equal rows
    )


@st.composite
def with_axis(draw, arrays):
    x = draw(arrays)
    return x, draw(st.integers(-x.ndim, x.ndim - 1))


def rows_along(axis, x):
    """Return the vectors along ``axis`` as the rows of a matrix."""
    return np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])


@pytest.fixture(autouse=True, scope="module")
def _floating_point_errors_raise():
    with np.errstate(all="raise", under="ignore"):
        yield


@given(with_axis(logits(limit=1e308)))
@example((np.array([[1e308, -1e308], [0.0, 0.0]]), -1))
@example((np.array([3.0, 3.0, 3.0]), 0))
@example((np.array([[1e308, -1e308]]), 0))
def test_every_row_is_a_distribution_whatever_the_size_of_the_logits(case):
    x, axis = case

    p = softmax(x, axis)

    assert p.shape == x.shape
    assert np.all((p >= 0) & (p <= 1))
    for row in rows_along(axis, p):
        assert abs(math.fsum(row) - 1) <= (row.size + 4) * EPS


@FUNCTIONS
@given(with_axis(logits()))
def test_every_row_depends_only_on_its_own_logits(function, case):
    x, axis = case

    together = rows_along(axis, function(x, axis))
    alone = np.stack([function(row) for row in rows_along(axis, x)])

    tolerance = 2 * (x.shape[axis] + 8) * EPS  # the order of a sum may differ with the layout
    np.testing.assert_allclose(together, alone, rtol=tolerance, atol=tolerance)


@given(logits(min_dims=2, max_dims=2), st.data())
def test_rows_far_apart_do_not_wash_each_other_out(x, data):
    distance = data.draw(st.sampled_from([800.0, 1e6, 1e300]))
    far = x + distance * np.arange(len(x))[:, np.newaxis]

    together, alone = softmax(far), np.stack([softmax(row) for row in far])

    np.testing.assert_allclose(together, alone, rtol=2 * (x.shape[1] + 8) * EPS, atol=0)


@FUNCTIONS
@given(with_axis(logits()), st.integers(-(2**20), 2**20))
def test_a_shift_of_all_logits_changes_nothing(function, case, shift):
    x, axis = case
    grid = np.round(x * 8) / 8  # on this grid the shift itself is exact

    np.testing.assert_array_equal(function(grid + shift, axis), function(grid, axis))


@given(logits(limit=1e308, max_dims=1))
def test_larger_logits_have_larger_probabilities(x):
    order = np.argsort(x)

    p = softmax(x)[order]

    # two exponentials, each within one unit of its own
    assert np.all(p[1:] >= p[:-1] * (1 - 2 * EPS))


@given(st.floats(-1e308, 1e308), st.integers(1, 9))
def test_tied_logits_share_equally(level, n):
    np.testing.assert_allclose(softmax(np.full(n, level)), 1 / n, rtol=4 * EPS)


@given(logits(max_dims=1))
def test_ratios_of_probabilities_are_exponentials_of_differences(x):
    log_ratio = np.log(softmax(x) / softmax(x)[0])

    tolerance = 2 * (np.ptp(x) + x.size + 4) * EPS
    np.testing.assert_allclose(log_ratio, x - x[0], rtol=0, atol=tolerance)


@given(logits(), st.data())
def test_a_masked_logit_has_probability_zero_and_leaves_the_others_as_without_it(x, data):
    row = np.append(x.reshape(-1), 0.0)
    masked = data.draw(hnp.arrays(bool, row.shape).filter(lambda m: not m.all()))

    p = softmax(np.where(masked, -np.inf, row))
    log_p = log_softmax(np.where(masked, -np.inf, row))

    tolerance = 2 * (row.size + 8) * EPS
    assert np.all(p[masked] == 0)
    assert np.all(log_p[masked] == -np.inf)
    np.testing.assert_allclose(p[~masked], softmax(row[~masked]), rtol=tolerance)
    np.testing.assert_allclose(
        log_p[~masked], log_softmax(row[~masked]), rtol=tolerance, atol=tolerance
    )


@given(with_axis(logits(limit=1e3)))
def test_log_softmax_is_the_logarithm_and_stays_finite_where_softmax_underflows(case):
    x, axis = case

    log_p = log_softmax(x, axis)

    assert np.all(np.isfinite(log_p))
    p = softmax(x, axis)
    normal = p > np.finfo(np.float64).tiny
    bound = (np.ptp(x) + x.shape[axis] + 4) * EPS
    assert np.all(np.abs(np.log(p[normal]) - log_p[normal]) <= 2 * bound)


@FUNCTIONS
@given(logits(min_dims=2, max_dims=2), st.sampled_from([np.nan, np.inf]))
def test_what_is_not_finite_stays_in_its_row(function, x, value):
    spoiled = x.copy()
    spoiled[0, 0] = value

    result = function(spoiled)

    assert np.isnan(result[0]).all()
    np.testing.assert_array_equal(result[1:], function(x)[1:])


@FUNCTIONS
def test_a_row_of_nothing_but_minus_infinity_is_nan_and_no_distribution(function):
    result = function(np.array([[-np.inf, -np.inf], [0.0, 0.0]]))

    assert np.isnan(result[0]).all()
    np.testing.assert_array_equal(result[1], function(np.zeros(2)))


@FUNCTIONS
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtype_and_input_are_kept(function, dtype):
    x = np.array([[1, 2, 3], [4, 5, 600]], dtype)
    before = x.copy()
    x.flags.writeable = False

    result = function(x)

    assert result.dtype == dtype
    assert not np.shares_memory(result, x)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_lower_precision_is_as_right_as_its_digits_allow(dtype):
    x = np.random.default_rng(0).normal(scale=3, size=(20, 300)).astype(dtype)
    exact = softmax(x.astype(np.float64))

    # summed in float32 at least, and then rounded once; below tiny there are fewer digits
    limits = np.finfo(dtype)
    allowed = (np.ptp(x) + 300 + 4) * np.finfo(np.float32).eps + limits.eps
    np.testing.assert_allclose(softmax(x), exact, rtol=float(allowed), atol=float(limits.tiny))


@FUNCTIONS
def test_integers_become_float64_and_other_dtypes_are_refused(function):
    assert function(np.array([1, 2])).dtype == np.float64
    assert function([1, 2]).dtype == np.float64
    for bad in (np.array([True]), np.array([1j]), np.array(["a"]), np.array([None])):
        with pytest.raises(TypeError, match="dtype"):
            function(bad)


@FUNCTIONS
@pytest.mark.parametrize(
    "layout",
    [np.asfortranarray, lambda x: np.repeat(x, 2, axis=1)[:, ::2], lambda x: x[::-1][::-1]],
    ids=["fortran", "strided", "reversed"],
)
def test_memory_layout_does_not_matter(function, layout):
    x = np.random.default_rng(0).normal(size=(5, 7))

    tolerance = 2 * (7 + 8) * EPS
    np.testing.assert_allclose(function(layout(x)), function(x), rtol=tolerance, atol=tolerance)


@FUNCTIONS
@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0,)])
def test_empty_arrays_stay_empty(function, shape):
    assert function(np.empty(shape)).shape == shape


@FUNCTIONS
def test_bad_axes_are_named(function):
    with pytest.raises(ValueError, match="axis=2"):
        function(np.ones((2, 2)), axis=2)
    with pytest.raises(ValueError, match="single number"):
        function(np.float64(1.0))
    with pytest.raises(TypeError, match="integer"):
        function(np.ones((2, 2)), axis=None)


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
    assert not violates_row_independence(softmax)(smallest)


def test_the_askers_softmax_is_right_for_a_single_row():
    x = np.array([1.0, -2.0, 0.5])

    np.testing.assert_allclose(matrix_softmax(x), softmax(x), rtol=2 * (3 + 8) * EPS)
