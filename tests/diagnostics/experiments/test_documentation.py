"""The page on investigations says what the experiments do."""

import re

from diagnostics.experiments import CHECKS
from diagnostics.experiments.plots.picture import DECIDED
from scripts import investigate_page as script
from tests.support import ROOT

PAGE = ROOT / "docs" / "investigate.md"


def test_tables_of_experiments_are_current():
    text = PAGE.read_text(encoding="utf-8")

    assert script.filled(text, script.TABLES) == text, "run python -m scripts.investigate_page"


def test_every_experiment_states_when_it_finds_nothing():
    assert set(script.FALSE_ALARMS) == {check.name for check in CHECKS}


def test_findings_that_are_drawn_are_findings_of_the_table():
    assert set(DECIDED) <= set(re.findall(r"`(\w+)`", script.experiments()))


def test_pictures_of_the_page_exist():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8"))

    assert len(pictures) >= 6
    assert all((PAGE.parent / picture).is_file() for picture in pictures)
