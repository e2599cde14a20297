"""One pass over the data, in minibatches: the hot path of training."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from network.flat_parameters import ALL, Vectors
from network.functional import Array
from network.losses.base import Loss
from network.model import Sequential
from network.optimizers import Optimizer
from network.progress import Record
from network.regularization import Penalty
from network.schedules import Schedule
from network.validation import Data

# Rows evaluated at once: large enough to be fast, small enough for any memory.
EVALUATION_ROWS = 4096

# Below the smallest normal number processors compute a hundred times as slowly. Momentum of a pixel
# that is never lit again fades there, at 0.9 a step, and so do the errors of samples predicted with
# certainty. Numbers within a factor of 1e8 of it are far too small to move a parameter, and are
# dropped; in 128 steps 0.9 fades by less than that factor.
FAINT = 1e8
STEPS_TO_FAINT = 128


@dataclass
class Epoch:
    """A trainer that goes once over the data at a time.

    Parameters
    ----------
    model, vectors
        The model, laid out for training by `network.flat_parameters.in_training`.
    data
        The samples.
    optimizer, loss, penalty, schedule, batch_size
        As for `network.fit`.
    """

    model: Sequential
    vectors: Vectors
    data: Data
    optimizer: Optimizer
    loss: Loss
    penalty: Penalty | None
    schedule: Schedule | None
    batch_size: int

    def __post_init__(self) -> None:
        X, rows = self.data.X, self.data.rows
        self.targets = self.loss.targets(rows, rows.shape, X.dtype)
        self.learning_rate = self.optimizer.learning_rate
        self._x = np.empty((min(self.batch_size, len(X)), X.shape[1]), X.dtype)

    def train(self, number: int, epochs: int, seed: int) -> Record:
        """Make one step for every batch of the epoch; return the means over it.

        The order of the samples depends on the seed and the number of the epoch alone, so that a
        run can begin anywhere.
        """
        n = len(self.data.X)
        order = np.random.default_rng([seed, number]).permutation(n)
        batches = math.ceil(n / self.batch_size)
        total, right = 0.0, 0
        try:
            for batch in range(batches):
                if self.schedule is not None:
                    share = self.schedule(number - 1 + batch / batches, epochs)
                    self.optimizer.learning_rate = self.learning_rate * share
                if batch % STEPS_TO_FAINT == 0:
                    momentum = self.optimizer.remembered(ALL, self.vectors.params[ALL])
                    for remembered in momentum.values():
                        drop_faint(remembered)
                rows = order[batch * self.batch_size : (batch + 1) * self.batch_size]
                value, correct = self._step(rows, f"epoch {number}, batch {batch + 1} of {batches}")
                total += value * len(rows)
                right += correct
            record = {"train_loss": total / n}
            if not self.data.of_numbers:
                record["train_accuracy"] = right / n
            record["learning_rate"] = self.optimizer.learning_rate
        finally:
            self.optimizer.learning_rate = self.learning_rate
        if self.penalty is not None:
            record["penalty"] = sum(self.penalty.forward(W) for W, _ in self._weights())
        return record

    def _step(self, rows: NDArray[np.intp], where: str) -> tuple[float, int]:
        """Make one step; return the loss before it, and how many samples were predicted right."""
        # clip: the rows are known to be there, and are not looked at twice
        x = np.take(self.data.X, rows, axis=0, out=self._x[: len(rows)], mode="clip")
        prediction = self.model.forward(x)
        value = self.loss.value(prediction, self.targets.take(rows, axis=0))
        require_finite(value, where, self.model, x)
        right = 0 if self.data.of_numbers else count_right(prediction, self.data.y[rows])
        dy = self.loss.gradient()
        drop_faint(dy)
        self.model.backward_params(dy)
        if self.penalty is not None:
            for W, dW in self._weights():
                self.penalty.forward(W)
                dW += self.penalty.backward()
        # not by its step, which looks at what it is given as if it were new each time
        params, grads = self.vectors.params[ALL], self.vectors.grads[ALL]
        self.optimizer.update(params, grads, self.optimizer.state[ALL])
        return value, right

    def _weights(self) -> list[tuple[Array, Array]]:
        """Return the matrices among the parameters, with their gradients."""
        return [
            (layer.params[name], layer.grads[name])
            for layer in self.model.leaves()
            for name in layer.params
            if layer.params[name].ndim > 1
        ]


def drop_faint(values: Array) -> None:
    """Set to zero what is about to be too small for a normal number."""
    values[np.abs(values) < FAINT * np.finfo(values.dtype).tiny] = 0


def mean_loss(model: Sequential, data: Data, loss: Loss) -> tuple[float, float]:
    """Return the mean loss of a model in use, and its accuracy or R^2."""
    targets = loss.targets(data.rows, data.rows.shape, data.X.dtype)
    total, score, n = 0.0, 0.0, len(data.X)
    for start in range(0, n, EVALUATION_ROWS):
        rows = slice(start, start + EVALUATION_ROWS)
        prediction = model.forward(data.X[rows])
        total += loss.value(prediction, targets[rows]) * len(prediction)
        if data.of_numbers:
            score += float(np.sum((prediction - data.y[rows]) ** 2, dtype=np.float64))
        else:
            score += count_right(prediction, data.y[rows])
    return total / n, determination(score, data.y) if data.of_numbers else score / n


def determination(squares: float, y: Array) -> float:
    """Return R^2 = 1 - sum of squared errors / sum of squares about the mean; 0 of constants."""
    about_mean = float(np.sum((y - y.mean(axis=0, dtype=np.float64)) ** 2))
    return 1 - squares / about_mean if about_mean > 0 else 0.0


def count_right(prediction: Array, y: NDArray[np.integer]) -> int:
    """Return how many rows have their largest entry at the label."""
    return int(np.count_nonzero(prediction.argmax(axis=1) == y))


def require_finite(value: float, where: str, model: Sequential, x: Array) -> None:
    """Raise FloatingPointError where a loss is NaN or infinite, saying which layer was first."""
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
