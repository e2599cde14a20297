"""False alarms of `diagnose` on runs in which nothing happens: ``python -m benchmarks.null_runs``.

Losses decay to a plateau and accuracies climb to theirs, with autocorrelated noise, AR(1); the
depth, the pace, the noise and its correlation between the curves are drawn at random. Whatever is
found of severity problem or warning is a false alarm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.runs.store import Curves
from diagnostics import Severity, diagnose

Array = NDArray[np.float64]
LENGTHS = (10, 20, 50, 150)
CORRELATIONS = (0.0, 0.5, 0.8, 0.9)
RUNS = 500
STATISTICAL = ("overfitting", "overconfidence", "label_noise", "loss_accuracy_divergence",
               "exploding_or_nan", "oscillating", "not_learning", "slow_learning", "underfitting",
               "distribution_shift")  # fmt: skip


def autoregressive(length: int, correlation: float, rng: np.random.Generator) -> Array:
    """AR(1) noise of unit variance."""
    steps = rng.normal(size=length)
    values = np.empty(length)
    values[0] = steps[0]
    for i in range(1, length):
        values[i] = correlation * values[i - 1] + np.sqrt(1 - correlation**2) * steps[i]
    return values


def null_run(length: int, correlation: float, rng: np.random.Generator) -> Curves:
    """Four curves that come to rest, the validation loss with up to 10 % of noise."""
    time = np.arange(length)
    fade = np.exp(-time / (length * rng.uniform(0.05, 0.3)))
    start, rest = rng.uniform(0.7, 2.3), rng.uniform(0.02, 0.3)
    gap, jitter = rng.uniform(1.0, 1.3), rng.uniform(0.005, 0.1)
    loss, val_loss = start * fade + rest, start * fade + rest * gap
    errors = rest / rng.uniform(2, 4)
    accuracy = 1 - errors - (0.6 - errors) * fade

    def noisy(curve: Array, share: float) -> list[float]:
        return list(curve * (1 + share * autoregressive(length, correlation, rng)))

    val_accuracy = 1 - np.array(noisy(1 - accuracy, jitter)) * gap
    return {
        "loss": noisy(loss, jitter / 3),
        "accuracy": list(1 - np.array(noisy(1 - accuracy, jitter / 3))),
        "val_loss": noisy(val_loss, jitter),
        "val_accuracy": list(np.round(val_accuracy * 1000) / 1000),
    }


def alarms(length: int, correlation: float) -> Iterator[tuple[str, Severity]]:
    """Yield every problem and warning found in the null runs of one kind."""
    rng = np.random.default_rng([length, round(100 * correlation)])
    for _ in range(RUNS):
        for finding in diagnose(null_run(length, correlation, rng)).findings:
            if finding.severity is not Severity.INFO:
                yield finding.code, finding.severity


def main() -> None:
    """Print the share of null runs with each false alarm, in Markdown."""
    head = ["AR(1)", "epochs", "any problem", *(f"`{code}`" for code in STATISTICAL), "others"]
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for correlation in CORRELATIONS:
        for length in LENGTHS:
            found = list(alarms(length, correlation))
            counts = Counter(code for code, _ in found)
            problems = sum(severity is Severity.PROBLEM for _, severity in found)
            others = sum(n for code, n in counts.items() if code not in STATISTICAL)
            shares = (problems, *(counts[code] for code in STATISTICAL), others)
            cells = [f"{correlation:g}", str(length), *(f"{n / RUNS:.1%}" for n in shares)]
            print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
