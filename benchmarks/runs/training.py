"""A small network in plain NumPy whose training can be spoiled in every way of the corpus."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.runs.sources import Array, Source, load
from benchmarks.runs.store import Curves

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Setup:
    """One training run: the defaults are a sound one, every fault is a field."""

    data: str
    hidden: tuple[int, ...] = (32,)
    activation: str = "relu"
    optimizer: str = "momentum"
    learning_rate: float = 0.02
    schedule: str = "constant"  # constant | cosine | restarts | step | warmup | resumed
    batch: int = 32
    epochs: int = 40
    samples: int = 400
    validation: int = 300
    weight_decay: float = 0.0
    dropout: float = 0.0
    input_noise: float = 0.0
    init_scale: float = 1.0
    bias: float = 0.0
    input_scale: float = 1.0
    seed: int = 0
    # faults of the data
    label_noise: float = 0.0
    shuffled: bool = False
    dominant: float = 0.0  # share of all samples that belong to class 0
    leak: float = 0.0  # share of the validation set that is trained on
    shift: str = ""  # what is done to the validation inputs
    # faults of the code
    trained_loss: str = "cross_entropy"
    reported_loss: str = "same"  # training loss that is logged: same | cross_entropy
    validation_loss: str = "cross_entropy"
    gradient_sign: float = 1.0
    softmax: str = "row"  # in evaluation: row | batch | column
    evaluation_batch: int = 0  # rows in one evaluation call, 0 for all
    evaluation_dropout: bool = False
    precision: str = "float64"  # of the probabilities whose logarithm is taken
    train_scale: float = 1.0
    validation_scale: float = 1.0
    swapped: bool = False

    @property
    def source(self) -> Source:
        """The data set."""
        return load(self.data)


@dataclass
class Sets:
    """Training set, validation set, and all rows not trained on, unspoiled: the truth."""

    train: tuple[Array, Array]
    val: tuple[Array, Array]
    rest: tuple[Array, Array]


def split(setup: Setup, rng: np.random.Generator) -> Sets:
    """Draw the sets and spoil them as the setup says."""
    source = setup.source
    order = rng.permutation(len(source.X))
    if setup.dominant:
        order = _dominated(order, source.y, setup.dominant, rng)
    held = min(setup.validation, len(order) // 3)
    train_rows, rest = order[held:][: setup.samples], order[held:][setup.samples :]
    rest = np.concatenate([order[:held], rest])
    val_rows = order[:held]
    if setup.leak:
        leaked = rng.choice(train_rows, int(setup.leak * held))
        val_rows = np.concatenate([leaked, val_rows[len(leaked) :]])
    X, y = source.X * setup.input_scale, source.y
    y_train = y[train_rows]
    if setup.label_noise:
        wrong = rng.random(len(y_train)) < setup.label_noise
        y_train = np.where(wrong, rng.integers(0, source.classes, len(y_train)), y_train)
    y_val = y[val_rows]
    if setup.leak:  # the leaked rows carry the labels that were trained on
        where = {row: i for i, row in enumerate(train_rows)}
        y_val = np.array([y_train[where[r]] if r in where else y[r] for r in val_rows])
    if setup.shuffled:
        y_train = rng.permutation(y_train)
    return Sets(
        (X[train_rows], y_train),
        (_shifted(X[val_rows], setup.shift), y_val),
        (X[rest[:1500]], y[rest[:1500]]),
    )


def _dominated(order: Indices, y: Array, share: float, rng: np.random.Generator) -> Indices:
    """Rows of which ``share`` belong to class 0, in random order."""
    zeros, others = order[y[order] == 0], order[y[order] != 0]
    few = others[: round(len(zeros) * (1 - share) / share)]
    return rng.permutation(np.concatenate([zeros, few]))


def _shifted(X: Array, shift: str) -> Array:
    """Inputs as another pipeline would give them."""
    shifts: dict[str, Callable[[Array], Array]] = {
        "": lambda A: A,
        "unscaled": lambda A: 8 * A + 4,
        "offset": lambda A: A + 1.5,
        "reversed": lambda A: A[:, ::-1],
        "negative": lambda A: -A,
        "rolled": lambda A: np.roll(A, 5, axis=1),
    }
    return shifts[shift](X)


def log_softmax(z: Array) -> Array:
    """Row-wise, overflow-free."""
    z = z - z.max(axis=1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))


class Network:
    """Dense layers with one activation between them."""

    def __init__(self, setup: Setup, rng: np.random.Generator) -> None:
        self.setup, self.rng = setup, rng
        source = setup.source
        sizes = [source.X.shape[1], *setup.hidden, source.outputs]
        self.params = []
        for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
            scale = setup.init_scale * np.sqrt(2 / fan_in)
            bias = setup.bias if i < len(sizes) - 2 else 0.0
            self.params += [scale * rng.normal(size=(fan_in, fan_out)), np.full(fan_out, bias)]

    def forward(self, X: Array, *, dropout: bool) -> tuple[Array, list[Array], list[Array]]:
        """Return logits, the input of every layer, and the slope of every activation."""
        inputs, slopes, relu = [X], [], self.setup.activation == "relu"
        for W, b in zip(self.params[:-2:2], self.params[1:-2:2], strict=True):
            z = inputs[-1] @ W + b
            a = np.maximum(z, 0) if relu else np.tanh(z)
            slope = (z > 0).astype(float) if relu else 1 - a**2
            if dropout and self.setup.dropout:
                keep = (self.rng.random(a.shape) > self.setup.dropout) / (1 - self.setup.dropout)
                a, slope = a * keep, slope * keep
            inputs.append(a)
            slopes.append(slope)
        return inputs[-1] @ self.params[-2] + self.params[-1], inputs, slopes

    def gradients(self, delta: Array, inputs: list[Array], slopes: list[Array]) -> list[Array]:
        """Backpropagate the gradient with respect to the logits."""
        grads: list[Array] = []
        for layer in range(len(inputs) - 1, -1, -1):
            grads = [inputs[layer].T @ delta, delta.sum(axis=0), *grads]
            if layer:
                delta = (delta @ self.params[2 * layer].T) * slopes[layer - 1]
        return grads


def batch_loss(setup: Setup, z: Array, y: Array) -> tuple[float, float, Array]:
    """Return logged loss and accuracy of a batch, and the gradient that is descended."""
    n = len(y)
    if not setup.source.classes:
        return float(((z - y) ** 2).mean()), 0.0, 2 * (z - y) / n
    logp = log_softmax(z)
    p, t = np.exp(logp), np.eye(setup.source.classes)[y]
    accuracy = float((z.argmax(axis=1) == y).mean())
    cross_entropy = -float(logp[np.arange(n), y].mean())
    if setup.trained_loss == "cross_entropy":
        return cross_entropy, accuracy, (p - t) / n
    g = 2 * (p - t)
    delta = p * (g - (g * p).sum(axis=1, keepdims=True)) / n
    squared = float(((p - t) ** 2).sum(axis=1).mean())
    return cross_entropy if setup.reported_loss == "cross_entropy" else squared, accuracy, delta


def evaluate(setup: Setup, net: Network, X: Array, y: Array) -> tuple[float, float]:
    """Return loss and accuracy as the setup's evaluation code computes them."""
    size = setup.evaluation_batch or len(X)
    results = [
        _evaluate_call(setup, net, X[i : i + size], y[i : i + size]) for i in range(0, len(X), size)
    ]
    losses, accuracies = zip(*results, strict=True)  # means of batch means, as most people write it
    return float(np.mean(losses)), float(np.mean(accuracies))


