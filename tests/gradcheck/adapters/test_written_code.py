"""Code as users write it, one line of check each: right ones pass, wrong ones are placed."""

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from tests.support.written_calls import CALLS
from tests.support.written_containers import CONTAINERS
from tests.support.written_functions import FUNCTIONS
from tests.support.written_layers import LAYERS
from tests.support.written_monoliths import MONOLITHS
from tests.support.written_networks import NETWORKS
from tests.support.written_updates import UPDATES

OF_FUNCTIONS = FUNCTIONS | CONTAINERS
OBJECTS = LAYERS | CALLS | UPDATES | NETWORKS | MONOLITHS


def failed(report):
    return {name for name, t in report.tensors.items() if t.verdict is Verdict.FAIL}


@pytest.mark.parametrize("name", OF_FUNCTIONS)
def test_right_functions_pass(name):
    make, tensor = OF_FUNCTIONS[name]
    target, inputs = make(1.0)

    report = gradcheck.check(target, *inputs)

    assert report.ok, str(report)
    assert tensor in report.tensors


@pytest.mark.parametrize("name", OF_FUNCTIONS)
def test_wrong_functions_fail_in_the_right_tensor(name):
    make, tensor = OF_FUNCTIONS[name]
    target, inputs = make(2.0)

    assert failed(gradcheck.check(target, *inputs, explain=False)) == {tensor}


@pytest.mark.parametrize("name", OBJECTS)
def test_right_layers_and_networks_pass(name):
    make, inputs, tensor = OBJECTS[name]

    report = gradcheck.check(make(1.0), *inputs)

    assert report.ok, str(report)
    assert tensor in report.tensors


@pytest.mark.parametrize("name", OBJECTS)
def test_wrong_layers_and_networks_fail_in_the_right_tensor(name):
    make, inputs, tensor = OBJECTS[name]

    assert failed(gradcheck.check(make(2.0), *inputs, explain=False)) == {tensor}


@pytest.mark.parametrize("name", LAYERS | UPDATES)
def test_layers_are_as_before(name):
    make, inputs, _ = OBJECTS[name]
    layer = make(1.0)
    attributes = dict(getattr(layer, "__dict__", {}))
    contents = {name: np.array(value, dtype=object) for name, value in attributes.items()}

    gradcheck.check(layer, *inputs, explain=False)

    after = getattr(layer, "__dict__", {})
    assert after.keys() == attributes.keys()
    assert all(after[name] is value for name, value in attributes.items())
    assert all(
        np.array_equal(np.array(after[name], dtype=object), content)
        for name, content in contents.items()
    )
