"""Time and memory of a check of a large layer, beside torch.autograd.gradcheck in the same run.

Run with ``python -m benchmarks.scale``; needs torch. Both check the same right dense layer with
random weights in float64; ours includes the contract. Runs alternate, and the medians' ratio is
what counts. Memory is the highest that Python allocated during a check, in copies of the weights;
the layer's own gradient of them is one.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import gradcheck

# Batch, inputs, outputs, repetitions, and whether torch's slow mode ends within minutes.
SIZES = ((32, 784, 300, 9, False), (64, 4096, 4096, 3, False), (4, 30, 20, 9, True))


class Dense:
    """A linear layer as people write it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        rng = np.random.default_rng(0)
        self.W = rng.normal(size=(inputs, outputs)) / np.sqrt(inputs)
        self.b = np.zeros(outputs)

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad: Any) -> Any:
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T


@dataclass(frozen=True)
class Race:
    """Median seconds of each contestant, and our memory in copies of the weights."""

    ours: float
    fast: float
    slow: float | None
    copies: float


def torch_gradcheck(layer: Dense, x: Any, *, fast: bool) -> Callable[[], bool]:
    import torch

    tensors = tuple(torch.tensor(value, requires_grad=True) for value in (x, layer.W, layer.b))

    def forward(x: Any, weight: Any, bias: Any) -> Any:
        return x @ weight + bias

    return lambda: torch.autograd.gradcheck(forward, tensors, fast_mode=fast)


def race(batch: int, inputs: int, outputs: int, repetitions: int, with_slow: bool) -> Race:
    layer = Dense(inputs, outputs)
    x = np.random.default_rng(1).normal(size=(batch, inputs))

    def ours() -> bool:
        return gradcheck.check(layer, x, progress=False).ok

    contestants = {"ours": ours, "fast": torch_gradcheck(layer, x, fast=True)}
    if with_slow:
        contestants["slow"] = torch_gradcheck(layer, x, fast=False)
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repetitions):
        for name, run in contestants.items():
            start = time.perf_counter()
            if not run():
                raise RuntimeError(f"{name} refuses a right layer")
            times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    tracemalloc.start()
    ours()
    copies = tracemalloc.get_traced_memory()[1] / layer.W.nbytes
    tracemalloc.stop()
    return Race(medians["ours"], medians["fast"], medians.get("slow"), copies)


def main() -> None:
    print(f"{'layer':>16}{'ours':>9}{'torch fast':>12}{'ratio':>7}{'torch slow':>12}{'copies':>8}")
    for batch, inputs, outputs, repetitions, with_slow in SIZES:
        found = race(batch, inputs, outputs, repetitions, with_slow)
        slow = f"{found.slow:.3f} s" if found.slow is not None else "-"
        print(
            f"{f'{batch}x{inputs}x{outputs}':>16}{found.ours:>7.3f} s{found.fast:>10.3f} s"
            f"{found.ours / found.fast:>7.2f}{slow:>12}{found.copies:>8.1f}"
        )


if __name__ == "__main__":
    main()