def _evaluate_call(setup: Setup, net: Network, X: Array, y: Array) -> tuple[float, float]:
    z = net.forward(X, dropout=setup.evaluation_dropout)[0]
    if not setup.source.classes:
        return float(((z - y) ** 2).mean()), 0.0
    logp = log_softmax(z)
    if setup.softmax == "batch":
        logp = z - z.max() - np.log(np.exp(z - z.max()).sum())
    elif setup.softmax == "column":
        logp = log_softmax(z.T).T
    accuracy = float((logp.argmax(axis=1) == y).mean())
    if setup.validation_loss == "squared_error":
        t = np.eye(setup.source.classes)[y]
        return float(((np.exp(logp) - t) ** 2).sum(axis=1).mean()), accuracy
    p = np.exp(logp[np.arange(len(y)), y]).astype(setup.precision)
    if setup.precision == "float64":
        return -float(logp[np.arange(len(y)), y].mean()), accuracy
    return -float(np.log(p.astype(np.float64)).mean()), accuracy


def rate(setup: Setup, epoch: int) -> float:
    """Learning rate of an epoch."""
    t = epoch / setup.epochs
    factor = {
        "constant": 1.0,
        "cosine": 0.5 * (1 + np.cos(np.pi * t)),
        "restarts": 0.5 * (1 + np.cos(np.pi * (3 * t % 1))),
        "step": 1.0 if t < 0.5 else 0.1,
        "warmup": min(1.0, (epoch + 1) / 8),
        "resumed": 1.0 if t < 0.6 else 60.0,
    }[setup.schedule]
    return float(setup.learning_rate * factor)


