"""Time to read, diagnose and draw long training logs, beside pandas and Matplotlib in one run.

Run with ``python -m benchmarks.histories``; needs pandas. The rival reads with ``read_csv`` and
draws every row, and diagnoses nothing; it takes the damaged file only because its damage is made
of what pandas accepts: empty cells and a word, which leaves it with a column of text. Runs
alternate, and medians are shown. The last table counts false alarms of a run that is watched.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from diagnostics import History, Monitor, diagnose, plot_history

ROWS, REPETITIONS = 1_000_000, 3
DAMAGED_SHARE = 0.05
# A log that was interrupted so often goes back by some rows each time.
RESTARTS, GONE_BACK = 1000, 20
RUNS, EPOCHS = 200, 60


def write_log(path: Path, rows: int, *, damaged: bool = False, times: bool = False) -> None:
    """A falling loss with noise; damaged: empty cells, words, and repeated steps.

    With ``times`` a column of dates stands before the numbers.
    """
    rng = np.random.default_rng(0)
    time_ = np.arange(rows)
    loss = 2.3 * np.exp(-5 * time_ / rows) + 0.1 + 0.02 * rng.standard_normal(rows)
    val_loss = loss + 0.05 + 0.02 * rng.standard_normal(rows)
    accuracy = np.clip(1 - loss / 2.5, 0, 1)
    step = time_ - time_ * RESTARTS // rows * GONE_BACK if damaged else time_
    hurt = rng.random(rows) < (DAMAGED_SHARE if damaged else 0)
    word = hurt & (rng.random(rows) < 0.1)
    with path.open("w") as file:
        file.write("time," * times + "step,loss,val_loss,accuracy\n")
        for i in range(rows):
            first = "oops" if word[i] else f"{loss[i]:.6f}"
            second = "" if hurt[i] else f"{val_loss[i]:.6f}"
            minutes, seconds_ = divmod(i, 60)
            stamp = f"2026-01-01 {minutes // 60:02}:{minutes % 60:02}:{seconds_:02}," * times
            file.write(f"{stamp}{max(step[i], 0)},{first},{second},{accuracy[i]:.6f}\n")


def ours(path: Path, picture: Path) -> None:
    history = History.read(path)
    plot_history(history, diagnose(history).findings).savefig(picture)


def rival(path: Path, picture: Path) -> None:
    import pandas as pd
    from matplotlib.figure import Figure

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = pd.read_csv(path)
    figure = Figure(figsize=(7, 5.2))
    axes = figure.subplots(2, 1, sharex=True)
    for name, axis in (("loss", axes[0]), ("val_loss", axes[0]), ("accuracy", axes[1])):
        axis.plot(frame["step"], pd.to_numeric(frame[name], errors="coerce"), label=name)
    figure.savefig(picture)


def seconds(job: Callable[[], Any]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def race(path: Path, picture: Path) -> tuple[float, float]:
    """Median seconds of both."""
    pairs = [
        (seconds(lambda: ours(path, picture)), seconds(lambda: rival(path, picture)))
        for _ in range(REPETITIONS)
    ]
    one, other = (statistics.median(times) for times in zip(*pairs, strict=True))
    return one, other


def healthy_run(correlation: float, rng: np.random.Generator) -> list[dict[str, float]]:
    """An exponential decay to a plateau with AR(1) noise of 10 % of the plateau."""
    noise = np.zeros((2, EPOCHS))
    for i in range(1, EPOCHS):
        noise[:, i] = correlation * noise[:, i - 1] + rng.standard_normal(2)
    noise *= 0.03 * np.sqrt(1 - correlation**2)
    fall = rng.uniform(0.5, 3) * np.exp(-np.arange(EPOCHS) / rng.uniform(1, 8))
    train, val = fall + 0.3 + noise[0], fall + 0.33 + noise[1]
    return [{"epoch": i, "loss": float(train[i]), "val_loss": float(val[i])} for i in range(EPOCHS)]


def false_alarms(correlation: float) -> tuple[float, float, float]:
    """Share of healthy runs with a problem told: at the end, at any epoch, and by the monitor."""
    rng = np.random.default_rng(1)
    counts = np.zeros(3)
    for _ in range(RUNS):
        records = healthy_run(correlation, rng)
        told: list[Any] = []
        monitor = Monitor(severity="problem", tell=told.append)
        for record in records:
            monitor(record)
        history = History.from_records(records)
        alarms = [not diagnose(history.head(rows)).ok for rows in range(8, EPOCHS + 1)]
        counts += [alarms[-1], any(alarms), bool(told)]
    at_end, at_any, watched = counts / RUNS
    return at_end, at_any, watched


def speed_table(folder: Path) -> Iterator[str]:
    yield f"{'rows':>10} {'file':<10}{'read, diagnosed, drawn':>24}{'pandas, Matplotlib':>20}"
    path = folder / "log.csv"
    for kind in ("whole", "damaged", "with times"):
        write_log(path, ROWS, damaged=kind == "damaged", times=kind == "with times")
        one, other = race(path, folder / "picture.png")
        yield f"{ROWS:>10,} {kind:<10}{one:>22.2f} s{other:>18.2f} s"
    write_log(path, 1000)
    history = History.read(path)
    times = [seconds(lambda: diagnose(history)) for _ in range(9)]
    yield f"{1000:>10,} diagnosed in {1000 * statistics.median(times):.0f} ms"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for line in speed_table(Path(folder)):
            print(line)
    print(f"\nhealthy runs with a problem told, of {RUNS} runs of {EPOCHS} epochs")
    print(f"{'AR(1)':>6}{'judged at the end':>20}{'at every epoch':>17}{'watched':>10}")
    for correlation in (0.0, 0.5, 0.8):
        at_end, at_any, watched = false_alarms(correlation)
        print(f"{correlation:>6}{at_end:>20.1%}{at_any:>17.1%}{watched:>10.1%}")


if __name__ == "__main__":
    main()
