"""The training loop: minibatches, validation, and a record of every epoch."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.losses import Loss, SoftmaxCrossEntropy
from network.model import Sequential
from network.optimizers import SGD

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]
Record = dict[str, float]

# Rows evaluated at once: large enough to be fast, small enough for any memory.
EVALUATION_ROWS = 4096


def fit(
    model: Sequential,
    X: Array,
    y: Labels,
    *,
    validation: tuple[Array, Labels] | None = None,
    epochs: int = 10,
    batch_size: int = 32,
    optimizer: SGD | None = None,
    loss: Loss | None = None,
    seed: int = 0,
    progress: bool | None = None,
    callback: Callable[[Record], None] | None = None,
) -> list[Record]:
    """Train ``model`` and return one record per epoch.

    Parameters
    ----------
    model
        Returns logits of shape (n, classes); changed in place.
    X, y
        Inputs of shape (n, features) and integer labels of shape (n,).
    validation
        A pair like (X, y) that is evaluated after every epoch.
    epochs, batch_size
        Passes over the data, and samples per step.
    optimizer, loss
        `SGD` with momentum 0.9 at 0.02, and `SoftmaxCrossEntropy`, where None.
    seed
        Of the shuffling.
    progress
        Whether to show a progress bar; where None, if the output is a terminal.
    callback
        Called with every record as it is made.

    Returns
    -------
    list of dict
        ``epoch``, ``train_loss`` and ``train_accuracy`` (means over the epoch's steps),
        ``val_loss`` and ``val_accuracy`` where there is validation, ``seconds``.

    Raises
    ------
    ValueError
        If the data do not fit the model or each other; the message names the argument.
    FloatingPointError
        If the loss becomes NaN or infinite; the message says in which epoch and step.
    """
    classes = _validate(model, X, y, "X", "y")
    if validation is not None:
        _validate(model, *validation, "validation[0]", "validation[1]")
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"{name}={value}: expected at least 1")
    optimizer = SGD(0.02, momentum=0.9) if optimizer is None else optimizer
    loss = SoftmaxCrossEntropy() if loss is None else loss
    dtype = next(iter(model.params.values())).dtype
    X = np.ascontiguousarray(X, dtype=dtype)
    targets = np.eye(classes, dtype=dtype)[y]
    rng = np.random.default_rng(seed)
    records: list[Record] = []
    with _progress_bar(epochs, progress) as advance:
        for epoch in range(1, epochs + 1):
            began = time.perf_counter()
            order = rng.permutation(len(X))
            record: Record = {"epoch": epoch}
            record |= _run_epoch(model, X, targets, order, batch_size, optimizer, loss, epoch)
            if validation is not None:
                mean, accuracy = evaluate(model, *validation, loss=loss)
                record |= {"val_loss": mean, "val_accuracy": accuracy}
            record["seconds"] = time.perf_counter() - began
            records.append(record)
            advance(record)
            if callback is not None:
                callback(record)
    return records


def evaluate(
    model: Sequential, X: Array, y: Labels, *, loss: Loss | None = None
) -> tuple[float, float]:
    """Return the mean loss and the accuracy of ``model`` on all of (X, y)."""
    loss = SoftmaxCrossEntropy() if loss is None else loss
    dtype = next(iter(model.params.values())).dtype
    total, right = 0.0, 0
    for start in range(0, len(X), EVALUATION_ROWS):
        rows = slice(start, start + EVALUATION_ROWS)
        logits = model.forward(np.asarray(X[rows], dtype=dtype))
        targets = np.eye(logits.shape[1], dtype=dtype)[y[rows]]
        total += loss.forward(logits, targets) * len(logits)
        right += int(np.sum(logits.argmax(axis=1) == y[rows]))
    return total / len(X), right / len(X)


def _run_epoch(
    model: Sequential,
    X: Array,
    targets: Array,
    order: NDArray[np.intp],
    batch_size: int,
    optimizer: SGD,
    loss: Loss,
    epoch: int,
) -> Record:
    total, right = 0.0, 0
    for step, start in enumerate(range(0, len(X), batch_size), start=1):
        rows = order[start : start + batch_size]
        t = targets[rows]
        logits = model.forward(X[rows])
        value = loss.forward(logits, t)
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the loss is {value} in epoch {epoch}, step {step}: {_first_bad(model, X[rows])}. "
                "Lower the learning rate, or look for log(0) and overflow"
            )
        model.backward(loss.backward())
        optimizer.step(model.params, model.grads)
        total += value * len(rows)
        right += int(np.sum(logits.argmax(axis=1) == t.argmax(axis=1)))
    return {"train_loss": total / len(X), "train_accuracy": right / len(X)}


def _first_bad(model: Sequential, x: Array) -> str:
    """Say which layer is the first to give numbers that are not finite."""
    for position, layer in enumerate(model.layers):
        for name, value in layer.params.items():
            if not np.isfinite(value).all():
                return f"{name} of layer {position} ({type(layer).__name__}) is not finite"
        with np.errstate(all="ignore"):
            x = layer.forward(x)
        if not np.isfinite(x).all():
            return f"layer {position} ({type(layer).__name__}) is the first whose output is not"
    return "every layer's output is finite, the loss itself is not"


def _validate(model: Sequential, X: Any, y: Any, x_name: str, y_name: str) -> int:
    """Refuse data that do not belong together; return the number of classes."""
    X, y = np.asarray(X), np.asarray(y)
    first, last = model.layers[0].params, model.layers[-1].params
    if X.ndim != 2 or len(X) == 0:
        raise ValueError(f"{x_name} has shape {X.shape}; expected (n, features) with n at least 1")
    if "W" in first and X.shape[1] != first["W"].shape[0]:
        raise ValueError(
            f"{x_name} has {X.shape[1]} features; the model takes {first['W'].shape[0]}"
        )
    if X.dtype.kind not in "fiu" or (X.dtype.kind == "f" and not np.isfinite(X).all()):
        raise ValueError(f"{x_name} holds values that are not finite real numbers")
    if y.dtype.kind not in "iu" or y.shape != (len(X),):
        raise ValueError(
            f"{y_name} has shape {y.shape} and dtype {y.dtype}; expected {len(X)} integer labels"
        )
    classes = int(last["b"].size) if "b" in last else int(y.max()) + 1
    if y.min() < 0 or y.max() >= classes:
        raise ValueError(
            f"{y_name} holds labels from {y.min()} to {y.max()}; expected 0 to {classes - 1}"
        )
    return classes


@contextmanager
def _progress_bar(epochs: int, wanted: bool | None) -> Iterator[Callable[[Record], None]]:
    """Yield a function that is told every record; it draws a bar where one is wanted."""
    if wanted is False or (wanted is None and not sys.stderr.isatty()):
        yield lambda record: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("epoch {task.completed}/{task.total}"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=epochs)

        def advance(record: Record) -> None:
            shown = "val" if "val_loss" in record else "train"
            text = f"loss {record[f'{shown}_loss']:.3f}  accuracy {record[f'{shown}_accuracy']:.1%}"
            bar.update(task, advance=1, description=f"{shown} {text}")

        yield advance
