"""Every bug has a page, and the code on it has that bug."""

from __future__ import annotations

import ast
import re

import pytest

from gradcheck.explain.broken_promises import BREACHES
from scripts import bug_pages
from tests.support import ROOT

PAGES = {page.code: page for page in bug_pages.pages()}
MAKERS = {"Part", "Prediction", "Explanation", "Factor"}


def codes_in(path):
    """Codes that a module of the explanations can give: first arguments, and tables of them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MAKERS:
            yield from (n.value for n in node.args[:1] if isinstance(n, ast.Constant))
        if isinstance(node, ast.Tuple) and node.elts and isinstance(node.elts[0], ast.Constant):
            yield node.elts[0].value


def known_codes():
    modules = [*(ROOT / "gradcheck" / "explain").glob("*.py"), ROOT / "gradcheck" / "update.py"]
    found = {code for module in modules for code in codes_in(module)}
    return {c for c in found if isinstance(c, str) and re.fullmatch(r"[a-z]+(_[a-z]+)+", c)}


def test_no_bug_is_without_a_page():
    assert known_codes() <= set(PAGES)


def test_no_promise_is_without_a_page():
    promises = bug_pages.run(PAGES["sign_flipped"].right).contract

    assert {BREACHES[name][0] if name in BREACHES else name for name in promises} <= set(PAGES)


def test_index_lists_every_page_once():
    index = (bug_pages.FOLDER / "README.md").read_text()

    assert sorted(re.findall(r"\]\((\w+)\.md\)", index)) == sorted(PAGES)


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
