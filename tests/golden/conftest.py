"""The option that writes the golden files, and the comparison with them."""

import pytest

from tests.golden.golden_files import compare, recording


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files instead of comparing"
    )


@pytest.fixture
def golden(request):
    """Compare a structure with the golden file of a scenario, or write it."""
    update = request.config.getoption("--update-golden", default=False)
    return lambda scenario, structure: compare(scenario, structure, update=update)


@pytest.fixture
def reports(monkeypatch):
    """The list of all reports that are made while the test runs, in order."""
    return recording(monkeypatch)
