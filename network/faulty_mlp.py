"""An MNIST perceptron with four faults: its validation loss rises while its accuracy rises.

Written as its author describes it, one sample at a time, with the four faults that were in it.
Each can be mended by itself, so that tools can be tried on any combination of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gradcheck_arguments import Count, Positive, Seed, checked
from network.functional import Array, one_hot, softmax

FAULTS = ("softmax", "bias", "output_error", "loss")


def matrix_softmax(x: Array) -> Array:
    """Return exp(x) normalised over the whole array: right for one row, wrong for a batch."""
    e: Array = np.exp(x - np.max(x))
    return np.asarray(e / np.sum(e))


def naive_cross_entropy(p: Array, t: Array) -> float:
    """Return -sum(t log p) / len(p): infinite or NaN at p = 0, and wrong for a single 1-D row."""
    return float(-np.sum(t * np.log(p)) / len(p))


def guarded_cross_entropy(p: Array, t: Array) -> float:
    """Return the mean of -log p over the samples, finite at p = 0; a 1-D row is a batch of one."""
    p, t = np.atleast_2d(p, t)
    return naive_cross_entropy(np.maximum(p, np.finfo(p.dtype).tiny), t)


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
        The output error p - t is multiplied by the Jacobian of the softmax once more: the step
        descends the squared error |p - t|^2 / 2, not the cross-entropy that is reported.
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
        Of the descent, see `train`.
    seed
        Of the initial weights: normal with variance 1 / inputs, biases zero.

    Attributes
    ----------
    params
        The live weights and biases, float64: ``W1`` of shape (inputs, outputs), ``b1`` of shape
        (outputs,), ``W2`` and so on.

    Raises
    ------
    ValueError
        If ``mend`` names something that is no fault, or there are fewer than two sizes.
    """

    @checked
    def __init__(
        self,
        sizes: tuple[Count, ...] = (784, 300, 75, 10),
        *,
        mend: Iterable[str] = (),
        learning_rate: Positive = 0.5,
        batch_size: Count = 32,
        seed: Seed = 0,
    ) -> None:
        self.mend = frozenset(mend)
        unknown = sorted(self.mend - set(FAULTS))
        if unknown:
            raise ValueError(f"mend={unknown}: the faults are {list(FAULTS)}")
        if len(sizes) < 2:
            raise ValueError(f"sizes={sizes}: expected at least inputs and outputs")
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.layers = len(sizes) - 1
        rng = np.random.default_rng(seed)
        self.params: dict[str, Array] = {}
        for layer, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
            self.params[f"W{layer}"] = rng.normal(0, 1 / np.sqrt(inputs), (inputs, outputs))
            self.params[f"b{layer}"] = np.zeros(outputs)
        self.softmax = softmax if "softmax" in self.mend else matrix_softmax
        self.cross_entropy = guarded_cross_entropy if "loss" in self.mend else naive_cross_entropy

    @checked
    def forward(self, X: ArrayLike) -> Array:
        """Return the class probabilities of one sample or, as evaluation does, of a batch.

        Parameters
        ----------
        X
            Inputs of shape (n, inputs) or (inputs,).

        Returns
        -------
        ndarray
            Probabilities of shape (n, classes) or (classes,).
        """
        return self._activations(X)[-1]

    predict = forward

    @checked
    def loss(self, p: ArrayLike, t: ArrayLike) -> float:
        """Return the reported cross-entropy of predictions ``p`` for labels or one-hot rows."""
        p = np.asarray(p)
        return self.cross_entropy(p, _as_targets(t, p.shape))

    @checked
    def accuracy(self, p: ArrayLike, t: ArrayLike) -> float:
        """Return the share of predictions whose largest probability is at the right class."""
        p = np.asarray(p)
        right = _as_targets(t, p.shape).argmax(axis=-1)
        return float(np.mean(p.argmax(axis=-1) == right))

    @checked
    def evaluate(self, X: ArrayLike, y: ArrayLike) -> tuple[float, float]:
        """Return the reported loss and the accuracy on a batch, predicted as one matrix."""
        p = self.predict(X)
        return self.loss(p, y), self.accuracy(p, y)

    @checked
    def train(self, X: ArrayLike, y: ArrayLike) -> None:
        """Make one epoch over (X, y) in the order given, changing the weights in place.

        After every ``batch_size`` samples, the last batch being what is left, each parameter
        changes by ``-learning_rate * g / m``, where m is the number of samples in the batch and
        g the sum of their gradients.

        Parameters
        ----------
        X
            Inputs of shape (n, inputs).
        y
            Labels of shape (n,), or one-hot rows.
        """
        X = np.asarray(X, dtype=np.float64)
        targets = _as_targets(y, (len(X), self.params[f"b{self.layers}"].size))
        for start in range(0, len(X), self.batch_size):
            batch = slice(start, start + self.batch_size)
            self._step(X[batch], targets[batch])

    def _step(self, X: Array, targets: Array) -> None:
        gradients = {name: np.zeros_like(value) for name, value in self.params.items()}
        for x, t in zip(X, targets, strict=True):
            self._backpropagate(x, t, gradients)
        for name, gradient in gradients.items():
            self.params[name] -= self.learning_rate * gradient / len(X)

    def _activations(self, X: ArrayLike) -> list[Array]:
        """Return the activations of every layer, the input first and the probabilities last."""
        activations: list[Array] = [np.asarray(X, dtype=np.float64)]
        for layer in range(1, self.layers + 1):
            z = activations[-1] @ self.params[f"W{layer}"] + self.params[f"b{layer}"]
            activations.append(self.softmax(z) if layer == self.layers else np.maximum(z, 0))
        return activations

    def _backpropagate(self, x: Array, t: Array, gradients: dict[str, Any]) -> None:
        """Add one sample's gradients, layer by layer from the output to the input."""
        activations = self._activations(x)
        delta = self._output_error(activations[-1], t)  # (outputs,)
        for layer in range(self.layers, 0, -1):
            below = activations[layer - 1]  # (inputs,)
            active = below != 0  # units that were silent have no part in the gradient
            gradients[f"W{layer}"][active] += np.outer(below[active], delta)
            if "bias" in self.mend:
                gradients[f"b{layer}"] += delta
            else:
                gradients[f"b{layer}"] = np.sum(delta)
            if layer > 1:  # below are rectified units: their derivative is one where active
                delta = (self.params[f"W{layer}"] @ delta) * active

    def _output_error(self, p: Array, t: Array) -> Array:
        """Return the derivative with respect to the input of the softmax."""
        error = p - t
        if "output_error" in self.mend:
            return error
        jacobian = np.diag(p) - np.outer(p, p)
        return np.asarray(jacobian @ error)


def _as_targets(y: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Return labels as one-hot rows of the given shape, and rows as they are."""
    y = np.asarray(y)
    if y.dtype.kind in "iu" and y.shape == shape[:-1]:
        return one_hot(y.reshape(-1), shape[-1], name="y").reshape(shape)
    if y.shape != shape:
        raise ValueError(
            f"y has shape {y.shape} and dtype {y.dtype}; expected integer labels of shape "
            f"{shape[:-1]} or rows of shape {shape}"
        )
    return y
