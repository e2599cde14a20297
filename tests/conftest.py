"""Hypothesis profiles, and generators that draw the same in every order of the tests."""

import os

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("dev", derandomize=True, deadline=None, database=None, max_examples=25)
settings.register_profile("ci", derandomize=True, deadline=None, database=None, max_examples=100)
settings.register_profile(
    "thorough", derandomize=True, deadline=None, database=None, max_examples=2000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

STATES = {}


@pytest.fixture(autouse=True)
def _generators_as_imported(request):
    """Put the random generators of the test's module back to where its import left them."""
    for value in vars(request.module).values():
        if isinstance(value, np.random.Generator):
            state = STATES.setdefault(id(value), value.bit_generator.state)
            value.bit_generator.state = state
