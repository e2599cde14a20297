"""Every picture of the docs but those of bugs and of the demonstration, by what is drawn in it."""

import re

import pytest

from scripts import diagnostics_page, investigate_page, question_pictures
from tests.golden.structures import masked, of_figure, of_finding
from tests.support import ROOT

PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def question():
    """The script of the pictures of the question, on few samples and epochs."""
    script = question_pictures
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(script, "EPOCHS", 2)
        patch.setattr(script, "TRAIN", tuple(each[:300] for each in script.TRAIN))
        patch.setattr(script, "VALIDATION", tuple(each[:100] for each in script.VALIDATION))
        yield script


def test_pictures_of_the_question(question, golden):
    golden("pictures/question", {name: of_figure(figure) for name, figure in question.figures()})


def test_pictures_of_the_diagnostics(golden):
    figures = diagnostics_page.figures()

    golden("pictures/diagnostics", {name: of_figure(drawn) for name, drawn in figures})


def test_pictures_of_the_investigations(golden):
    page = masked(investigate_page.PAGE.read_text(encoding="utf-8"))

    examples = list(investigate_page.examples())

    golden(
        "pictures/investigate",
        {
            name: {
                "fault": fault,
                "findings": [of_finding(finding) for finding in report.findings],
                "picture": of_figure(report.figure()),
            }
            for name, fault, report in examples
        },
    )
    for name, fault, report in examples:
        said = f"The fault: {fault}. ```text {masked(report.paragraph)} ```"
        assert said in page, f"{name}: run python -m scripts.investigate_page"


def test_captions_of_the_question_are_written_where_the_picture_stands(question):
    pages = [path.read_text(encoding="utf-8") for path in question.PAGES]

    for page in pages:
        written = question.captioned(page, "new (one) caption")
        assert written.count("![new (one) caption](") == 1
        assert PICTURE.findall(written) == PICTURE.findall(page)


def test_every_picture_of_the_pages_is_drawn_here(golden):
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    shown = {
        (page.parent / target).relative_to(ROOT).as_posix()
        for page in pages
        for target in PICTURE.findall(page.read_text(encoding="utf-8"))
    }
    missing = [path for path in shown if not (ROOT / path).is_file()]
    drawn = {path for ending in ("png", "svg") for path in (ROOT / "docs").rglob(f"*.{ending}")}
    unused = {path.relative_to(ROOT).as_posix() for path in drawn} - shown

    assert not missing
    assert not unused
    golden("pictures/shown", sorted(path for path in shown if "/bugs/" not in path))
