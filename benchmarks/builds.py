"""Checks of right and wrong layers, timed in this build and in another one, in the same run.

Run with ``python -m benchmarks.builds PATH``, PATH being a checkout of the other build. Each build
runs in processes of its own, turn by turn, so that what else the machine does falls on both alike;
the fastest check of each layer counts, since whatever slows one down adds to it. Printed are the
seconds of both and their ratio, below 1 where this build is the faster one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TURNS = 4
CHECKS = {"right": 5, "wrong": 2}

# What runs in either build: only names that both have. Printed is the fastest check of each.
PROGRAM = """
import json, sys, time
import numpy as np
import gradcheck

checks = json.loads(sys.argv[1])
rng = np.random.default_rng(0)


class Dense:
    def __init__(self, wrong):
        self.W, self.b, self.wrong = rng.normal(size=(40, 30)) / 6, np.zeros(30), wrong

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.mean(axis=0) if self.wrong else grad.sum(axis=0)
        return grad @ self.W.T


class Tanh:
    def __init__(self, wrong):
        self.wrong = wrong

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, grad):
        return grad * (1 - self.y) if self.wrong else grad * (1 - self.y**2)


class Softmax:
    def __init__(self, wrong):
        self.wrong = wrong

    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, grad):
        if self.wrong:
            return self.p * (1 - self.p) * grad
        return self.p * (grad - (grad * self.p).sum(axis=1, keepdims=True))


LAYERS = {"dense 40x30": (Dense, (8, 40)), "tanh": (Tanh, (8, 20)), "softmax": (Softmax, (8, 10))}
seconds = {}
for name, (make, shape) in LAYERS.items():
    x = rng.normal(size=shape)
    gradcheck.check(make(False), x)
    for kind, times in checks.items():
        spent = []
        for _ in range(times):
            begun = time.perf_counter()
            report = gradcheck.check(make(kind == "wrong"), x)
            spent.append(time.perf_counter() - begun)
            if bool(report) is (kind == "wrong"):
                raise SystemExit(f"{name} {kind}: {report!r}")
        seconds[f"{name}, {kind}"] = min(spent)
print(json.dumps(seconds))
"""


def seconds_of(build: Path) -> dict[str, float]:
    """Return the seconds of the fastest check of each layer in a process of a build."""
    environment = {**os.environ, "PYTHONPATH": str(build), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, json.dumps(CHECKS)]
    done = subprocess.run(
        command, env=environment, cwd=build, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"the checks failed in {build}:\n{done.stderr.strip()}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def race(this: Path, other: Path, turns: int = TURNS) -> dict[str, tuple[float, float]]:
    """Return the fewest seconds of each layer in this build and in the other."""
    runs: dict[Path, list[dict[str, float]]] = {this: [], other: []}
    for _ in range(turns):
        for build, seen in runs.items():
            seen.append(seconds_of(build))
    names = runs[this][0]
    return {name: (_least(runs[this], name), _least(runs[other], name)) for name in names}


def _least(runs: list[dict[str, float]], name: str) -> float:
    return min(run[name] for run in runs)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("other", type=Path, help="a checkout of the build to compare with")
    parser.add_argument("--turns", type=int, default=TURNS, help="processes for each build")
    given: Any = parser.parse_args(arguments)
    found = race(Path(__file__).parents[1], given.other.resolve(), given.turns)
    print(f"{'check of':<24}{'this build':>12}{'the other':>12}{'ratio':>8}")
    for name, (ours, theirs) in found.items():
        print(f"{name:<24}{ours:>11.4f}s{theirs:>11.4f}s{ours / theirs:>8.2f}")


if __name__ == "__main__":
    main()
