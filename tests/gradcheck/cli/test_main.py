"""The command line: exit statuses, files written, and errors in one line."""

import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from gradcheck.cli.loading import LoadingError, parse_input
from gradcheck.cli.main import app
from tests.support import ROOT

LAYERS = ROOT / "tests" / "support" / "user_layers.py"
RUNNER = CliRunner()


@pytest.fixture
def layers(tmp_path):
    file = tmp_path / "mylayers.py"
    file.write_text(
        LAYERS.read_text()
        + "\n\ndense = Dense(4, 3)\nbroken = Dense(4, 3, 'sign_flipped')\nembedding = Embedding()\n"
    )
    return file


def run(*arguments):
    return RUNNER.invoke(app, [str(argument) for argument in arguments])


def test_check_passes_and_fails_by_its_exit_status(layers):
    right = run("check", f"{layers}:dense", "--input", "5,4")
    wrong = run("check", f"{layers}:broken", "-i", "5,4")

    assert right.exit_code == 0, right.output
    assert right.output.startswith("PASS")
    assert wrong.exit_code == 1
    assert "sign_flipped" in wrong.output.splitlines()[0]


def test_check_shows_all_details_where_they_are_asked_for(layers):
    brief, *others = (
        run("check", f"{layers}:broken", "-i", "5,4", *v) for v in ([], ["-v"], ["--verbose"])
    )

    assert "contract\n" not in brief.output
    assert len(brief.output.splitlines()) <= 25
    for full in others:
        assert full.exit_code == 1
        assert "contract\n" in full.output


def test_check_in_several_processes_says_the_same(layers):
    alone = run("check", f"{layers}:broken", "-i", "5,4", "--directions", "3")
    together = run("check", f"{layers}:broken", "-i", "5,4", "--directions", "3", "--workers", "2")
    assert alone.exit_code == together.exit_code == 1
    assert alone.output == together.output


def test_an_ending_that_cannot_be_written_is_refused_before_the_work(layers, tmp_path):
    refused = run("check", f"{layers}:dense", "-i", "5,4", "-o", tmp_path / "report.pdf")
    assert refused.exit_code == 2
    assert ".html" in refused.output


def test_version_is_told():
    assert run("--version").output.startswith("gradcheck 0.")


def test_check_takes_integers_files_and_dtypes(layers, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((5, 4)))

    assert run("check", f"{layers}:embedding", "-i", "6:int5").exit_code == 0
    assert run("check", f"{layers}:dense", "-i", tmp_path / "x.npy").exit_code == 0
    assert run("check", f"{layers}:dense", "-i", "5,4:float32").exit_code == 0


