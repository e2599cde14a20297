"""The page on diagnosing histories says what the code does."""

import re

from diagnostics import History
from diagnostics.rules import RULES
from scripts import diagnostics_page as script
from tests.support import ROOT

PAGE = ROOT / "docs" / "diagnostics.md"


def test_generated_parts_of_the_page_are_current():
    text = PAGE.read_text(encoding="utf-8")

    assert script.filled(text) == text, "run python -m scripts.diagnostics_page"


def test_every_finding_is_listed():
    assert {rule.code for rule in RULES} == set(re.findall(r"^\| `(\w+)`", script.findings(), re.M))


def test_pictures_of_the_page_exist():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8"))

    assert len(pictures) >= 4
    assert all((PAGE.parent / picture).is_file() for picture in pictures)


def test_shown_output_is_what_is_printed(tmp_path):
    from diagnostics.cli import how_read

    path = tmp_path / "log.csv"
    path.write_text("epoch,loss,val_loss,time\n0,2,2,4:01\n1,oops,2,4:02\n2,1,1,4:03\n")

    assert "\n".join(how_read(History.read(path))) in PAGE.read_text(encoding="utf-8")
