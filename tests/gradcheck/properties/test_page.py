"""The page of the properties says what the suites hold."""

from __future__ import annotations

from gradcheck.properties import SUITES, strategies, suite
from gradcheck.properties.loss.kinds import KINDS
from gradcheck.properties.loss.recognize import SHAPES
from gradcheck.properties.profile import PROFILES
from scripts import properties_page
from tests.support import ROOT


def test_page_is_what_the_suites_would_write_today():
    assert properties_page.PAGE.read_text(encoding="utf-8") == properties_page.write(), (
        "run python -m scripts.properties_page"
    )


def test_page_begins_with_the_three_ways_to_run_and_lists_every_property():
    page = (ROOT / "docs" / "properties.md").read_text(encoding="utf-8")
    start = page.partition("\n## ")[0]

    for way in ("@parametrize_with_properties(", "run_properties(", "gradcheck properties softmax"):
        assert way in start
    for name in SUITES:
        section = page.partition(f"## The suite `{name}`")[2].partition("\n## ")[0]
        assert all(f"| `{prop}`" in section for prop in suite(name).names)


def test_page_names_every_profile_kind_shape_and_strategy():
    page = (ROOT / "docs" / "properties.md").read_text(encoding="utf-8")

    for name, profile in PROFILES.items():
        assert f"| `{name}` | {profile.examples} |" in page
    assert all(f"`{name}`" in page for name in [*KINDS, *SHAPES, *strategies.__all__])
