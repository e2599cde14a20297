"""Every block of the README is run as it is printed, and gives what its golden file says."""

import importlib
import importlib.util
import inspect
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import gradcheck
import network
from gradcheck.cli.main import app
from gradcheck.properties import suite
from tests.golden.readme_blocks import blocks
from tests.golden.structures import masked, of_report
from tests.support import ROOT

HERE = Path(__file__).with_name("readme")
BLOCKS = blocks()
WORDS = dict(enumerate(["five", "six", "seven", "eight", "nine", "ten"], start=5)) | dict(
    enumerate(["fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"], start=15)
)
# Lines of pytest's summary: what is wrong, why, what to change, and how many checks there were.
CONCLUSION = re.compile(r" *(FAIL|change|cause)\b|\d+ checks?:")
# The end of one is that of the user's run, and the demonstration has a test of its own.
ENDLESS = "--watch"
NOT_HERE = "demo"


@pytest.fixture
def setting(monkeypatch, tmp_path):
    """The names that the examples take for granted, in a folder with the files they read."""
    monkeypatch.syspath_prepend(str(HERE))
    before = set(sys.modules)
    module = importlib.import_module("setting")
    module.write_history(tmp_path / "metrics.csv")
    (tmp_path / "model.py").write_bytes((HERE / "model.py").read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRADCHECK_PROFILE", "dev")  # few inputs show what fails
    yield module
    for name in set(sys.modules) - before:
        if str(HERE) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def numbered(*kinds):
    chosen = [(number, block) for number, block in enumerate(BLOCKS) if block.kind in kinds]
    return pytest.mark.parametrize(("number", "block"), chosen, ids=[f"{n}" for n, _ in chosen])


@numbered("python")
def test_python_makes_the_reports_of_its_golden_file(number, block, setting, reports, golden):
    names = vars(setting) | {"gradcheck": gradcheck}  # imported in the first block

    exec(compile(block.text, f"README block {number}", "exec"), names)

    assert reports
    golden(
        f"readme/block_{number:02}",
        {"block": block.text.splitlines(), "reports": [of_report(report) for report in reports]},
    )


@numbered("pytest")
def test_tests_end_as_in_their_golden_file(number, block, setting, golden, tmp_path):
    (tmp_path / "test_of_readme.py").write_text(f"from setting import *\n{block.text}")
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    lines = done.stdout.splitlines()
    begin = next(number for number, line in enumerate(lines) if "gradcheck" in line and "=" in line)
    end = next(number for number, line in enumerate(lines) if "short test summary" in line)
    golden(
        f"readme/block_{number:02}",
        {
            "block": block.text.splitlines(),
            "exit status": done.returncode,
            "counts": re.sub(r" in .*", "", lines[-1]),
            "failed": re.findall(r"^FAILED \S*::(\S+)", done.stdout, re.MULTILINE),
            "summary": [masked(line) for line in lines[begin + 1 : end] if CONCLUSION.match(line)],
        },
    )


@numbered("shell")
def test_commands_end_as_in_their_golden_file(number, block, setting, golden):
    outcomes = {}
    for words in block.commands:
        name = " ".join(words)
        if words[0] != "gradcheck":
            outcomes[name] = "see test_commands_of_other_tools_are_there"
        elif NOT_HERE in words or ENDLESS in words:
            outcomes[name] = "see test_demo and test_every_option_of_the_readme_is_there"
        else:
            result = CliRunner().invoke(app, words[1:], terminal_width=100)
            first = next(line for line in result.output.splitlines() if line.strip())
            outcomes[name] = {
                "exit status": result.exit_code,
                "first line": masked(first),
                "written": [word for word in words if Path(word).suffix == ".html"],
            }
            assert all(Path(word).exists() for word in outcomes[name]["written"])
    golden(f"readme/block_{number:02}", {"block": block.text.splitlines(), "outcomes": outcomes})


@numbered("report")
def test_report_is_what_is_printed(number, block, setting):
    target = {"Dense": (setting.my_layer, setting.x), "Cell": (setting.cell, setting.cell_input)}
    name = re.match(r"\w+  (\w+)\(", block.text).group(1)

    printed = str(gradcheck.check(*target[name])).partition("\npage ")[0]

    assert masked(printed) == masked(block.text), f"the README is to show:\n{printed}"


def test_every_option_of_the_readme_is_there():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in BLOCKS:
        text += f"`{block.text}`" if block.kind == "shell" else ""
    commands = re.findall(
        r"gradcheck (check|hunt|properties|train|diagnose|demo)\b([^`\n#]*)", text
    )

    assert {command for command, _ in commands} >= {"check", "properties", "train", "diagnose"}
    for command, rest in commands:
        shown = CliRunner().invoke(
            app, [command, "--help"], terminal_width=200, env={"COLUMNS": "200"}
        )
        for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", rest):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", shown.output), (command, option)


def test_commands_of_other_tools_are_there():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)

    for module in re.findall(r"python -m ([\w.]+)", text):
        assert importlib.util.find_spec(module) is not None, module
    for script in re.findall(r"python (\w+/\w+\.py)", text):
        assert (ROOT / script).is_file(), script
    for extra in re.findall(r'-e "\.\[(\w+)\]"|extra `(\w+)`', text):
        assert "".join(extra) in extras, extra


def test_what_the_readme_counts_is_as_many():
    corpus = importlib.import_module("benchmarks.corpus").cases()
    parts = [part for part in vars(network).values() if inspect.isclass(part)]
    concrete = [part for part in parts if not inspect.isabstract(part)]
    wrong = sum(bool(case.wrong) for case in corpus)
    counted = [
        f"{WORDS[sum(issubclass(part, network.Layer) for part in concrete)]} layers",
        f"{WORDS[sum(issubclass(part, network.Loss) for part in concrete)]} losses",
        f"The {len(suite('softmax').properties)} properties of a softmax",
        f"On {len(corpus)} layers as users write them, {wrong} with one",
        f"and {len(corpus) - wrong} right but hard",
    ]

    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())

    assert not [statement for statement in counted if statement not in text]


def test_links_of_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    links = re.findall(r"\]\(([^)\s]+)\)", text)

    assert links
    for link in links:
        assert "://" in link or (ROOT / link).exists(), link
