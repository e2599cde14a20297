"""Every script of examples/: the reports it makes, in order."""

import runpy

import pytest

from tests.golden.structures import of_report
from tests.support import ROOT

EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "properties_pytest"])
def test_example_makes_the_reports_of_its_golden_file(name, golden, reports, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name="example")["main"]()

    assert reports
    golden(f"examples/{name}", [of_report(report) for report in reports])
