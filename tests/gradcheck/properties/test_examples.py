"""The examples run and show what they promise."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys

import pytest

from tests.support import ROOT

EXAMPLES = ROOT / "examples"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("properties_softmax", "over the whole array"),
        ("properties_loss", "a vector has another loss"),
    ],
)
def test_example_shows_the_bug(name, shown, capsys):
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")

    assert shown in capsys.readouterr().out


def test_example_of_a_test_module_passes():
    module = str(EXAMPLES / "properties_pytest.py")
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", module]

    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert "1 xfailed" in result.stdout, result.stdout
    assert result.returncode == 0
