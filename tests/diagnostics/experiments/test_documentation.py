"""The page on investigations says what the experiments do."""

import importlib.util
import re

import pytest

from diagnostics.experiments import CHECKS
from diagnostics.experiments.plots.picture import DECIDED
from tests.support import ROOT

PAGE = ROOT / "docs" / "investigate.md"


@pytest.fixture(scope="module")
def script():
    path = ROOT / "scripts" / "investigate_page.py"
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_tables_of_experiments_are_current(script):
    text = PAGE.read_text(encoding="utf-8")

    assert script.filled(text, script.TABLES) == text, "run python scripts/investigate_page.py"


def test_every_experiment_says_why_it_is_silent(script):
    assert set(script.FALSE_ALARMS) == {check.name for check in CHECKS}


def test_findings_that_are_drawn_are_findings_of_the_table(script):
    assert set(DECIDED) <= set(re.findall(r"`(\w+)`", script.experiments()))


def test_pictures_of_the_page_exist():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8"))

    assert len(pictures) >= 6
    assert all((PAGE.parent / picture).is_file() for picture in pictures)
