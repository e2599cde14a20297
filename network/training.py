"""Training: a record of every epoch, and a way back from any crash."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck_arguments import Count, Seed, checked
from network.checkpoint import TrainingRun
from network.early_stopping import EarlyStopping
from network.epoch import Epoch, mean_loss, require_finite
from network.flat_parameters import Vectors, in_training
from network.functional import Array, Labels
from network.losses.base import Loss
from network.losses.cross_entropy import SoftmaxCrossEntropy
from network.model import Sequential, in_use
from network.optimizers import SGD, Optimizer
from network.progress import Record, progress_bar
from network.regularization import Penalty
from network.schedules import Schedule
from network.validation import Data, validate_data


@checked
def fit(
    model: Sequential,
    X: Array,
    y: Labels,
    *,
    validation: tuple[Array, Labels] | None = None,
    epochs: Count = 10,
    batch_size: Count = 32,
    optimizer: Optimizer | None = None,
    loss: Loss | None = None,
    schedule: Schedule | None = None,
    penalty: Penalty | None = None,
    early_stopping: EarlyStopping | None = None,
    seed: Seed = 0,
    folder: str | Path | None = None,
    resume: bool = False,
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
        Inputs of shape (n, features) and integer labels of shape (n,). For a regression, with
        `MeanSquaredError` or `HuberLoss`, y holds floats of shape (n, outputs), or (n,) where the
        model has one output.
    validation
        A pair like (X, y) that is evaluated after every epoch.
    epochs, batch_size
        Passes over the data, and samples per step.
    optimizer, loss
        `SGD` with momentum 0.9 at 0.02, and `SoftmaxCrossEntropy`, where None.
    schedule
        The share of the learning rate that is used as training goes on, see `network.schedules`.
    penalty
        What large weights cost on top of the loss; biases are free. The losses in the records are
        without it, so that they compare with those of other runs; it is a number of its own.
    early_stopping
        When to end before all epochs are done. The model is left as it was after the best one.
    seed
        Of the shuffling.
    folder
        Where ``history.jsonl`` and ``checkpoint.npz`` are written after every epoch; one run at a
        time.
    resume
        Whether to go on with the run in ``folder``: one that was interrupted at any moment ends
        with the same weights, to the last bit, as if it had not been. Where the folder holds none,
        the run begins.
    progress
        Whether to show a progress bar; where None, if the output is a terminal.
    callback
        Called with every record as it is made.

    Returns
    -------
    list of dict
        ``epoch`` from 1, ``train_loss`` and ``train_accuracy`` (means over the epoch's steps),
        ``val_loss`` and ``val_accuracy`` where there is validation, ``learning_rate`` (of the last
        step), ``penalty`` where there is one, ``seconds``. A regression has no accuracies, and
        ``val_r2``, the share of the variance that is predicted.

    Raises
    ------
    ValueError
        If the data do not fit the model or each other, or the run in ``folder`` is another or is
        being trained; the message names the argument.
    FloatingPointError
        If the loss becomes NaN or infinite; the message says in which epoch and batch, and which
        layer was the first.
    """
    optimizer = SGD(0.02, momentum=0.9) if optimizer is None else optimizer
    loss = SoftmaxCrossEntropy() if loss is None else loss
    data = validate_data(model, X, y, loss)
    held_out = validation and validate_data(
        model, *validation, loss, "validation[0]", "validation[1]"
    )
    if resume and folder is None:
        raise ValueError("resume=True needs the folder of the run")
    made_of = {"optimizer": optimizer, "loss": loss, "schedule": schedule, "penalty": penalty}
    run = None
    if folder is not None:
        settings = _settings(model, data, made_of, batch_size=batch_size, seed=seed)
        run = TrainingRun(Path(folder), settings, resume=resume)

    with (
        nullcontext() if run is None else closing(run),
        in_training(model, optimizer) as vectors,
        progress_bar(epochs, progress) as advance,
    ):
        keeper = _Keeper(model, optimizer, vectors, early_stopping, run)
        one_epoch = Epoch(model, vectors, data, optimizer, loss, penalty, schedule, batch_size)
        for record in keeper.records:
            advance(record)
        while len(keeper.records) < epochs and not keeper.stopped:
            began = time.perf_counter()
            number = len(keeper.records) + 1
            # what overflows shows in the loss, which is looked at in every step
            with np.errstate(over="ignore", invalid="ignore", under="ignore"):
                record = {"epoch": number, **one_epoch.train(number, epochs, seed)}
                if held_out:
                    record |= _validate(model, held_out, loss, number)
            record["seconds"] = time.perf_counter() - began
            keeper.keep(record)
            advance(record)
            if callback is not None:
                callback(record)
        keeper.finish()
    return keeper.records


