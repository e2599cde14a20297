"""The examples run, and show what they promise."""

from __future__ import annotations

import re
import runpy

import pytest

from tests.support import ROOT

EXAMPLES = ROOT / "examples"
TESTED_ELSEWHERE = {"properties_loss", "properties_softmax", "properties_pytest"}

SHOWN = {
    "check_cs231n_pair": ["PASS  affine_relu_forward", "derivative of maximum is left out"],
    "check_torch_like_class": ["summed_to_scalar in bias"],
    "check_attributes": ["PASS  Dense", "derivative_at_wrong_point in layers[1].x"],
    "check_callback": ["path_missing in x", "variance"],
    "check_train_step": ["factor_batch_size in W and b"],
    "diagnose_csv": ["overfitting", "early stopping"],
    "investigate_model": ["evaluation_bug", "keepdims=True"],
}


def run(name):
    return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="example")


@pytest.mark.parametrize("name", SHOWN)
def test_example_shows_what_it_promises(name, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.mkdtemp", lambda: str(tmp_path))

    run(name)["main"]()

    printed = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert all(re.sub(r"\s+", " ", words) in printed for words in SHOWN[name]), printed


def test_example_of_a_history_draws_it(tmp_path, capsys):
    run("diagnose_csv")["main"](tmp_path)

    assert (tmp_path / "run.png").stat().st_size > 10_000
    assert str(tmp_path / "run.png") in capsys.readouterr().out


def test_every_example_is_run_and_short():
    scripts = list(EXAMPLES.glob("*.py"))

    assert {script.stem for script in scripts} == set(SHOWN) | TESTED_ELSEWHERE
    assert all(len(script.read_text().splitlines()) <= 40 for script in scripts)
