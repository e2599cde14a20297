"""Commands hold BLAS to one thread, in their worker processes too, and leave it as it was."""

import os
import subprocess
import sys

import pytest
from threadpoolctl import threadpool_info, threadpool_limits
from typer.testing import CliRunner

from gradcheck.cli.main import app
from tests.support import ROOT

# A layer that writes down how many threads BLAS has while it is checked.
LAYER = """
from pathlib import Path

from threadpoolctl import threadpool_info


class Layer:
    def forward(self, x):
        threads = [p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"]
        with Path(__file__).with_name("threads.txt").open("a") as file:
            file.write("".join(f"{number}\\n" for number in threads))
        return 3 * x

    def backward(self, grad):
        return 3 * grad
"""


def threads():
    return {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}


pytestmark = pytest.mark.skipif(not threads(), reason="a BLAS whose threads cannot be held")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_check_runs_on_one_thread_and_the_limit_ends_with_it(workers, tmp_path):
    (tmp_path / "mylayer.py").write_text(LAYER)

    with threadpool_limits(2, user_api="blas"):
        result = CliRunner().invoke(
            app, ["check", f"{tmp_path / 'mylayer.py'}:Layer", "-i", "3,2", "--workers", workers]
        )
        after = threads()

    assert result.exit_code == 0, result.output
    assert set((tmp_path / "threads.txt").read_text().split()) == {"1"}
    assert after == {2}


def test_training_keeps_its_threads(tmp_path, monkeypatch):
    seen = set()

    def load_data(*arguments, **options):
        seen.update(threads())
        raise ValueError("no data")

    monkeypatch.setattr("network.load_data", load_data)

    with threadpool_limits(2, user_api="blas"):
        result = CliRunner().invoke(app, ["train", "-o", str(tmp_path)])

    assert "no data" in result.output
    assert seen == {2}


def test_the_tests_run_on_one_thread_though_the_environment_does_not_say_so(tmp_path):
    (tmp_path / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    (tmp_path / "test_threads.py").write_text(
        "import os\nfrom threadpoolctl import threadpool_info\n\n\n"
        "def test_threads():\n"
        "    assert os.environ['OPENBLAS_NUM_THREADS'] == '1'\n"
        "    pools = [p for p in threadpool_info() if p['user_api'] == 'blas']\n"
        "    assert pools\n"
        "    assert {p['num_threads'] for p in pools} == {1}\n"
    )
    bare = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path, env=bare, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