def test_check_writes_the_report(layers, tmp_path):
    target = tmp_path / "report.json"

    run("check", f"{layers}:broken", "-i", "5,4", "-o", target)

    assert json.loads(target.read_text())["explanations"][0]["code"] == "sign_flipped"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "nowhere"), "expected module:attribute"),
        (("check", "no_such_module:x"), "no module 'no_such_module'"),
        (("check", "missing.py:x"), "no file 'missing.py'"),
        (("check", "json:lods"), "has no 'lods'"),
        (("check", "json:loads", "-i", "3,x"), "--input 3,x"),
        (("check", "json:loads", "-i", "3:bool"), "no floating-point type"),
        (("check", "json:loads", "-i", "absent.npy"), "no such file"),
        (("diagnose", "absent.csv"), "absent.csv"),
        (("train", "--hidden", "a,b"), "--hidden a,b"),
        (("train", "--data", "nowhere"), "not a folder"),
        (("properties", "sofmax", "json:loads"), "softmax"),
    ],
)
def test_what_the_user_can_mend_is_one_line_and_status_two(
    arguments, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    result = run(*arguments)

    assert result.exit_code == 2, result.output
    assert message in result.output
    assert "Traceback" not in result.output


def test_train_writes_a_history_that_diagnose_reads_and_draws(tmp_path):
    history, plot = tmp_path / "history.jsonl", tmp_path / "plot.png"

    trained = run("train", "--epochs", 2, "--hidden", 16, "-o", history)
    diagnosed = run("diagnose", history, "-o", plot)

    assert trained.exit_code == 0, trained.output
    assert "validation accuracy" in trained.output
    assert diagnosed.exit_code == 0, diagnosed.output
    assert "too_few_epochs" in diagnosed.output
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_diagnose_fails_on_what_it_is_told_to(tmp_path):
    file = tmp_path / "run.csv"
    rows = [f"{e},{1 / (e + 1)},nan,0.5,0.1" for e in range(12)]
    file.write_text("epoch,loss,val_loss,accuracy,val_accuracy\n" + "\n".join(rows) + "\n")

    assert run("diagnose", file).exit_code == 0
    assert run("diagnose", file, "--fail-on", "problem").exit_code == 1
    assert run("diagnose", file, "--fail-on", "nonsense").exit_code == 2


def test_properties_refuses_the_askers_softmax():
    result = run("properties", "softmax", "network.faulty_mlp:matrix_softmax", "--examples", 20)

    assert result.exit_code == 1
    assert "each_row_as_if_alone" in result.output or "row" in result.output


def loaded_by(code):
    """Return what a new process has loaded after this code, but for what it had before."""
    code = f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(shown.stdout.split())


def foreign(modules):
    """Return the packages among these modules that are not of the standard library."""
    return {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)


def test_importing_gradcheck_loads_numpy_and_the_standard_library_alone():
    loaded = loaded_by("import gradcheck")

    ours = foreign(loaded) - foreign(loaded_by("import numpy.random"))
    assert ours == {"gradcheck", "gradcheck_arguments"}
    assert not {"multiprocessing", "asyncio", "unittest", "gradcheck.properties"} & loaded
    assert "gradcheck.explain.search" not in loaded


def test_help_loads_typer_besides_and_nothing_of_a_command():
    loaded = loaded_by(
        "import contextlib, io\n"
        "from gradcheck.cli.main import app\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    app(['--help'], standalone_mode=False)"
    )

    assert "typer" in loaded
    beside = {name for name in loaded if name.startswith("gradcheck.cli.")}
    assert beside == {"gradcheck.cli.main", "gradcheck.cli.shell"}
    assert not foreign(loaded) & {"rich", "scipy", "matplotlib", "hypothesis", "jinja2", "pygments"}
    assert not foreign(loaded) & {"network", "diagnostics", "torch", "jax"}
    assert "multiprocessing" not in loaded


def test_diagnose_tells_what_was_not_read_and_takes_columns(tmp_path):
    file = tmp_path / "log.csv"
    file.write_text("epoch,fit,check,foo\n1,2.0,2.1,a\n2,oops,1.5,b\n3,1.0,1.2,c\n4,0.9,1.1,d\n")
    done = run("diagnose", file, "--columns", "train_loss=fit,val_loss=check")
    assert "not read: line 3, column 'fit'" in done.output
    assert "not judged: foo" in done.output
    assert run("diagnose", file, "--columns", "fit").exit_code == 2
    assert run("diagnose", file, "--columns", "train_loss=fit", "-o", "x.foo").exit_code == 2


@pytest.fixture
def functions(tmp_path):
    file = tmp_path / "myfunctions.py"
    file.write_text(
        "import numpy as np\n"
        "log_det = (lambda X: np.linalg.slogdet(X)[1], np.linalg.inv)\n"
        "logs = (lambda x: np.sum(np.log(x)), lambda x: 1 / x)\n"
        "other_logs = lambda x: np.log(np.prod(x))\n"
        "shifted = (lambda x: np.sum(x**2), lambda x: 2 * x + 1)\n"
        "log_det_in_words = lambda X: np.log(np.linalg.det(X))\n"
    )
    return file


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("6:positive", lambda x: np.all(x > 0)),
        ("8,8:symmetric", lambda x: np.array_equal(x, x.T)),
        ("5:complex128", lambda x: x.dtype == np.complex128 and np.all(x.imag != 0)),
        ("2,4:simplex", lambda x: np.all(x > 0) and np.allclose(x.sum(1), 1, rtol=1e-14)),
        ("3,3:orthogonal", lambda x: np.allclose(x.T @ x, np.eye(3), atol=1e-14)),
        ("2,4:orthogonal", lambda x: np.allclose(x @ x.T, np.eye(2), atol=1e-14)),
        ("3,3:spd", lambda x: np.array_equal(x, x.T) and np.all(np.linalg.eigvalsh(x) > 0)),
        ("5:unit", lambda x: abs(np.linalg.norm(x) - 1) < 1e-14),
    ],
)
def test_inputs_are_drawn_of_their_kind(text, holds):
    drawn = parse_input(text, np.random.default_rng(0))

    assert list(drawn.shape) == [int(size) for size in text.partition(":")[0].split(",")]
    assert holds(drawn)


@pytest.mark.parametrize("text", ["5:sym", "5:symmetric", "2,3:spd", "5:int", "4,x"])
def test_an_input_of_no_kind_lists_what_is_known(text):
    with pytest.raises(LoadingError, match=rf"--input {text}: .*The kinds are .*int10.*simplex"):
        parse_input(text, np.random.default_rng(0))


def test_check_takes_constraints_points_and_a_reference(functions):
    right = run(
        "check", f"{functions}:log_det", "-i", "4,4:spd", "--constraint", "spd", "--points", "3",
        "--reference", f"{functions}:log_det_in_words",
    )  # fmt: skip
    named = run("check", f"{functions}:shifted", "-i", "4:simplex", "--constraint", "x=simplex")
    free = run("check", f"{functions}:shifted", "-i", "4:simplex")
    other = run(
        "check", f"{functions}:logs", "-i", "4:positive", "--reference", f"{functions}:other_logs"
    )

    assert right.exit_code == named.exit_code == other.exit_code == 0, right.output + named.output
    assert right.output.count("points[") == 3
    assert free.exit_code == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--constraint", "sym"], "constraint='sym': expected one of symmetric"),
        (["--constraint", "y=unit"], "['y'] are none of the tensors ['x']"),
        (["--constraint", "unit", "--constraint", "x=unit"], "several were given, say tensor=unit"),
        (["--reference", "nowhere"], "expected module:attribute"),
    ],
)
def test_check_refuses_what_binds_nothing_in_one_line(functions, options, message):
    done = run("check", f"{functions}:logs", "-i", "4:positive", *options)

    assert done.exit_code == 2
    assert message in done.output
