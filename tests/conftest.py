"""BLAS held to one thread, Hypothesis profiles, generators that draw the same in every order."""

import os

import numpy as np
import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

from gradcheck.isolation.worker_process import set_worker

# Small matrices on few cores: threads inside BLAS cost more than they give, and where other work
# holds the cores they wait for one another without end. The environment reaches the processes that
# the tests and pytest-xdist start; the limit, the libraries that are loaded here already.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
threadpool_limits(int(os.environ["OPENBLAS_NUM_THREADS"]), user_api="blas")

settings.register_profile("dev", derandomize=True, deadline=None, database=None, max_examples=25)
settings.register_profile("ci", derandomize=True, deadline=None, database=None, max_examples=100)
settings.register_profile(
    "thorough", derandomize=True, deadline=None, database=None, max_examples=2000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_configure(config):
    """Explain in the process of the tests where lines are counted: those of forks are lost."""
    if config.getoption("cov_source", None):
        set_worker(may_fork=False)


STATES = {}


@pytest.fixture(autouse=True)
def _generators_as_imported(request):
    """Put the random generators of the test's module back to where its import left them."""
    for value in vars(request.module).values():
        if isinstance(value, np.random.Generator):
            state = STATES.setdefault(id(value), value.bit_generator.state)
            value.bit_generator.state = state
