"""Every page of docs/bugs: the bug that its code has, what is shown of it, and the picture."""

import pytest

from gradcheck.report.plots.figure import to_figure
from scripts import bug_pages
from tests.golden.structures import masked, of_check, of_figure

PAGES = {page.code: page for page in bug_pages.pages()}


@pytest.mark.parametrize("code", PAGES)
def test_page_shows_the_report_of_its_code(code, golden):
    page = PAGES[code]

    report = bug_pages.run(page.wrong, "layer.py")

    assert code in [explanation.code for explanation in report.explanations], str(report)
    assert masked(bug_pages.shown(page)) == masked(bug_pages.summary(report)), (
        f"run python -m scripts.bug_pages {code}"
    )
    golden(f"bugs/{code}", of_check(report) | {"picture": of_figure(to_figure(report))})
