"""Training loops as strangers write them: each its own code, sharing nothing but the data.

Each loop yields, epoch by epoch, the losses and accuracies of training, of validation, and of the
rows used nowhere, as ``(train_loss, train_accuracy, val_loss, val_accuracy, loss, accuracy)``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, log_softmax, softmax
from sklearn.ensemble import GradientBoostingClassifier  # type: ignore[import-untyped]
from sklearn.linear_model import SGDClassifier, SGDRegressor  # type: ignore[import-untyped]
from sklearn.metrics import log_loss  # type: ignore[import-untyped]
from sklearn.neural_network import MLPClassifier  # type: ignore[import-untyped]

from benchmarks.runs.sources import Array, load

Row = tuple[float, ...]
Pair = tuple[Array, Array]


@dataclass
class Sets:
    """Training, validation and unused rows; faults of the data are put in by the caller."""

    train: Pair
    val: Pair
    rest: Pair
    classes: int


def draw(data: str, samples: int, validation: int, rng: np.random.Generator) -> Sets:
    """Split a data set; ``"digits=8"`` asks whether it is an eight."""
    name, _, positive = data.partition("=")
    source = load(name)
    order = rng.permutation(len(source.X))
    X, y = source.X[order], source.y[order]
    if positive:
        y = (y == int(positive)).astype(np.int64)
    held, used = validation, validation + samples
    cut = [
        (X[part], y[part]) for part in (slice(held, used), slice(held), slice(used, used + 1500))
    ]
    rest = cut[2] if len(cut[2][0]) > 50 else cut[1]
    return Sets(cut[0], cut[1], rest, 2 if positive else source.classes)


def measured(proba: Callable[[Array], Array], rows: Pair) -> tuple[float, float]:
    """Log loss and accuracy of probabilities."""
    p = np.clip(proba(rows[0]), 1e-15, 1)
    n = np.arange(len(rows[1]))
    return float(-np.log(p[n, rows[1]]).mean()), float((p.argmax(axis=1) == rows[1]).mean())


def partial_fit(
    sets: Sets, rng: np.random.Generator, epochs: int = 30, chunk: int = 50, **options: Any
) -> Iterator[Row]:
    """A linear classifier of scikit-learn, chunk by chunk."""
    model = SGDClassifier(loss="log_loss", random_state=0, **options)
    yield from _partially(model, sets, rng, epochs, chunk)


def network_partial_fit(
    sets: Sets, rng: np.random.Generator, epochs: int = 30, chunk: int = 100, **options: Any
) -> Iterator[Row]:
    """A network of scikit-learn, chunk by chunk."""
    model = MLPClassifier(random_state=0, **options)
    yield from _partially(model, sets, rng, epochs, chunk)


def _partially(
    model: Any, sets: Sets, rng: np.random.Generator, epochs: int, chunk: int
) -> Iterator[Row]:
    X, y = sets.train
    classes = np.arange(sets.classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(epochs):
            order = rng.permutation(len(X))
            for start in range(0, len(X), chunk):
                rows = order[start : start + chunk]
                model.partial_fit(X[rows], y[rows], classes=classes)
            pairs = (measured(model.predict_proba, s) for s in (sets.train, sets.val, sets.rest))
            yield tuple(number for pair in pairs for number in pair)


def boosted(
    sets: Sets, rng: np.random.Generator, epochs: int = 100, **options: Any
) -> Iterator[Row]:
    """Trees added one by one, as boosting logs them."""
    model = GradientBoostingClassifier(n_estimators=epochs, random_state=0, **options)
    model.fit(*sets.train)
    staged = [list(model.staged_predict_proba(s[0])) for s in (sets.train, sets.val, sets.rest)]
    for predictions in zip(*staged, strict=True):
        row: list[float] = []
        for p, (_, y) in zip(predictions, (sets.train, sets.val, sets.rest), strict=True):
            row += [log_loss(y, p, labels=np.arange(sets.classes)), (p.argmax(axis=1) == y).mean()]
        yield tuple(row)


def regressor(
    sets: Sets, rng: np.random.Generator, epochs: int = 40, **options: Any
) -> Iterator[Row]:
    """A linear regression by stochastic descent; in place of accuracies R squared."""
    model = SGDRegressor(random_state=0, **options)
    X, y = sets.train[0], sets.train[1].ravel()
    for _ in range(epochs):
        order = rng.permutation(len(X))
        model.partial_fit(X[order], y[order])
        row: list[float] = []
        for A, b in (sets.train, sets.val, sets.rest):
            error = float(np.mean((model.predict(A) - b.ravel()) ** 2))
            row += [error, 1 - error / float(b.var())]
        yield tuple(row)


def whole_batch(
    sets: Sets, rng: np.random.Generator, epochs: int = 100, rate: float = 0.5, decay: float = 0.0,
    penalty: float = 0.0, every: int = 1, sign: float = -1.0, wrong: str = "",
) -> Iterator[Row]:  # fmt: skip
    """Softmax regression by descent on the whole training set, at a rate that decreases."""
    X, y = sets.train
    W, b = np.zeros((X.shape[1], sets.classes)), np.zeros(sets.classes)
    one_hot = np.eye(sets.classes)[y]

    def loss(rows: Pair, axis: int | None = 1) -> tuple[float, float]:
        logp = log_softmax(rows[0] @ W + b, axis=axis)
        n = np.arange(len(rows[1]))
        total = -logp[n, rows[1]]
        return float(total.sum() if wrong == "sum" and rows is sets.train else total.mean()), float(
            (logp.argmax(axis=1) == rows[1]).mean()
        )

    for epoch in range(epochs):
        error = (softmax(X @ W + b, axis=1) - one_hot) / len(X)
        step = sign * rate / (1 + decay * epoch)
        W += step * (X.T @ error + penalty * W)
        b += step * error.sum(axis=0)
        if epoch % every == 0:
            axis = {"batch": None, "column": 0}.get(wrong, 1)
            yield (*loss(sets.train), *loss(sets.val, axis), *loss(sets.rest))


def by_hand(
    sets: Sets, rng: np.random.Generator, epochs: int = 40, rate: float = 0.1, decay: float = 0.05,
    hidden: int = 30, batch: int = 20, sigmoid: bool = False, keep: float = 1.0,
    start: float | None = None, wrong: str = "",
) -> Iterator[Row]:  # fmt: skip
    """Two layers of NumPy with a bias each, one sigmoid for each class where asked."""
    X, y = sets.train
    scale = start if start is not None else 1 / np.sqrt(X.shape[1])
    W1, b1 = rng.normal(size=(X.shape[1], hidden)) * scale, np.zeros(hidden)
    W2, b2 = rng.normal(size=(hidden, sets.classes)) * scale, np.zeros(sets.classes)
    T = np.eye(sets.classes)[y]

    def out(A: Array) -> Array:
        z = np.tanh(A @ W1 + b1) @ W2 + b2
        return np.asarray(expit(z) if sigmoid else softmax(z, axis=1))

    def score(rows: Pair, axis: int | None = 1) -> tuple[float, float]:
        p = out(rows[0])
        if axis is None:
            p = softmax(np.log(np.clip(p, 1e-300, None)), axis=None)
        t = np.eye(sets.classes)[rows[1]]
        with np.errstate(all="ignore"):
            cost = -(t * np.log(p) + (1 - t) * np.log(1 - p)) if sigmoid else -(t * np.log(p))
        accuracy = float((p.argmax(axis=1) == rows[1]).mean())
        return float(np.nansum(cost, axis=1).mean() if sigmoid else cost[t > 0].mean()), accuracy

    for epoch in range(epochs):
        order = rng.permutation(len(X))
        for i in range(0, len(X), batch):
            rows = order[i : i + batch]
            h = np.tanh(X[rows] @ W1 + b1)
            mask = (rng.random(h.shape) < keep) / keep
            z = (h * mask) @ W2 + b2
            p = expit(z) if sigmoid else softmax(z, axis=1)
            d = (p - T[rows]) / len(rows)
            dh = (d @ W2.T) * mask * (1 - h**2)
            eta = rate / (1 + decay * epoch) * (-1 if wrong == "ascent" else 1)
            if wrong != "frozen":
                W1 -= eta * X[rows].T @ dh
                W2 -= eta * (h * mask).T @ d
            b1 -= eta * dh.sum(axis=0) * (wrong != "frozen")
            b2 -= eta * d.sum(axis=0) * (wrong != "frozen")
        axis = None if wrong == "batch" else 1
        yield (*score(sets.train), *score(sets.val, axis), *score(sets.rest))
