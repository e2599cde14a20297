"""The pages name paths that exist, and the map of CONTRIBUTING names every module."""

import re

import pytest

from tests.support import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
PACKAGES = ("gradcheck", "diagnostics", "network")
# Folders of the repository: what begins with one of them, in code, is a path.
FOLDERS = (*PACKAGES, "benchmarks", "docs", "examples", "scripts", "tests", ".ci")
PATH = re.compile(rf"(?<![\w./-])((?:{'|'.join(map(re.escape, FOLDERS))})/[\w./-]*)")
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")
MODULE = re.compile(r"\bscripts\.(\w+)")


def paths(text):
    """Return what is named in code: between backticks, or in a block."""
    code = re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)
    return {path.rstrip(".") for piece in code for path in PATH.findall(piece)}


def map_of_contributing():
    """Return the entries of the map as paths, by package."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## The map")[2]
    entries, folders = [], []
    for line in text.split("```")[1].splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        names = re.match(r"\s*((?:[\w./]+(?:/|\.py)(?:\s|$)\s?)+)", line)
        for name in names[1].split() if names else ():
            folders[depth:] = [name]
            entries.append("".join(folders))
    return entries


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_paths_of_a_page_exist(page):
    text = page.read_text("utf-8")
    links = [link for link in LINK.findall(text) if "://" not in link]

    assert [path for path in paths(text) if not (ROOT / path).exists()] == []
    assert [link for link in links if not (page.parent / link).exists()] == []
    scripts = [ROOT / "scripts" / f"{name}.py" for name in MODULE.findall(text)]
    assert [script for script in scripts if not script.is_file()] == []


def test_the_map_names_every_module_at_the_top_of_a_package_and_nothing_else():
    shown = map_of_contributing()

    for package in PACKAGES:
        modules = {
            f"{path.relative_to(ROOT).as_posix()}{'/' if path.is_dir() else ''}"
            for path in (ROOT / package).iterdir()
            if path.suffix == ".py" or (path / "__init__.py").is_file()
        } - {f"{package}/__init__.py"}
        assert {entry for entry in shown if entry.count("/", 0, -1) == 1} >= modules
    assert [entry for entry in shown if not (ROOT / entry).exists()] == []


def test_the_pages_that_are_read_here_hold_paths():
    assert len(paths((ROOT / "CONTRIBUTING.md").read_text("utf-8"))) > 20
    assert "docs/bugs" not in paths("docs/bugs is no code")
