"""The files of the page on kernels are written and run by pytest, in Triton's interpreter."""

import re

import pytest

from tests.support import ROOT
from tests.support.kernel_page import TESTS, run, write

pytest.importorskip("torch", reason="the extra `integrations` is not installed")
pytest.importorskip("triton", reason="the extra `integrations` brings Triton on Linux alone")
pytestmark = pytest.mark.integration


@pytest.mark.parametrize("file", TESTS)
def test_tests_of_the_page_pass(file, tmp_path):
    write(tmp_path)

    status, output = run(tmp_path, file, interpret=True)

    assert status == 0, output


def test_page_shows_the_report_that_is_printed(tmp_path):
    page = (ROOT / "docs" / "custom_kernels.md").read_text(encoding="utf-8")
    shown = re.search(r"It prints\n\n```text\n(.*?)```", page, re.DOTALL)[1]
    write(tmp_path)

    _, output = run(tmp_path, "test_forgotten_upstream.py", interpret=True)

    assert words(shown) in words(output)


def words(text):
    """Return a text without its numbers, whose last digits depend on the machine."""
    return " ".join(re.sub(r"-?\d[\d.e+-]*", "#", text).split())
