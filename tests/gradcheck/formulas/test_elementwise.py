"""The table of elementary functions and activations: derivatives, ranges and kinks are theirs."""

import numpy as np
import pytest
from scipy import special

import gradcheck
from gradcheck.formulas.elementwise import ACTIVATIONS, ELEMENTARY

FUNCTIONS = {**ELEMENTARY, **ACTIVATIONS}
# Inside the domain of every function; half of them negative where it allows that.
POSITIVE = np.array([0.0625, 0.3, 0.55, 0.9])
POINTS = np.concatenate([-POSITIVE, POSITIVE])
ONLY_POSITIVE = ("log", "log2", "log10", "sqrt")


def _points(name):
    return POSITIVE if name in ONLY_POSITIVE else POINTS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_derivative_is_that_of_the_value(name):
    function = FUNCTIONS[name]

    for x in _points(name):
        numerical = gradcheck.derivative(lambda t: float(function.value(np.array(t))), float(x))
        slopes = [function.derivative(np.array(x)), function.slope(x, function.value(np.array(x)))]

        np.testing.assert_allclose(slopes, numerical.value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_a_number_however_far_out(name):
    function, x = FUNCTIONS[name], np.array([-1e300, -1e3, -50, 50, 1e3, 1e300])

    with np.errstate(under="ignore"):
        assert np.isfinite(function.value(x)).all()
        assert np.isfinite(function.derivative(x)).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_value_leaves_the_range(name):
    low, high = FUNCTIONS[name].range
    values = FUNCTIONS[name].value(_points(name))

    assert np.all(low <= values)
    assert np.all(values <= high)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_kinks_are_where_the_sides_differ(name):
    function = FUNCTIONS[name]

    if name not in (*ONLY_POSITIVE, "reciprocal", "cbrt"):
        kink = gradcheck.derivative(lambda t: float(function.value(np.array(t)))).kink
        assert (kink is not None) == (0 in function.kinks)


@pytest.mark.parametrize("name", ELEMENTARY)
def test_names_are_those_of_numpy_and_scipy(name):
    known = getattr(np, name, None) or getattr(special, name)

    np.testing.assert_array_equal(ELEMENTARY[name].value(POSITIVE), known(POSITIVE))