@checked
def evaluate(
    model: Sequential, X: Array, y: Labels, *, loss: Loss | None = None
) -> tuple[float, float]:
    """Return the mean loss of ``model`` on all of (X, y), in use, and its accuracy.

    Of a regression, R^2 takes the place of the accuracy: the share of the variance predicted.

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
    data = validate_data(model, X, y, loss)
    with in_use(model):
        return mean_loss(model, data, loss)


def _validate(model: Sequential, data: Data, loss: Loss, epoch: int) -> Record:
    with in_use(model):
        mean, score = mean_loss(model, data, loss)
        require_finite(mean, f"validation after epoch {epoch}", model, data.X)
    return {"val_loss": mean, "val_r2" if data.of_numbers else "val_accuracy": score}


@dataclass
class _Keeper:
    """All that a run remembers from one epoch to the next, in memory and in its folder."""

    model: Sequential
    optimizer: Optimizer
    vectors: Vectors
    early_stopping: EarlyStopping | None
    run: TrainingRun | None
    records: list[Record] = field(default_factory=list)
    stopped: bool = False
    best: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.run is not None and self.run.arrays:
            self._restore(self.run)

    def keep(self, record: Record) -> None:
        """Add the record of an epoch, and decide whether it was the last one."""
        self.records.append(record)
        if self.early_stopping is not None:
            if self.early_stopping.review(self.records):
                self.best = {name: value.copy() for name, value in self._weights().items()}
            self.stopped = self.early_stopping.over(len(self.records))
        if self.run is not None:
            self.run.record(record)
            self.run.save(self._arrays(), {"records": self.records, "stopped": self.stopped})

    def finish(self) -> None:
        """Go back to the best epoch where there was early stopping."""
        for name, value in self.best.items():
            self._weights()[name][...] = value

    def _weights(self) -> dict[str, Array]:
        """Return what makes the model's predictions, live."""
        params = {f"params/{name}": value for name, value in self.model.params.items()}
        return params | {f"state/{name}": value for name, value in self.model.state.items()}

    def _arrays(self) -> dict[str, Array]:
        """Return all that the next epoch depends on."""
        remembered = {
            f"optimizer/{name}/{key}": value
            for name, state in self.optimizer.state.items()
            for key, value in state.items()
        }
        best = {f"best/{name}": value for name, value in self.best.items()}
        return self._weights() | remembered | best

    def _restore(self, run: TrainingRun) -> None:
        self.records = run.facts["records"]
        self.stopped = run.facts["stopped"]
        if self.early_stopping is not None:
            self.early_stopping.review(self.records)
        weights = self._weights()
        for name, value in run.arrays.items():
            kind, _, rest = name.partition("/")
            if kind == "best":
                self.best[rest] = value
            elif kind == "optimizer":
                vector, _, key = rest.partition("/")
                parameter = self.vectors.params[vector]
                self.optimizer.remembered(vector, parameter)[key][...] = value
            else:
                weights[name][...] = value


def _settings(
    model: Sequential, data: Data, made_of: dict[str, Any], **numbers: int
) -> dict[str, Any]:
    """Return all that the weights depend on, but for the number of epochs."""
    shapes = {name: list(value.shape) for name, value in model.params.items()}
    layers = [_described(layer) for layer in model.leaves()]
    checksum = zlib.crc32(data.y, zlib.crc32(data.X))  # type: ignore[arg-type]
    parts = {name: _described(part) for name, part in made_of.items()}
    return {"layers": layers, "shapes": shapes, "data": checksum, **parts, **numbers}


def _described(thing: Any) -> str:
    """Return the type of a thing and the settings it was made with."""
    if thing is None or (callable(thing) and hasattr(thing, "__qualname__")):
        return getattr(thing, "__qualname__", "none")
    settings = ", ".join(
        f"{name}={value.tolist() if isinstance(value, np.ndarray) else value}"
        for name, value in sorted(vars(thing).items())
        if not name.startswith("_") and name not in ("state", "training", "keep", "reuse")
    )
    return f"{type(thing).__name__}({settings})"
