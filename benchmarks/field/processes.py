"""Each object in a process of its own, in the environment of the packages, within a limit."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import field

LIMIT = 180.0  # seconds for one object, made, checked and explained
ROOT = Path(field.__file__).parents[2]


def run(python: str, job: str, source: str, *options: str, overlay: str = "") -> dict[str, Any]:
    """Return what the worker prints; ``{"broken": ...}`` where it does not come to that."""
    path = os.pathsep.join(filter(None, [overlay, str(ROOT)]))
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "Agg",
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"),
    }
    command = [python, "-W", "ignore", "-m", "benchmarks.field.worker", job, source, *options]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LIMIT,
            cwd=tempfile.gettempdir(), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"broken": f"not done within {LIMIT:g} s"}
    try:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    except (IndexError, ValueError):
        return {"broken": f"ended with {done.returncode}: {done.stderr.strip()[-300:]}"}
