"""Every script of examples/: the reports it makes, in order, and what it is to show."""

import os
import runpy
import subprocess
import sys

import pytest

from tests.golden.structures import of_report
from tests.support import ROOT

EXAMPLES = ROOT / "examples"
SHOWN = {
    "check_cs231n_pair": ["PASS  affine_relu_forward", "derivative of maximum is left out"],
    "check_torch_like_class": ["summed_to_scalar in bias"],
    "check_attributes": ["PASS  Dense", "derivative_at_wrong_point in layers[1].x"],
    "check_callback": ["path_missing in x", "variance"],
    "check_train_step": ["factor_batch_size in W and b"],
    "check_component": ["sign_flipped in x wrt angle"],
    "check_hessian": ["not_symmetric in hessian.x", "sparsity_too_small", "conjugate_missing"],
    "check_within_a_set": ["factor_two in S", "other_than_reference", "not_linear"],
    "diagnose_csv": ["overfitting", "early stopping"],
    "investigate_model": ["evaluation_bug", "keepdims=True"],
    "properties_loss": ["a vector has another loss"],
    "properties_softmax": ["over the whole array"],
}
FOR_PYTEST = "properties_pytest"


def example(name):
    return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="example")["main"]


@pytest.mark.parametrize("name", SHOWN)
def test_example_makes_the_reports_of_its_golden_file(
    name, golden, reports, capsys, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    example(name)()

    assert reports
    golden(f"examples/{name}", [of_report(report) for report in reports])
    printed = " ".join(capsys.readouterr().out.split())
    assert all(" ".join(words.split()) in printed for words in SHOWN[name]), printed


def test_example_of_a_history_draws_it(tmp_path, capsys):
    example("diagnose_csv")(tmp_path)

    assert (tmp_path / "run.png").stat().st_size > 10_000
    assert str(tmp_path / "run.png") in capsys.readouterr().out


def test_example_of_a_test_module_passes():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    # few inputs show what fails
    environment = os.environ | {"PYTHONPATH": str(ROOT), "GRADCHECK_PROFILE": "dev"}

    done = subprocess.run(
        [*command, str(EXAMPLES / f"{FOR_PYTEST}.py")],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "1 xfailed" in done.stdout, done.stdout
    assert done.returncode == 0


def test_every_example_is_run_and_short():
    scripts = list(EXAMPLES.glob("*.py"))

    assert {script.stem for script in scripts} == {*SHOWN, FOR_PYTEST}
    assert all(len(script.read_text().splitlines()) <= 40 for script in scripts)
