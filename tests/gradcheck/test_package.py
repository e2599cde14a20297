"""Where the package lies: its own code is never taken for the user's."""

from pathlib import Path

import numpy as np

import gradcheck
from gradcheck._package import FOLDER
from gradcheck.checking.evaluator import Evaluator
from gradcheck.explain.source.call_sites import watched
from gradcheck.explain.trace import record


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
    calls = watched(lambda: gradcheck.check(Scaled(), np.ones((2, 3)), explain=False))

    files = [Path(call.code.co_filename) for call in calls]
    assert files
    assert not [file for file in files if file.is_relative_to(FOLDER)]
