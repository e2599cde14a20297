"""Layers rendered in three dialects: right ones pass, wrong ones fail at the line of the slip."""

from __future__ import annotations

import pytest

from benchmarks.twins.answer import answer
from benchmarks.twins.layers import LAYERS
from benchmarks.twins.render import RENDERS, changed_lines, in_jax, in_numpy, in_torch
from benchmarks.twins.truth import doubts

jax = pytest.importorskip("jax")
pytest.importorskip("torch")
pytestmark = pytest.mark.integration

BY_NAME = {layer.name: layer for layer in LAYERS}
SAMPLE = ("dense", "relu", "softmax", "embedding", "cumulative_sum", "lstm_cell")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def x64():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("name", SAMPLE)
def test_what_is_labelled_right_is_right_and_what_wrong_wrong(name, x64):
    assert doubts(BY_NAME[name]) == []


@pytest.mark.parametrize("dialect", RENDERS)
@pytest.mark.parametrize("name", SAMPLE)
def test_right_layers_pass_in_every_dialect(name, dialect, folder, x64):
    assert answer(BY_NAME[name], None, dialect, 0).verdict == "PASS"


@pytest.mark.parametrize("dialect", RENDERS)
def test_a_slip_is_found_named_and_its_line_told(dialect, folder, x64):
    layer = BY_NAME["dense"]
    found = answer(layer, layer.slips[0], dialect, 1)

    assert (found.verdict, found.right_name, found.right_edit) == ("FAIL", True, True)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_every_slip_changes_one_place_in_every_dialect(layer):
    for render in RENDERS.values():
        right = render(layer, None)
        changed = [changed_lines(right, render(layer, slip)) for slip in layer.slips]
        assert all(1 <= len(lines) <= 2 for lines in changed)


def test_sources_are_those_that_users_of_a_framework_write():
    embedding = BY_NAME["embedding"]

    assert "np.add.at(dtable, indices, grad)" in in_numpy(embedding)
    assert "dtable.index_add_(0, indices, grad)" in in_torch(embedding)
    assert "dtable = dtable.at[indices].add(grad)" in in_jax(embedding)
    assert "p = e / e.sum(dim=1, keepdim=True)" in in_torch(BY_NAME["softmax"])
    assert "def setup_context(ctx, inputs, output)" in in_torch(BY_NAME["softmax"])
    assert "da @ w.t() + ds @ v.t()" in in_torch(BY_NAME["gated"])
    assert "dx = dx.at[x <= 0].set(0)" in in_jax(BY_NAME["relu"])
