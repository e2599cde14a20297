"""Samples per second of one epoch: our trainer, scikit-learn, PyTorch, and the products alone.

``python -m benchmarks.training [--batch 32 128 512] [--samples 12000] [--rounds 7]``

All train the same 784-300-75-10 network in float32 by SGD with momentum on shuffled minibatches and
keep account of the loss, with the threads they take by default. The racers take turns, so that a
busy machine slows all alike, and the best round of each counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from network import SGD, fit, load_mnist, mlp

SIZES = (784, 300, 75, 10)
LEARNING_RATE, MOMENTUM = 0.02, 0.9
# Threads of one library that wait for more work, busily, would take the processor from the next.
PAUSE = 0.2

Epoch = Callable[[], object]
Images = NDArray[np.float32]
Labels = NDArray[np.int64]


def ours(X: Images, y: Labels, batch: int) -> Epoch:
    model, optimizer = mlp(SIZES), SGD(LEARNING_RATE, MOMENTUM)
    return lambda: fit(model, X, y, epochs=1, batch_size=batch, optimizer=optimizer, progress=False)


def products_alone(X: Images, y: Labels, batch: int) -> Epoch:
    """Return the epoch's matrix products, into buffers that are there already: the upper limit."""
    rng = np.random.default_rng(0)
    W = [rng.normal(size=shape).astype(np.float32) for shape in pairwise(SIZES)]
    a = [np.empty((batch, size), np.float32) for size in SIZES]
    delta = [np.empty_like(each) for each in a]
    dW = [np.empty_like(each) for each in W]
    for each in (*a, *delta):
        each[...] = rng.normal(size=each.shape)

    def epoch() -> None:
        for _ in range(len(X) // batch):
            for i, weights in enumerate(W):
                np.matmul(a[i], weights, out=a[i + 1])
            for i in reversed(range(len(W))):
                np.matmul(a[i].T, delta[i + 1], out=dW[i])
                if i:  # nobody asks for the gradient with respect to the pixels
                    np.matmul(delta[i + 1], W[i].T, out=delta[i])
            a[1][...] = delta[1][...] = delta[2][...] = 1e-3  # keep the numbers from growing

    return epoch


def pytorch(X: Images, y: Labels, batch: int) -> Epoch:
    import torch
    from torch import nn

    units = pairwise(SIZES)
    layers = [part for i, o in units for part in (nn.Linear(i, o), nn.ReLU())][:-1]
    model, loss = nn.Sequential(*layers), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)
    pixels, labels = torch.from_numpy(X), torch.from_numpy(y)

    def epoch() -> float:
        order, total = torch.randperm(len(X)), 0.0
        for start in range(0, len(X), batch):
            rows = order[start : start + batch]
            optimizer.zero_grad()
            value = loss(model(pixels[rows]), labels[rows])
            value.backward()
            optimizer.step()
            total += value.item() * len(rows)
        return total / len(X)

    return epoch


def scikit_learn(X: Images, y: Labels, batch: int) -> Epoch:
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        SIZES[1:-1],
        solver="sgd",
        alpha=0.0,
        momentum=MOMENTUM,
        nesterovs_momentum=False,
        learning_rate_init=LEARNING_RATE,
        batch_size=batch,
        max_iter=1,
        random_state=0,
    )
    return lambda: model.partial_fit(X, y, classes=np.arange(SIZES[-1]))


def racers() -> Iterator[tuple[str, Callable[[Images, Labels, int], Epoch]]]:
    yield "ours", ours
    yield "products alone", products_alone
    if find_spec("torch"):
        yield "pytorch", pytorch
    if find_spec("sklearn"):
        yield "scikit-learn", scikit_learn


def race(X: Images, y: Labels, batch: int, rounds: int) -> dict[str, float]:
    """Return every racer's samples per second in its best round."""
    epochs = {name: make(X, y, batch) for name, make in racers()}
    best = dict.fromkeys(epochs, np.inf)
    for _ in range(rounds + 1):  # the first one warms up
        for name, epoch in epochs.items():
            time.sleep(PAUSE)
            began = time.perf_counter()
            epoch()
            best[name] = min(best[name], time.perf_counter() - began)
    return {name: len(X) / seconds for name, seconds in best.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 128, 512])
    parser.add_argument("--samples", type=int, default=12_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    digits = load_mnist()
    rows = np.resize(np.arange(len(digits.X_train)), options.samples)
    X, y = digits.X_train[rows], digits.y_train[rows]
    for batch in options.batch:
        speeds = race(X, y, batch, options.rounds)
        print(f"batch {batch}")
        for name, speed in speeds.items():
            ratio = speeds["ours"] / speed
            print(f"  {name:<15} {speed:>9,.0f} samples/s   ours is {ratio:5.2f} times as fast")


if __name__ == "__main__":
    main()
