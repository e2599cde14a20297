"""The list of public code: split by a hash, judged by its truth, counted in a table."""

import json
import sys

import numpy as np
import pytest

from benchmarks.field.__main__ import main
from benchmarks.field.compare import compare
from benchmarks.field.item import HALVES, RIGHT, UNDECIDABLE, WRONG, Reading, half
from benchmarks.field.judge import judge, names_of_slip
from benchmarks.field.packages import MODULES
from benchmarks.field.slips import Candidate, lines_of, put, slips
from benchmarks.field.table import table
from benchmarks.field.worker import package_of

# A package as a user may have it, and a list that names its objects.
CODE = """
class Square:
    def forward(self, x):
        self.x = x
        return x ** 2

    def backward(self, dout):
        return 2 * self.x * dout


class Cube(Square):
    def forward(self, x):
        self.x = x
        return x ** 3

    def backward(self, dout):
        return 2 * self.x ** 2 * dout


class Riddle:
    pass
"""

LIST = """
from benchmarks.field.item import WRONG, Item, Package
from benchmarks.field.made import new, normal
from benchmarks.field.readings import layer


def _layer(name, *truth, **known):
    functions = (f"tiny:{name}.backward",) if name != "Riddle" else ()
    return Item(name, new(f"tiny:{name}", given=(normal(3, 2),)), layer(), functions, *truth,
                **known)


PACKAGE = Package("", (
    _layer("Square"),
    _layer("Cube", WRONG, line="return 2", names=("constant_factor",)),
    _layer("Riddle", WRONG),
))
"""


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """A list of the user's, beside the code that it names."""
    (tmp_path / "tiny.py").write_text(CODE)
    path = tmp_path / "listed.py"
    path.write_text(LIST)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return str(path)


def about(**known):
    defaults = {
        "package": "p", "name": "n", "half": "look", "kind": "gradient", "slip": "",
        "truth": RIGHT, "names": (), "lines": (),
    }  # fmt: skip
    return defaults | known


def answer(verdict, name="", *edits, places=()):
    edits = [{"file": file, "line": line} for file, line in edits]
    said = {"verdict": verdict, "name": name, "edits": edits, "places": places}
    return {**said, "seconds": 1.0, "text": verdict}


def test_an_object_keeps_its_half_and_the_halves_are_about_even():
    halves = [half("package", f"object {number}") for number in range(1000)]

    assert halves == [half("package", f"object {number}") for number in range(1000)]
    assert abs(halves.count(HALVES[0]) - 500) < 3 * np.sqrt(250)
    assert halves != [half("other", f"object {number}") for number in range(1000)]


def test_the_list_is_large_and_names_each_object_once():
    packages = [package_of(module) for module in MODULES]
    names = [(package.name, item.name) for package in packages for item in package.items]

    assert len(names) == len(set(names)) >= 150
    assert len({package.name for package in packages}) >= 20
    assert all("==" in package.requirement for package in packages)


def test_right_code_passes_or_is_an_alarm():
    assert judge(about(), answer("PASS")).passed
    alarm = judge(about(), answer("FAIL", "sign_flipped"))
    assert alarm.alarm
    assert alarm.failures == ["false alarm"]
    assert judge(about(), answer("UNDECIDED")).failures == ["undecided"]
    assert judge(about(truth=UNDECIDABLE), answer("FAIL")).failures == []


def test_what_is_refused_is_not_recognised():
    assert judge(about(), {"refused": "what?"}).failures == ["not recognised"]
    assert judge(about(), {"raised": "KeyError: 1"}).failures == ["raw exception"]
    assert judge(about(), {"broken": "too late"}).recognised is None


def test_wrong_code_is_found_named_and_its_line_told():
    wrong = about(truth=WRONG, names=("factor_two",), lines=(("a.py", 7),))

    right = judge(wrong, answer("FAIL", "factor_two", ("/somewhere/a.py", 7)))
    assert (right.found, right.named, right.told, right.misled) == (True, True, True, False)
    other = judge(wrong, answer("FAIL", "sign_flipped", ("a.py", 8)))
    assert other.failures == ["wrong name", "another line"]
    assert judge(wrong, answer("FAIL", "factor_two")).failures == ["no line"]
    near = judge(wrong, answer("FAIL", "factor_two", places=("a.py:5", "a.py:7")))
    assert (near.told, near.placed, near.misled, near.failures) == (False, True, False, [])
    missed = judge(wrong, answer("PASS"))
    assert missed.failures == ["not found"]
    assert missed.named is None


def test_numbers_that_imply_a_name_come_before_the_operator():
    assert names_of_slip("core/NumberReplacer", None) == ()
    assert names_of_slip("core/NumberReplacer", -1.0) == ("sign_flipped",)
    assert "factor_two" in names_of_slip("core/NumberReplacer", 0.5)
    assert "slope_wrong" in names_of_slip("core/ReplaceComparisonOperator_Gt_Lt", None)
    assert "sign_flipped" in names_of_slip("core/ReplaceBinaryOperator_Sub_Add", 3.0)


