"""Every page of docs/bugs: what is said of its code, and the picture of it."""

import pytest

from gradcheck.report.plots.figure import to_figure
from tests.golden.golden_files import load_script
from tests.golden.structures import masked, of_check, of_figure

SCRIPT = load_script("bug_pages")
PAGES = {page.code: page for page in SCRIPT.pages()}


@pytest.mark.parametrize("code", PAGES)
def test_page_shows_what_is_said_of_its_code(code, golden):
    page = PAGES[code]

    report = SCRIPT.run(page.wrong, "layer.py")

    assert masked(SCRIPT.shown(page)) == masked(SCRIPT.story(report)), (
        f"run python scripts/bug_pages.py {code}"
    )
    golden(f"bugs/{code}", of_check(report) | {"picture": of_figure(to_figure(report))})
