"""Diagnoses the history of a training run in a CSV file, and draws it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from diagnostics import History, diagnose, plot_history


def write_overfitted_run(path):
    """Write what a run that overfits leaves behind: it learns, then learns by heart."""
    rng = np.random.default_rng(0)
    epochs = np.arange(60)
    train = 1.6 * np.exp(-epochs / 12) + 0.02 + 0.01 * rng.normal(size=60)
    validation = train + 0.1 + 0.03 * np.maximum(epochs - 15, 0) + 0.02 * rng.normal(size=60)
    accuracy = 0.9 - 0.6 * np.exp(-epochs / 6) - 0.004 * np.maximum(epochs - 15, 0)
    accuracy += 0.004 * rng.normal(size=60)
    columns = np.column_stack([epochs, train, validation, accuracy])
    np.savetxt(path, columns, delimiter=",", header="epoch,loss,val_loss,val_accuracy", comments="")


def main(folder=None):
    folder = Path(folder or tempfile.mkdtemp())
    write_overfitted_run(folder / "metrics.csv")

    history = History.read(folder / "metrics.csv")
    report = diagnose(history)
    print(report)
    plot_history(history, report.findings).savefig(folder / "run.png")
    print(f"drawn in {folder / 'run.png'}")


if __name__ == "__main__":
    main()
