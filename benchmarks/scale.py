"""CPU time of checks of layers of usual sizes, right and wrong, beside torch and another build.

``python -m benchmarks.scale [--against REV_OR_PATH] [--layers NAME ...] [--turns N]``

Right layers are raced against the fast mode of torch.autograd.gradcheck on the same layer, which
needs torch; ours includes the contract. Both right and wrong ones, up to the name of the bug and
the line, are raced against another build, a revision that is checked out for it or a folder. Every
check runs in a process of its own, on one thread, and the contestants take turns, so that what else
the machine does falls on all alike; the fewest CPU seconds of each count, those of its processes
included. What explains is loaded before.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.scale_layers import LAYERS

ROOT = Path(__file__).parents[1]
PROGRAM = Path(__file__).with_name("scale_layers.py")
RIVAL = Path(__file__).with_name("scale_torch.py")
TURNS = 3
TIMES = {"right": 3, "wrong": 1}
LARGEST = "Dense 4096x4096"


def run(program: Path, build: Path, *arguments: str) -> dict[str, Any]:
    """Return what a program prints with a build on its path."""
    environment = {
        **os.environ, "PYTHONPATH": str(build), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(program), *arguments],
        env=environment, cwd=build, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{program.name} {arguments} in {build}:\n{done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def fastest(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return min(runs, key=lambda run: float(run["seconds"]))


def right_layers(names: list[str], other: Path | None, turns: int) -> None:
    print(
        f"{'right layer':<22}{'ours':>10}{'torch':>10}{'ratio':>8}{'copies':>8}"
        f"{'other':>10}{'ratio':>8}"
    )
    for name in names:
        times = str(TIMES["right"] if name != LARGEST else 1)
        ours, theirs, others = [], [], []
        for _ in range(turns):
            ours.append(run(PROGRAM, ROOT, name, "right", times))
            theirs.append(run(RIVAL, ROOT, name, times))
            if other is not None:
                others.append(run(PROGRAM, other, name, "right", times))
        if not all(found["ok"] for found in (*ours, *theirs)):
            raise SystemExit(f"{name}: a right layer is refused")
        mine, torch = fastest(ours)["seconds"], fastest(theirs)["seconds"]
        copies = run(PROGRAM, ROOT, name, "memory", "1")["copies"] if name == LARGEST else 0.0
        told = f"{name:<22}{mine:>9.3f}s{torch:>9.4f}s{mine / torch:>8.2f}"
        told += f"{copies:>8.1f}" if copies else f"{'':>8}"
        if others:
            before = fastest(others)["seconds"]
            told += f"{before:>9.3f}s{mine / before:>8.2f}"
        print(told, flush=True)


def wrong_layers(names: list[str], other: Path | None, turns: int) -> None:
    print(f"\n{'wrong layer':<22}{'this':>10}{'other':>10}{'ratio':>8}  name")
    for name in (name for name in names if name != LARGEST):
        ours, theirs = [], []
        for _ in range(turns):
            ours.append(run(PROGRAM, ROOT, name, "wrong", str(TIMES["wrong"])))
            if other is not None:
                theirs.append(run(PROGRAM, other, name, "wrong", str(TIMES["wrong"])))
        mine = fastest(ours)
        told = f"{name:<22}{mine['seconds']:>9.3f}s"
        if theirs:
            its = fastest(theirs)
            told += f"{its['seconds']:>9.3f}s{mine['seconds'] / its['seconds']:>8.2f}"
            same = (mine["code"], mine["fix"]) == (its["code"], its["fix"])
            told += f"  {mine['code']}" + ("" if same else f" (other: {its['code']}: {its['fix']})")
        else:
            told += f"{'':>18}  {mine['code']}"
        print(f"{told}: {mine['fix'][:70]}", flush=True)


@contextmanager
def build_of(given: str | None) -> Iterator[Path | None]:
    """Yield the folder of another build: the one given, or a revision checked out for the time."""
    if given is None or Path(given).is_dir():
        yield Path(given).resolve() if given is not None else None
        return
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "build"
        subprocess.run(
            ["git", "worktree", "add", "--detach", str(tree), given],
            cwd=ROOT, check=True, capture_output=True,
        )  # fmt: skip
        try:
            yield tree
        finally:
            remove = ["git", "worktree", "remove", "--force", str(tree)]
            subprocess.run(remove, cwd=ROOT, check=True, capture_output=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--against", help="revision or folder of the build to compare with")
    parser.add_argument("--layers", nargs="+", choices=LAYERS, default=list(LAYERS))
    parser.add_argument("--turns", type=int, default=TURNS, help="processes of each contestant")
    parser.add_argument("--only", choices=("right", "wrong"), help="one of the two tables")
    given = parser.parse_args(arguments)
    with build_of(given.against) as other:
        if given.only != "wrong":
            right_layers(given.layers, other, given.turns)
        if given.only != "right":
            wrong_layers(given.layers, other, given.turns)


if __name__ == "__main__":
    main()
