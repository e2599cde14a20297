"""What the tests of the network share."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def differenced():
    """Return a function for the derivative of ``objective()`` with respect to an array it reads."""
    # central difference: error h^2 / 6 f''' + eps / h |f|, some 1e-10 for numbers around one
    h = 1e-5

    def derivative(objective, at):
        slopes = np.empty_like(at)
        for index in np.ndindex(at.shape):
            value = at[index]
            at[index] = value + h
            above = objective()
            at[index] = value - h
            below = objective()
            at[index] = value
            slopes[index] = (above - below) / (2 * h)
        return slopes

    return derivative
