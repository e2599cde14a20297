"""The examples run and show what they promise."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"


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
