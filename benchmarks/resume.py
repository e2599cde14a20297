"""Kills a training run at random moments, resumes it, and compares it with an undisturbed one.

``python -m benchmarks.resume [--kills 50] [--seed 0]``

Every run is a process of its own, ended by SIGKILL: nothing of it can be tidied up. It has all that
a run can remember: dropout, batch normalisation, Adam's means, a schedule, early stopping.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import network as n

EPOCHS = 8


def train(folder: Path | None, *, resume: bool = False) -> tuple[n.Sequential, list[n.Record]]:
    digits = n.load_mnist()
    rng = np.random.default_rng(0)
    first, last = (n.Dense(i, o, rng=rng, dtype=np.float32) for i, o in ((784, 32), (32, 10)))
    norm = n.BatchNorm(32, dtype=np.float32)
    model = n.Sequential([first, norm, n.ReLU(), n.Dropout(0.2), last])
    records = n.fit(
        model,
        digits.X_train[:1500],
        digits.y_train[:1500],
        validation=(digits.X_test[:200], digits.y_test[:200]),
        epochs=EPOCHS,
        optimizer=n.Adam(),
        schedule=n.WarmUp(1, n.Cosine()),
        early_stopping=n.EarlyStopping(5),
        folder=folder,
        resume=resume,
        progress=False,
    )
    return model, records


def killed_after(seconds: float, folder: Path) -> bool:
    """Start a run and kill it ``seconds`` after it begins; return whether it was alive."""
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.resume", "--child", str(folder)],
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    child.stdout.readline()  # it says when it begins
    time.sleep(seconds)
    alive = child.poll() is None
    child.kill()
    child.wait()
    child.stdout.close()
    return alive


def same(records: list[n.Record], others: list[n.Record]) -> bool:
    """Whether the records agree in everything but the time taken."""
    kept = [[{**r, "seconds": 0} for r in run] for run in (records, others)]
    return kept[0] == kept[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=Path)
    options = parser.parse_args()
    if options.child is not None:
        print("begins", flush=True)
        train(options.child)
        return
    began = time.perf_counter()
    undisturbed, records = train(None)
    seconds = time.perf_counter() - began
    rng = np.random.default_rng(options.seed)
    identical, alive, reached = 0, 0, []
    for _ in range(options.kills):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            alive += killed_after(rng.uniform(0, seconds), folder)
            history = folder / "history.jsonl"
            reached.append(len(history.read_text().splitlines()) if history.exists() else 0)
            model, resumed = train(folder, resume=True)
            lines = [json.loads(line) for line in history.read_text().splitlines()]
            identical += (
                all(np.array_equal(a, undisturbed.params[k]) for k, a in model.params.items())
                and all(np.array_equal(a, undisturbed.state[k]) for k, a in model.state.items())
                and same(resumed, records)
                and same(lines, records)
            )
    counts = ", ".join(f"{reached.count(k)} after {k}" for k in range(EPOCHS + 1))
    print(f"{options.kills} runs of {EPOCHS} epochs, {alive} killed alive: {counts} epochs")
    print(f"{identical} of them, resumed, are bit-identical to the undisturbed run")


if __name__ == "__main__":
    main()