class Optimizer:
    """Plain descent, momentum 0.9, or Adam."""

    def __init__(self, setup: Setup, params: list[Array]) -> None:
        self.setup, self.steps = setup, 0
        self.first = [np.zeros_like(p) for p in params]
        self.second = [np.zeros_like(p) for p in params]

    def step(self, params: list[Array], grads: list[Array], learning_rate: float) -> None:
        """Change the parameters in place."""
        self.steps += 1
        for p, g, m, v in zip(params, grads, self.first, self.second, strict=True):
            g = self.setup.gradient_sign * g + self.setup.weight_decay * p
            if self.setup.optimizer == "adam":
                m += 0.1 * (g - m)
                v += 0.001 * (g**2 - v)
                unbiased = np.sqrt(v / (1 - 0.999**self.steps)) + 1e-8
                p -= learning_rate * m / (1 - 0.9**self.steps) / unbiased
            else:
                m *= 0.9 if self.setup.optimizer == "momentum" else 0.0
                m += g
                p -= learning_rate * m


def train(setup: Setup) -> tuple[Curves, Curves]:
    """Return the logged curves, and the validation curves that sound code finds on other rows."""
    rng = np.random.default_rng(setup.seed)
    sets = split(setup, rng)
    net = Network(setup, rng)
    optimizer = Optimizer(setup, net.params)
    sound = replace(setup, softmax="row", evaluation_dropout=False, precision="float64",
                    evaluation_batch=0)  # fmt: skip
    rows: list[tuple[float, ...]] = []
    truth: list[tuple[float, float]] = []
    with np.errstate(all="ignore"):
        for epoch in range(setup.epochs):
            loss, accuracy = _train_epoch(setup, net, optimizer, sets, rng, rate(setup, epoch))
            val_loss, val_accuracy = evaluate(setup, net, *sets.val)
            rows.append((loss * setup.train_scale, accuracy,
                         val_loss * setup.validation_scale, val_accuracy))  # fmt: skip
            truth.append(evaluate(sound, net, *sets.rest))
    names = ["loss", "accuracy", "val_loss", "val_accuracy"]
    if setup.swapped:
        names = names[2:] + names[:2]
    curves = {
        name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }
    if not setup.source.classes:
        curves = {name: values for name, values in curves.items() if "loss" in name}
    return curves, dict(zip(("loss", "accuracy"), map(list, zip(*truth, strict=True)), strict=True))


def _train_epoch(
    setup: Setup, net: Network, optimizer: Optimizer, sets: Sets,
    rng: np.random.Generator, learning_rate: float,
) -> tuple[float, float]:  # fmt: skip
    """Return the means of loss and accuracy over the samples of one epoch."""
    X, y = sets.train
    order = rng.permutation(len(X))
    results = []
    for start in range(0, len(X), setup.batch):
        chosen = order[start : start + setup.batch]
        x = X[chosen]
        if setup.input_noise:
            x = x + setup.input_noise * rng.normal(size=x.shape)
        z, inputs, slopes = net.forward(x, dropout=True)
        loss, accuracy, delta = batch_loss(setup, z, y[chosen])
        optimizer.step(net.params, net.gradients(delta, inputs, slopes), learning_rate)
        results.append((loss, accuracy, len(chosen)))
    losses, accuracies, weights = np.array(results).T
    return (
        float(np.average(losses, weights=weights)),
        float(np.average(accuracies, weights=weights)),
    )
