"""The report as a page: whole, self-contained, safe."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from gradcheck.report.data import Explanation
from gradcheck.report.html import to_fragment, to_html
from gradcheck.report.tables import tables
from tests.support import reports as r


class Page(HTMLParser):
    """The tags, the text and the cells of a page; unbalanced tags are an error."""

    VOID = frozenset({"meta", "img"})

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.text, self.cells = [], [], "", []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if "td" in self.open:
            self.cells[-1] += data


@pytest.mark.parametrize("name", ["passing", "undecided", "nothing checked", "broken promise"])
def test_page_is_well_formed_and_tells_the_verdict(name):
    report = r.every()[name]

    page = Page(to_html(report))

    assert ("html", {"lang": "en"}) in page.tags
    assert ("section", {"class": f"story {report.verdict}"}) in page.tags
    assert report.target in page.text


def test_page_tells_the_story_of_the_text():
    text = Page(to_html(r.failing())).text

    for words in (r.SUMMED.message, r.SUMMED.fix, r.SUMMED.evidence, "98 % sure"):
        assert words in text
    assert "batch_independent does not hold: sample 2 alone differs" in text


@pytest.mark.parametrize("name", ["network", "passing"])
def test_page_has_the_tables_of_the_text(name):
    report = r.every()[name]

    cells = [cell for table in tables(report) for row in table.rows for cell in row]

    assert Page(to_html(report)).cells == cells


@pytest.mark.parametrize("render", [to_html, to_fragment])
def test_page_needs_no_network_and_no_script(render):
    page = Page(render(r.failing()))

    sources = [value for _, found in page.tags for key, value in found.items() if key == "src"]
    assert len(sources) == 1
    assert sources[0].startswith("data:image/png;base64,")
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}
    assert not re.search(r"https?:|@import|url\(", render(r.failing()))


@pytest.mark.parametrize("render", [to_html, to_fragment])
def test_names_and_sentences_are_escaped(render):
    evil = "<script>alert('W')</script>"
    tensor = r.wrong_tensor(evil, np.ones(2), np.zeros(2), notes=(evil,))
    explanation = Explanation(evil, (evil,), 0.9, evil, evil, evil)
    part = replace(r.failing_with(tensor), explanations=(explanation,), target=evil, notes=(evil,))
    report = replace(r.network(), target=evil, parts={evil: part})

    page = render(report)

    assert "<script" not in page
    assert evil in Page(page).text


def test_page_follows_the_readers_colour_scheme():
    assert "prefers-color-scheme: dark" in to_html(r.passing())


def test_notebook_gets_a_fragment_whose_style_stays_its_own():
    fragment = r.passing()._repr_html_()

    assert "<html" not in fragment
    style = re.search(r"<style>(.*)</style>", fragment, re.DOTALL)[1]
    selectors = re.findall(r"^\s*([^\s{@}:][^{};]*)\{", style, re.MULTILINE)
    assert selectors
    assert all(selector.startswith(".gradcheck") for selector in selectors)


def test_fragment_shows_the_picture_only_where_something_is_wrong():
    assert "<img" in to_fragment(r.failing())
    assert "<img" not in to_fragment(r.passing())
