"""The training loop: minibatches, validation, and a record of every epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from network.functional import Array, Labels, one_hot
from network.losses import Loss, SoftmaxCrossEntropy
from network.model import Sequential
from network.optimizers import SGD
from network.progress import Record, progress_bar

# Rows evaluated at once: large enough to be fast, small enough for any memory.
EVALUATION_ROWS = 4096


class _Data(NamedTuple):
    X: Array  # (n, features)
    y: Labels  # (n,)
    targets: Array  # (n, classes), one-hot


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
        Maps inputs to what ``loss`` takes, by default logits of shape (n, classes); changed in
        place.
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
        ``epoch`` from 1, ``train_loss`` and ``train_accuracy`` (means over the epoch's steps),
        ``val_loss`` and ``val_accuracy`` where there is validation, ``seconds``.

    Raises
    ------
    ValueError
        If the data do not fit the model or each other; the message names the argument.
    FloatingPointError
        If the loss becomes NaN or infinite; the message says in which epoch and batch.
    """
    data = _checked(model, X, y, "X", "y")
    held_out = validation and _checked(model, *validation, "validation[0]", "validation[1]")
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"{name}={value}: expected at least 1")
    optimizer = SGD(0.02, momentum=0.9) if optimizer is None else optimizer
    loss = SoftmaxCrossEntropy() if loss is None else loss
    rng = np.random.default_rng(seed)
    records: list[Record] = []
    with progress_bar(epochs, progress) as advance:
        for epoch in range(1, epochs + 1):
            began = time.perf_counter()
            record: Record = {"epoch": epoch}
            # what overflows shows in the loss, which is looked at in every step
            with np.errstate(over="ignore", invalid="ignore"):
                order = rng.permutation(len(data.X))
                batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
                record |= _train(model, data, batches, optimizer, loss, epoch)
                if held_out:
                    mean, accuracy = _evaluate(model, held_out, loss)
                    _stop_unless_finite(mean, f"validation after epoch {epoch}", model, held_out.X)
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
    """Return the mean loss and the accuracy of ``model`` on all of (X, y).

    Parameters
    ----------
    model, X, y, loss
        As for `fit`.

    Raises
    ------
    ValueError
        If the data do not fit the model or each other; the message names the argument.
    """
    loss = SoftmaxCrossEntropy() if loss is None else loss
    return _evaluate(model, _checked(model, X, y, "X", "y"), loss)


def _evaluate(model: Sequential, data: _Data, loss: Loss) -> tuple[float, float]:
    total, right, n = 0.0, 0, len(data.X)
    for start in range(0, n, EVALUATION_ROWS):
        rows = slice(start, start + EVALUATION_ROWS)
        prediction = model.forward(data.X[rows])
        total += loss.forward(prediction, data.targets[rows]) * len(prediction)
        right += _count_right(prediction, data.y[rows])
    return total / n, right / n


def _train(
    model: Sequential,
    data: _Data,
    batches: list[NDArray[np.intp]],
    optimizer: SGD,
    loss: Loss,
    epoch: int,
) -> Record:
    """Make one step for every batch; return the means over the epoch."""
    total, right, n = 0.0, 0, len(data.X)
    for number, rows in enumerate(batches, start=1):
        x = data.X[rows]
        prediction = model.forward(x)
        value = loss.forward(prediction, data.targets[rows])
        _stop_unless_finite(value, f"epoch {epoch}, batch {number} of {len(batches)}", model, x)
        model.backward_params(loss.backward())
        optimizer.step(model.params, model.grads)
        total += value * len(rows)
        right += _count_right(prediction, data.y[rows])
    return {"train_loss": total / n, "train_accuracy": right / n}


def _count_right(prediction: Array, y: Labels) -> int:
    return int(np.count_nonzero(prediction.argmax(axis=1) == y))


def _stop_unless_finite(value: float, where: str, model: Sequential, x: Array) -> None:
    if not math.isfinite(value):
        raise FloatingPointError(
            f"the loss is {value} in {where}: {_first_bad(model, x)}. "
            "Lower the learning rate, or look for log(0) and overflow"
        )


def _first_bad(model: Sequential, x: Array) -> str:
    """Say which layer is the first to give numbers that are not finite."""
    for position, layer in enumerate(model.layers):
        name = f"layer {position} ({type(layer).__name__})"
        for parameter, value in layer.params.items():
            if not np.isfinite(value).all():
                return f"{parameter} of {name} is not finite"
        with np.errstate(all="ignore"):
            x = layer.forward(x)
        if not np.isfinite(x).all():
            return f"{name} is the first whose output is not finite"
    return "every layer's output is finite, the loss itself is not"


def _checked(model: Sequential, X: Any, y: Any, x_name: str, y_name: str) -> _Data:
    """Return the data in the model's dtype, once they are known to fit it."""
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim != 2 or X.size == 0:
        raise ValueError(f"{x_name} has shape {X.shape}; expected (n, features), not empty")
    if X.dtype.kind not in "fiu":
        raise ValueError(f"{x_name} has dtype {X.dtype}; expected real numbers")
    if y.dtype.kind not in "iu" or y.shape != (len(X),):
        raise ValueError(
            f"{y_name} has shape {y.shape} and dtype {y.dtype}; expected {len(X)} integer labels"
        )
    first = model.layers[0].params
    if "W" in first and X.shape[1] != len(first["W"]):
        raise ValueError(f"{x_name} has {X.shape[1]} features; the model takes {len(first['W'])}")
    with np.errstate(over="ignore"):
        X = np.ascontiguousarray(X, dtype=model.dtype)
    if not (np.isfinite(X.min()) and np.isfinite(X.max())):
        raise ValueError(f"{x_name} holds values that are not finite in {X.dtype}")
    classes = model.forward(X[:1]).shape[1]
    return _Data(X, y, one_hot(y, classes, X.dtype, y_name))