def test_the_table_counts_what_was_judged():
    found = [
        judge(about(), answer("PASS")),
        judge(about(half="unseen"), answer("FAIL")),
        judge(about(truth=WRONG, slip="s"), answer("FAIL", "x", ("a.py", 1))),
        judge(about(), {"refused": ""}),
        judge(about(), {"broken": ""}),
    ]
    lines = {line.split("|")[1].strip(): line for line in table(found, HALVES).splitlines()}

    assert "| 1 of 2 (50.0 %) | 1 of 1 (100.0 %) | 2 of 3" in lines["recognised without help"]
    assert "| 1 of 1 (100.0 %) | 0 of 1 (0.0 %) | 1 of 2" in lines["right code passes"]
    assert "| 1 of 1 (100.0 %) | - |" in lines["wrong gradient found"]


def reading(x, g, f=lambda x: np.sin(x)):
    return Reading(lambda: f(x), lambda c: [c * g(x)], [x])


def test_the_truth_is_measured():
    x = np.linspace(0.1, 1.0, 5)

    assert compare(reading(x, np.cos)).truth == RIGHT
    assert compare(reading(x, np.sin)).truth == WRONG
    assert compare(reading(x, lambda x: np.cos(x) * (1 + 1e-4))).truth == UNDECIDABLE
    assert compare(reading(x, lambda x: -np.cos(x))).ratio == pytest.approx(-1.0)
    assert compare(reading(x, np.sin)).ratio is None
    one = np.array([0.3])
    assert compare(reading(one, lambda x: -np.cos(x))).ratio is None  # as any number is one
    assert compare(reading(x, lambda x: np.cos(x)[:3].sum())).truth == WRONG


def test_a_gradient_that_changes_its_input_is_wrong():
    x = np.linspace(0.1, 1.0, 5)

    def gradients(cotangent):
        right = cotangent * np.cos(x)
        x[...] = 0
        return [right]

    assert compare(Reading(lambda: np.sin(x), gradients, [x])).truth == WRONG
    assert x[0] == 0.1


def test_a_list_of_the_user_s_is_measured_and_its_unseen_half_is_not_shown(
    listed, tmp_path, capsys, monkeypatch
):
    def half(package, name):
        return "unseen" if name == "Riddle" else "look"

    monkeypatch.setattr("benchmarks.field.__main__.half", half)
    kept = tmp_path / "rows.json"
    main(["--path", listed, "--slips", "0", "--list", "--json", str(kept)])
    printed = capsys.readouterr().out
    found = {row["name"]: row for row in json.loads(kept.read_text())["look"]}

    assert found.keys() == {"Square", "Cube"}
    assert found["Square"]["passed"]
    assert found["Cube"]["found"]
    assert found["Cube"]["named"] is not None
    assert found["Cube"]["told"] is not None
    assert "Riddle" not in printed
    assert "recognised without help | 2 of 2 (100.0 %) | 0 of 1 (0.0 %)" in printed


def test_slips_count_where_the_forward_stays_and_a_gradient_becomes_wrong(
    listed, tmp_path, monkeypatch
):
    file = tmp_path / "tiny.py"
    tried = {
        "forward": ("x ** 2", "x ** 4"),
        "crash": ("2 * self.x * dout", "2 * self.y * dout"),
        "equivalent": ("2 * self.x * dout", "self.x * dout * 2"),
        "slip": ("2 * self.x * dout", "3 * self.x * dout"),
    }

    def candidates(item):
        return [Candidate(str(tmp_path), str(file), kind, 0, 8) for kind in tried]

    monkeypatch.setattr("benchmarks.field.slips.candidates_of", candidates)
    monkeypatch.setattr(
        "benchmarks.field.slips.mutate", lambda made: CODE.replace(*tried[made.operator], 1)
    )
    (found,) = slips(package_of(listed).items[0], 4, tmp_path / "slips")

    assert found["operator"] == "slip"
    assert found["ratio"] == pytest.approx(1.5)
    assert found["text"] == "return 3 * self.x * dout"
    assert file.read_text() == CODE


def test_the_backward_is_found_without_importing_it(listed):
    package = package_of(listed)
    ((_, file), lines) = next(iter(lines_of(package.items[1]).items()))

    assert "tiny" not in sys.modules
    assert file.endswith("tiny.py")
    assert lines == [(17, 17)]


def test_a_copy_of_a_package_is_all_links_but_for_the_changed_file(tmp_path):
    inner = tmp_path / "site" / "package" / "inner"
    inner.mkdir(parents=True)
    for file in (inner / "a.py", inner / "b.py", inner.parent / "__init__.py"):
        file.write_text(file.name)
    put(tmp_path / "copy", tmp_path / "site", inner / "a.py", "changed")
    copy = tmp_path / "copy" / "package"

    assert (copy / "inner" / "a.py").read_text() == "changed"
    assert (copy / "inner" / "b.py").is_symlink()
    assert (copy / "__init__.py").read_text() == "__init__.py"
    assert (inner / "a.py").read_text() == "a.py"
