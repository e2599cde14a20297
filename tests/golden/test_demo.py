"""The demonstration end to end, its picture, and the captions of the picture on the pages."""

import re

from typer.testing import CliRunner

from gradcheck.cli.main import app
from gradcheck.demo import run as demo
from tests.golden.structures import masked, of_figure, of_finding
from tests.support import ROOT

CAPTION = re.compile(r"!\[([^\]]*)\]\([\w/]*question\.png\)")
# What the page quotes of the tools: a label at the margin, its text behind it and indented below.
QUOTED = re.compile(r"^(?:what|evidence|change)  +(.*(?:\n  +.*)*)", re.MULTILINE)
SECONDS = re.compile(r"\(\d+\.\d s\)")


def test_the_demonstration_is_as_the_pages_show_it(golden, tmp_path, monkeypatch):
    drawn = []
    draw = demo.draw

    def recorded(asked, corrected):
        figure = draw(asked, corrected)
        drawn.append((asked, corrected, figure))
        return figure

    monkeypatch.setattr(demo, "draw", recorded)

    result = CliRunner().invoke(app, ["demo", "-o", str(tmp_path)])

    (asked, corrected, figure), lines = drawn[0], result.output.splitlines()
    begin = lines.index("4 faults, each found by measurement")
    golden(
        "demo",
        {
            "exit status": result.exit_code,
            "before the faults": [masked(SECONDS.sub("", line)) for line in lines[:begin] if line],
            "a line for each fault": lines[begin : begin + 5],
            "faults": [{"codes": f.title, "place": f.place} for f in asked.faults],
            "step": [[e.code, e.tensor] for e in asked.update.explanations],
            "diagnosis": [of_finding(f) for f in asked.diagnosis.findings],
            "corrected": {
                "faults": [f.title for f in corrected.faults],
                "diagnosis": [of_finding(f) for f in corrected.diagnosis.findings],
            },
            "caption": demo.caption(asked),
            "picture": of_figure(figure),
            "written": sorted(path.name for path in tmp_path.iterdir()),
        },
    )
    assert all(len(line) <= demo.WIDTH for line in lines[begin + 1 : begin + 5])
    assert any("nothing found" in line for line in lines)
    assert (tmp_path / "question.png").read_bytes().startswith(b"\x89PNG")
    written = (tmp_path / "question.html").read_text(encoding="utf-8")
    assert "gradient_of_other_loss" in written
    assert 'src="data:image/png;base64,' in written
    assert "http" not in written.replace("http://www.w3.org", "")
    page = (ROOT / "docs" / "question.md").read_text(encoding="utf-8")
    rows = [masked(text) for fault in asked.faults for _, text in fault.rows()]
    quoted = [masked(text) for text in QUOTED.findall(page)]
    assert len(quoted) >= 10
    assert not [text for text in quoted if not any(text in row for row in rows)]
    captions = {
        page: CAPTION.findall((ROOT / page).read_text(encoding="utf-8"))
        for page in ("README.md", "docs/question.md")
    }
    assert set(map(tuple, captions.values())) == {(demo.caption(asked),)}, "draw the picture anew"
