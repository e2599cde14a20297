"""Every pattern is tried, and every bug of the catalogue has one code."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil

import pytest

from gradcheck.explain import hypotheses, jacobian, operators, trace
from gradcheck.explain.catalogue import Bug

PACKAGES = {
    operators: hypotheses.ALONG_DIRECTIONS,
    jacobian: (*hypotheses.AT_EVERY_ENTRY, *hypotheses.OF_MATRICES),
    trace: hypotheses.ON_THE_WAY_BACK,
}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_every_pattern_of_a_package_is_listed_once(package):
    modules = [
        importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
    ]
    patterns = {
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
        if function.__annotations__.get("return") == "Iterator[Hypothesis]"
    }

    assert len(set(PACKAGES[package])) == len(PACKAGES[package])
    assert patterns == set(PACKAGES[package])


def test_code_is_a_plain_string_that_survives_another_process():
    bug = Bug.TRANSPOSED

    assert bug == "transposed"
    assert (repr(bug), f"{bug}") == ("'transposed'", "transposed")
    assert pickle.loads(pickle.dumps(bug)) is bug
    assert copy.deepcopy(bug) is bug


def test_consequences_and_likenesses_are_bugs_of_the_catalogue():
    assert Bug.WRONG_SHAPE.implied_by == {
        Bug.TRANSPOSED,
        Bug.BROADCAST_NOT_REDUCED,
        Bug.SUMMED_TO_SCALAR,
    }
    assert all(isinstance(other, Bug) for bug in Bug for other in bug.implied_by | bug.looks_like)
