"""The shape of the code: who may import whom, and how large and how alike its parts may be."""

import ast
import shutil
import subprocess
import sys
from collections import Counter, defaultdict

from scripts import architecture_page
from tests.support import ROOT

PACKAGES = ("gradcheck", "diagnostics", "network", "gradcheck_arguments")
FILES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))

MOST_FILES = 18  # in a folder, so that its listing is read at a glance
MOST_LINES = 300
MOST_NAMESAKES = 3  # files of one name: a tab of an editor shows no more than the name


def named(path):
    return path.relative_to(ROOT).as_posix()


def lint_imports(folder):
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as lint; lint()",
    ]
    return subprocess.run(
        [*command, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_imports_keep_the_contract():
    done = lint_imports(ROOT)

    assert done.returncode == 0, done.stdout


def test_an_import_against_the_order_of_the_rooms_is_refused(tmp_path):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = tmp_path / "gradcheck" / "numerics" / "line.py"
    planted.write_text(f"{planted.read_text()}\nimport gradcheck.report.data\n")

    done = lint_imports(tmp_path)

    assert done.returncode == 1
    assert "gradcheck.numerics.line -> gradcheck.report.data" in done.stdout


def test_no_folder_has_too_many_files():
    counts = Counter(path.parent for path in FILES if path.name != "__init__.py")

    assert {named(folder): n for folder, n in counts.items() if n > MOST_FILES} == {}


def test_no_file_is_too_long():
    lines = {named(path): len(path.read_text("utf-8").splitlines()) for path in FILES}

    assert {path: n for path, n in lines.items() if n > MOST_LINES} == {}


def test_no_name_stands_for_many_files():
    counts = Counter(path.name for path in FILES if path.name != "__init__.py")

    assert {name: n for name, n in counts.items() if n > MOST_NAMESAKES} == {}


def test_a_public_class_has_its_name_alone():
    homes = defaultdict(list)
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(named(path))

    assert {name: paths for name, paths in homes.items() if len(paths) > 1} == {}


def test_page_and_pictures_are_those_of_the_imports():
    for path, text in architecture_page.files().items():
        assert path.read_text("utf-8") == text, "run python -m scripts.architecture_page"
