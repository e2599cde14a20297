"""What the tests of the network share."""

import sys
from pathlib import Path

import numpy as np
import pytest

# What the test modules here share lies beside them; importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent))


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
