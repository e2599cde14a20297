"""Where the package lies: its own code is never taken for the user's."""

from pathlib import Path

import numpy as np

import gradcheck
from gradcheck._package import FOLDER
from gradcheck.checking.evaluator import Evaluator
from gradcheck.explain.source.call_sites import calls_of
from gradcheck.explain.trace.record import record


class Scaled:
    """A layer whose backward is wrong, so that its code is looked into."""

    def forward(self, x):
        self.x = x
        return np.sin(x) * 2.0

    def backward(self, grad):
        return grad * np.cos(self.x)


def test_the_folder_is_that_of_the_package():
    assert Path(gradcheck.__file__).parent == FOLDER


def test_a_recorded_forward_has_no_step_in_the_package():
    target = gradcheck.as_target(Scaled(), np.ones((2, 3)))
    recording = record(Evaluator(target), target.tensors)

    sites = [node.site for node in recording.nodes if node.site is not None]
    assert sites
    assert not [site for site in sites if Path(site.file).is_relative_to(FOLDER)]


def test_a_watched_check_has_no_function_of_the_package():
    calls = calls_of(lambda: gradcheck.check(Scaled(), np.ones((2, 3)), explain=False))

    assert calls
    modules = {call.namespace["__name__"].partition(".")[0] for call in calls}
    assert "gradcheck" not in modules
    assert not [c for c in calls if Path(c.code.co_filename).is_relative_to(FOLDER)]


def test_steps_of_equal_code_in_two_files_are_told_apart_by_their_file(tmp_path):
    source = "import numpy as np\n\n\ndef forward(x):\n    return np.sin(x)\n"
    found = []
    for name in ("first.py", "second.py"):
        (tmp_path / name).write_text(source)
        namespace = {}
        exec(compile(source, str(tmp_path / name), "exec"), namespace)
        target = gradcheck.as_target((namespace["forward"], lambda g: g), np.ones(3))
        recording = record(Evaluator(target), target.tensors)
        found.append({Path(n.site.file).name for n in recording.nodes if n.site is not None})

    assert found == [{"first.py"}, {"second.py"}]
