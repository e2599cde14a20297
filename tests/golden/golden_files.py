"""Golden files: one a scenario, readable, rewritten by ``pytest tests/golden --update-golden``."""

import difflib
import json
from functools import wraps
from pathlib import Path

import diagnostics
import gradcheck
import gradcheck.properties

FOLDER = Path(__file__).with_name("expected")

# Where people get their reports from.
MAKERS = (
    (gradcheck, "check"),
    (gradcheck, "check_update"),
    (gradcheck, "hunt"),
    (gradcheck.properties, "run_properties"),
    (diagnostics, "diagnose"),
    (diagnostics, "investigate"),
)


def compare(scenario, structure, *, update):
    """Assert that a structure is that of the golden file, or write it there."""
    path = FOLDER / f"{scenario}.json"
    found = json.dumps(structure, indent=1, ensure_ascii=False) + "\n"
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8")
        return
    assert path.exists(), f"{path} is missing: run pytest tests/golden --update-golden"
    expected = path.read_text(encoding="utf-8")
    difference = difflib.unified_diff(
        expected.splitlines(), found.splitlines(), "golden file", "this run", lineterm="", n=4
    )
    assert found == expected, "\n".join(
        [
            f"{path.name} differs; where the change is meant: pytest tests/golden --update-golden",
            *difference,
        ]
    )


def recording(monkeypatch):
    """Collect what the makers of reports return from now on."""
    reports = []

    def recorded(make):
        @wraps(make)
        def made(*arguments, **options):
            report = make(*arguments, **options)
            reports.append(report)
            return report

        return made

    for module, name in MAKERS:
        monkeypatch.setattr(module, name, recorded(getattr(module, name)))
    return reports
