"""The network of the question: an MNIST MLP whose validation loss rises while its accuracy rises.

Written as its author describes it, one sample at a time, with the four faults that were in it.
Each can be mended by itself, so that tools can be tried on any combination of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

FAULTS = ("softmax", "bias", "output_error", "loss")


def matrix_softmax(x: Array) -> Array:
    """Return exp(x) normalised over the whole array: right for one row, wrong for a batch."""
    e: Array = np.exp(x - np.max(x))
    return np.asarray(e / np.sum(e))


def row_softmax(x: Array) -> Array:
    """Return exp(x) normalised row by row."""
    e: Array = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return np.asarray(e / np.sum(e, axis=-1, keepdims=True))


def naive_cross_entropy(p: Array, t: Array) -> float:
    """Return -sum(t log p) / len(p): infinite or NaN at p = 0, and wrong for a single 1-D row."""
    return float(-np.sum(t * np.log(p)) / len(p))


def guarded_cross_entropy(p: Array, t: Array) -> float:
    """Return the mean of -log p over the samples, finite at p = 0; a 1-D row is a batch of one."""
    p, t = np.atleast_2d(p), np.atleast_2d(t)
    return float(-np.sum(t * np.log(np.maximum(p, np.finfo(p.dtype).tiny))) / len(p))


class QuestionNetwork:
    """A 784-300-75-10 network with ReLU, ReLU and softmax, trained one sample at a time.

    The four faults, by the names under which they are mended:

    ``"softmax"``
        The maximum is taken over, and the sum divided by, the whole array. Training passes single
        rows and sees nothing of it; evaluation passes the batch.
    ``"bias"``
        Bias gradients are assigned instead of accumulated in the loop over the samples, so that
        the last one alone counts, and summed over the units to one scalar.
    ``"output_error"``
        The output error p - y is multiplied by the Jacobian of the softmax once more: the step
        descends the squared error, not the cross-entropy that is reported.
    ``"loss"``
        The cross-entropy takes log(0), and divides by ``len(p)``, which for a single 1-D
        prediction is the number of classes.

    Parameters
    ----------
    sizes
        Units per layer, inputs first.
    mend
        The faults to mend, any of `FAULTS`.
    learning_rate, batch_size
        Of plain stochastic gradient descent: after each batch every parameter changes by
        ``-learning_rate * (sum of the samples' gradients) / (samples in the batch)``.
    seed
        Of the initial weights.

    Raises
    ------
    ValueError
        If ``mend`` names something that is no fault.
    """

    def __init__(
        self,
        sizes: tuple[int, ...] = (784, 300, 75, 10),
        *,
        mend: Iterable[str] = (),
        learning_rate: float = 0.5,
        batch_size: int = 32,
        seed: int = 0,
    ) -> None:
        self.mend = frozenset(mend)
        unknown = sorted(self.mend - set(FAULTS))
        if unknown:
            raise ValueError(f"mend={unknown}: the faults are {list(FAULTS)}")
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.layers = len(sizes) - 1
        rng = np.random.default_rng(seed)
        self.params: dict[str, Array] = {}
        for layer, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
            self.params[f"W{layer}"] = rng.normal(0, 1 / np.sqrt(inputs), (inputs, outputs))
            self.params[f"b{layer}"] = np.zeros(outputs)
        self.softmax = row_softmax if "softmax" in self.mend else matrix_softmax
        self.cross_entropy = guarded_cross_entropy if "loss" in self.mend else naive_cross_entropy

    def forward(self, x: Array) -> list[Array]:
        """Return the activations of every layer, the input first and the probabilities last."""
        activations: list[Array] = [np.asarray(x, dtype=np.float64)]
        for layer in range(1, self.layers + 1):
            z = activations[-1] @ self.params[f"W{layer}"] + self.params[f"b{layer}"]
            last = layer == self.layers
            activations.append(self.softmax(z) if last else np.maximum(z, 0))
        return activations

    def predict(self, X: Array) -> Array:
        """Return the class probabilities of a batch, shape (n, classes), as evaluation does."""
        return self.forward(X)[-1]

    def loss(self, p: Array, y: Any) -> float:
        """Return the reported cross-entropy of predictions ``p`` for labels or one-hot rows."""
        return self.cross_entropy(p, self._one_hot(y) if np.ndim(p) == 2 else np.asarray(y))

    def evaluate(self, X: Array, y: Any) -> tuple[float, float]:
        """Return the reported loss and the accuracy on a batch."""
        p = self.predict(X)
        accuracy = float(np.mean(p.argmax(axis=-1) == self._one_hot(y).argmax(axis=-1)))
        return self.loss(p, y), accuracy

    def train(self, X: Array, y: Any) -> None:
        """Make one epoch over (X, y) in the order given, changing the weights in place."""
        targets = self._one_hot(y)
        for start in range(0, len(X), self.batch_size):
            batch = slice(start, start + self.batch_size)
            self._step(X[batch], targets[batch])

    def _step(self, X: Array, targets: Array) -> None:
        gradients = {name: np.zeros_like(value) for name, value in self.params.items()}
        for x, y in zip(X, targets, strict=True):
            self._accumulate(gradients, x, y)
        for name, gradient in gradients.items():
            self.params[name] -= self.learning_rate * gradient / len(X)

    def _accumulate(self, gradients: dict[str, Any], x: Array, y: Array) -> None:
        """Add one sample's gradients, back to front."""
        activations = self.forward(x)
        delta = self._output_error(activations[-1], y)
        for layer in range(self.layers, 0, -1):
            below = activations[layer - 1]
            gradients[f"W{layer}"] += np.outer(below, delta)
            if "bias" in self.mend:
                gradients[f"b{layer}"] += delta
            else:
                gradients[f"b{layer}"] = np.sum(delta)
            if layer > 1:
                delta = (self.params[f"W{layer}"] @ delta) * (below > 0)

    def _output_error(self, p: Array, y: Array) -> Array:
        """Return the derivative with respect to the input of the softmax."""
        error = p - y
        if "output_error" in self.mend:
            return error
        jacobian = np.diag(p) - np.outer(p, p)
        return np.asarray(jacobian @ error)

    def _one_hot(self, y: Any) -> Array:
        labels = np.asarray(y)
        classes = self.params[f"b{self.layers}"].size
        return np.eye(classes)[labels] if labels.ndim == 1 else labels.astype(np.float64)
