"""The packages of the list in an environment of their own, in a temporary folder."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable
from pathlib import Path

from benchmarks.field.item import Package

# What gradcheck and the packages build on, and the mutation tester. The packages themselves are
# installed without their dependencies: the older ones ask for versions of NumPy that no longer are.
BASE = (
    "numpy==2.4.6", "scipy==1.17.1", "pandas==3.1.1", "matplotlib==3.11.2", "hypothesis==6.170.17",
    "rich==15.0.0", "typer==0.29.2", "jinja2==3.1.6", "threadpoolctl==3.8.0",
    "cloudpickle==3.1.3", "cosmic-ray==8.7.0",
)  # fmt: skip


def interpreter(packages: Iterable[Package]) -> str:
    """Return the Python that has the packages, made on first use."""
    packages = list(packages)
    home = Path(tempfile.gettempdir()) / "gradcheck-field"
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pinned = sorted({package.requirement for package in packages})
    needs = sorted({need for package in packages for need in package.needs})
    wanted = "\n".join([*BASE, *needs, *pinned])
    stamp = home / f"installed-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if stamp.exists():
        return str(python)
    if not python.exists():
        print(f"making an environment in {home}", file=sys.stderr)
        venv.create(home, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *BASE, *needs], check=True)
    subprocess.run([*pip, "--no-deps", *pinned], check=True)
    stamp.write_text(wanted)
    return str(python)
