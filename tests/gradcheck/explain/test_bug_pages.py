"""Every bug has a page, and the change on it mends its code, whose report is a golden file."""

from __future__ import annotations

import re

import pytest

from gradcheck.explain.broken_promises import BREACHES
from gradcheck.explain.catalogue import Bug
from scripts import bug_pages
from tests.support import ROOT

PAGES = {page.code: page for page in bug_pages.pages()}


@pytest.fixture(scope="module")
def flipped():
    """The report of the page of a flipped sign."""
    return bug_pages.run(PAGES["sign_flipped"].wrong)


def test_every_bug_of_the_catalogue_has_its_page():
    assert set(Bug) == set(PAGES)


def test_index_and_heads_of_the_pages_are_those_of_the_catalogue():
    assert (bug_pages.FOLDER / "README.md").read_text() == bug_pages.index()
    for page in PAGES.values():
        text = page.path.read_text()
        assert text == bug_pages.with_head(text, page.code), page.code


def test_no_promise_is_without_a_page():
    promises = bug_pages.run(PAGES["sign_flipped"].right).contract

    assert {BREACHES[name][0] if name in BREACHES else name for name in promises} <= set(PAGES)


def test_links_and_pictures_of_the_pages_exist():
    for page in PAGES.values():
        text = (bug_pages.FOLDER / f"{page.code}.md").read_text()
        targets = re.findall(r"\]\(([^)]+)\)", text)

        assert len(targets) >= 3
        assert all((bug_pages.FOLDER / target).exists() for target in targets), page.code


@pytest.mark.parametrize("code", PAGES)
def test_change_on_the_page_mends_it(code):
    page = PAGES[code]

    report = bug_pages.run(page.right)

    assert page.right != page.wrong
    assert report.ok, str(report)


def test_report_tells_the_page_after_the_lines_that_matter_most(flipped):
    page = flipped.explanations[0].page

    lines = str(flipped).splitlines()
    assert (ROOT / page).samefile(bug_pages.FOLDER / "sign_flipped.md")
    assert not any(page in line for line in lines[:5])
    assert any(page in line for line in lines)
    assert page in flipped._repr_html_()
    assert flipped.to_dict()["explanations"][0]["page"] == page


def test_page_of_a_site_is_a_link(flipped, monkeypatch):
    monkeypatch.setattr("gradcheck.report.data.DOCUMENTATION", "https://example.org")

    fragment = flipped._repr_html_()

    assert '<a href="https://example.org/bugs/sign_flipped.md">' in fragment
