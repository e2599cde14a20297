"""Every bug has a page, and the code on it has that bug."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest

from gradcheck.explain.broken_promises import BREACHES
from gradcheck.explain.catalogue import Bug
from tests.support import ROOT


def load_script():
    specification = importlib.util.spec_from_file_location(
        "bug_pages", ROOT / "scripts" / "bug_pages.py"
    )
    module = importlib.util.module_from_spec(specification)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


bug_pages = load_script()
PAGES = {page.code: page for page in bug_pages.pages()}


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
def test_check_names_the_bug_of_the_page(code):
    report = bug_pages.run(PAGES[code].wrong)

    assert code in [explanation.code for explanation in report.explanations], str(report)


@pytest.mark.parametrize("code", PAGES)
def test_change_on_the_page_mends_it(code):
    page = PAGES[code]

    report = bug_pages.run(page.right)

    assert page.right != page.wrong
    assert report.ok, str(report)


def test_report_tells_the_page_after_the_lines_that_matter_most():
    report = bug_pages.run(PAGES["sign_flipped"].wrong)
    page = report.explanations[0].page

    lines = str(report).splitlines()
    assert (ROOT / page).samefile(bug_pages.FOLDER / "sign_flipped.md")
    assert not any(page in line for line in lines[:5])
    assert any(page in line for line in lines)
    assert page in report._repr_html_()
    assert report.to_dict()["explanations"][0]["page"] == page


def test_page_of_a_site_is_a_link(monkeypatch):
    monkeypatch.setattr("gradcheck.report.data.DOCUMENTATION", "https://example.org")

    fragment = bug_pages.run(PAGES["sign_flipped"].wrong)._repr_html_()

    assert '<a href="https://example.org/bugs/sign_flipped.md">' in fragment
