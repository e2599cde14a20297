"""The package exports what it says, and importing it is cheap."""

import subprocess
import sys

import network


def test_every_exported_name_exists_and_is_documented():
    assert all(getattr(network, name).__doc__ for name in network.__all__)


def test_importing_it_loads_nothing_heavy_and_neither_of_its_sisters():
    code = "import sys, network; print(*sys.modules)"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    heavy = {"matplotlib", "hypothesis", "torch", "jax", "rich", "gradcheck", "diagnostics"}
    assert not heavy & set(run.stdout.split())
