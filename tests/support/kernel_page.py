"""The files of the page on kernels, and how pytest runs them in a process of its own.

Whether Triton compiles or interprets is settled for a process when it is imported.
"""

import os
import subprocess
import sys

from tests.support import ROOT
from tests.support.page_blocks import blocks

FILES = {
    block.split("\n", 1)[0].removeprefix("# "): block for _, _, block in blocks("custom_kernels.md")
}
ON_GPU = "test_on_gpu.py"
TESTS = [name for name in FILES if name.startswith("test_") and name != ON_GPU]
OPTIONS = ("-q", "-rP", "-p", "no:cacheprovider", "-o", "addopts=", "-o", "markers=gpu")


def write(folder):
    """Write every block of the page to the file that its first line names."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")


def run(folder, file, *, interpret):
    """Run the tests of a file, and return the status of pytest and what it wrote."""
    environment = {
        **os.environ,
        "TRITON_INTERPRET": "1" if interpret else "0",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_ADDOPTS": "",
    }
    command = [sys.executable, "-m", "pytest", *OPTIONS, file]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr
