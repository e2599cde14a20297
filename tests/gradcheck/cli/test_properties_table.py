"""The suite in a shell: rows as they come, on a terminal and in a pipe, narrow and wide."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest
from rich.console import Console
from typer.testing import CliRunner

from gradcheck.cli.loading import LoadingError
from gradcheck.cli.main import app
from gradcheck.cli.properties_table import parse_options, run_in_shell

MODULE = """
import numpy as np


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def columns(x):
    e = np.exp(x - np.max(x, axis=0, keepdims=True))
    return e / np.sum(e, axis=0, keepdims=True)


class Dense:
    def __init__(self):
        self.W, self.b = np.ones((3, 2)), np.zeros(2)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        self.dW, self.db = self.x.T @ g, g.sum(axis=0)
        return g @ self.W.T


dense = Dense()
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    (tmp_path / "shellmodule.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("shellmodule", None)


# One of every status, with short and long sentences.
NAMES = [
    "order_kept",
    "rows_sum_to_one",
    "cooling_sharpens",
    "agrees_with_log_softmax",
    "leading_axes_are_batches",
    "empty_batch_stays_empty",
]


def shown(width, terminal, only=NAMES):
    screen = io.StringIO()
    console = Console(file=screen, width=width, force_terminal=terminal, legacy_windows=False)
    report = run_in_shell("softmax", "shellmodule:softmax", console, examples=10, only=only)
    return report, screen.getvalue()


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


@pytest.mark.parametrize("width", [60, 120])
def test_terminal_shows_a_row_per_property_within_its_width(width):
    report, text = shown(width, True)
    lines = plain(text).replace("\r", "\n").splitlines()
    code = {line for r in report.results for line in r.counterexample.splitlines()}

    assert "\x1b[" in text
    assert {r.status for r in report.results} == {"passed", "failed", "errored", "skipped"}
    for name in NAMES:
        assert any(re.search(rf"(passed|failed|errored|skipped) +{name}\b", line) for line in lines)
    for line in lines:
        assert len(line) <= width or line.strip() in code or line.startswith("rerun: "), line


def test_pipe_gets_plain_lines_that_are_not_wrapped():
    report, text = shown(60, False)

    assert "\x1b" not in text
    assert "\r" not in text
    for result in report.results:
        assert re.search(rf"{result.status} +{result.name} ", text)
        if result.headline:
            assert re.search(rf"{result.name} +{re.escape(result.headline)}", text)


def test_counterexample_is_shown_once_per_cause_and_can_be_pasted():
    report, text = shown(60, True, only=["rows_sum_to_one", "each_row_as_if_alone"])

    for line in report["rows_sum_to_one"].counterexample.splitlines():
        assert line in plain(text)
    assert plain(text).count("import numpy as np") == 1
    assert "same for  each_row_as_if_alone" in plain(text)


def test_row_stands_there_before_the_next_property_is_tried(monkeypatch):
    import shellmodule

    screen, before_call = io.StringIO(), []
    right = shellmodule.softmax

    def watched(x):
        before_call.append(screen.getvalue())
        return right(x)

    monkeypatch.setattr(shellmodule, "softmax", watched)
    run_in_shell(
        "softmax",
        "shellmodule:softmax",
        Console(file=screen, width=100),
        only=["rows_sum_to_one", "order_kept"],
    )

    first_row = "failed   rows_sum_to_one"
    assert any(first_row in text and "order_kept" not in text for text in before_call)


def cli(*arguments):
    return CliRunner().invoke(app, ["properties", *map(str, arguments)])


def test_exit_status_tells_what_was_found():
    names = ["--only", "rows_sum_to_one", "--profile", "dev"]

    assert cli("softmax", "scipy.special:softmax", *names).exit_code == 0
    assert cli("softmax", "shellmodule:softmax", *names).exit_code == 1
    assert cli("softmax", "shellmodule:nothing", *names).exit_code == 2
    assert cli("softmax", "shellmodule:softmax", "--profile", "quick").exit_code == 2


def test_printed_command_finds_the_same_again():
    names = ["--only", "rows_sum_to_one"]
    first = cli("softmax", "shellmodule:softmax", "--profile", "dev", *names).output
    command = first.splitlines()[-1].removeprefix("rerun: gradcheck properties ").split()

    assert cli(*command, *names).output == first


def test_options_of_the_suite_can_be_typed():
    assert (
        cli("softmax", "shellmodule:columns", "--option", "axis=0", "--examples", 5).exit_code == 0
    )
    layer = cli("layer", "shellmodule:dense", "--option", "x=4,3", "--examples", 5)
    assert layer.exit_code == 0, layer.output
    assert "x=32,784" in cli("layer", "shellmodule:dense").output


def test_typed_options_become_python():
    import shellmodule

    options = parse_options(
        ["axis=0", "ndims=(2, 3)", "kind=binary", "backward=shellmodule:columns", "x=4,3"]
    )

    assert options.pop("x").shape == (4, 3)
    assert options == {
        "axis": 0,
        "ndims": (2, 3),
        "kind": "binary",
        "backward": shellmodule.columns,
    }
    with pytest.raises(LoadingError, match="expected name=value"):
        parse_options(["axis"])


@pytest.mark.parametrize("ending", ["json", "txt"])
def test_report_is_written(ending, tmp_path):
    names = ["--only", "rows_sum_to_one", "--examples", 5]
    cli("softmax", "shellmodule:softmax", *names, "--output", tmp_path / f"r.{ending}")

    assert "rows_sum_to_one" in (tmp_path / f"r.{ending}").read_text(encoding="utf-8")


def test_running_in_python_loads_no_rich():
    code = (
        "import sys\nfrom scipy.special import softmax\n"
        "from gradcheck.properties import run_properties\n"
        "print(run_properties('softmax', softmax, only=['rows_sum_to_one'], examples=1).ok)\n"
        "assert 'rich' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
