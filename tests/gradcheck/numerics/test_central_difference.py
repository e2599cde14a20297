"""Central differences with one step: their error is the one that is stated."""

import numpy as np

from gradcheck.numerics.central_difference import STEP, central_difference, central_jacobian


def test_a_slope_is_off_by_a_sixth_of_the_third_derivative_at_most():
    for step in (1e-2, 1e-3):
        error = abs(central_difference(lambda t: float(np.exp(t)), step) - 1)

        assert 0 < error <= step**2 / 6 * np.exp(step)


def test_a_jacobian_has_the_shapes_of_output_and_input():
    matrix = np.arange(6.0).reshape(2, 3)

    jacobian = central_jacobian(lambda x: matrix @ x, np.ones((3, 4)))

    assert jacobian.shape == (2, 4, 3, 4)
    expected = np.einsum("ik,jl->ijkl", matrix, np.eye(4))
    np.testing.assert_allclose(jacobian, expected, atol=20 * np.finfo(float).eps / STEP)
