"""Every block of the page for those who come from other tools is run, and its check passes."""

import pytest

from tests.support.page_blocks import blocks, imports, run

HERE = {"numpy", "scipy", "gradcheck"}
BLOCKS = [
    pytest.param(
        block,
        id=f"{heading}-{number}",
        marks=[] if imports(block) <= HERE else [pytest.mark.integration],
    )
    for heading, number, block in blocks("coming_from.md")
]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_block_passes(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # OpenMDAO writes a folder of reports

    for package in imports(block) - HERE:
        pytest.importorskip(package, reason="the extra `integrations` is not installed")

    report = run(block, "page.py").get("report")

    assert report is None or report.ok, str(report)
