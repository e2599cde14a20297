"""Runs whose cause is known because they are made: logits that grow, read rightly or wrongly.

A model is a signal for the right class in fixed noise, times a scale that grows in training;
loss and accuracy of both sets come from the same logits, as in a real run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

Array = np.ndarray
Curves = dict[str, list[float]]
Course = Callable[[Array], Array]


@dataclass(frozen=True)
class Case:
    """A run, and the codes of which one has to come first; a sound run has none."""

    cause: str
    codes: tuple[str, ...]
    curves: Curves


def rising(end: float, rate: float, start: float = 0.0) -> Course:
    return lambda t: end + (start - end) * np.exp(-rate * t)


@dataclass(frozen=True)
class Set:
    """Samples of known labels, with the noise that the model sees in them."""

    labels: Array
    noise: Array

    @classmethod
    def drawn(cls, rng: np.random.Generator, samples: int, classes: int) -> Set:
        return cls(rng.integers(0, classes, samples), rng.normal(size=(samples, classes)))

    def logits(self, signal: Array, scale: Array) -> Array:
        """Logits at all times, shape (times, samples, classes)."""
        right = np.eye(self.noise.shape[1])[self.labels]
        return scale[:, None, None] * (signal[:, None, None] * right + self.noise)

    def accuracy(self, logits: Array) -> Array:
        return (logits.argmax(axis=2) == self.labels).mean(axis=1)

    def loss(self, logits: Array, *, over: tuple[int, ...] = (2,)) -> Array:
        """Cross-entropy with the softmax taken over the classes, or wrongly over more."""
        top = logits.max(axis=over, keepdims=True)
        total = np.log(np.exp(logits - top).sum(axis=over, keepdims=True)) + top
        chosen = np.take_along_axis(logits - total, self.labels[None, :, None], axis=2)
        return -chosen.mean(axis=(1, 2))


ROWS, BATCH = (2,), (1, 2)


def trained(
    seed: int,
    epochs: int,
    *,
    train: tuple[Course, Course],
    val: tuple[Course, Course],
    over: tuple[tuple[int, ...], tuple[int, ...]] = (ROWS, ROWS),
    classes: int = 10,
    samples: tuple[int, int] = (400, 200),
) -> Curves:
    """A run by its signals and scales; ``over`` says how each set's softmax is taken."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, epochs)
    curves = {}
    for name, (signal, scale), axes, size in zip(
        ("train", "val"), (train, val), over, samples, strict=True
    ):
        data = Set.drawn(rng, size, classes)
        logits = data.logits(signal(t), scale(t))
        curves[f"{name}_loss"] = list(data.loss(logits, over=axes))
        curves[f"{name}_accuracy"] = list(data.accuracy(logits))
    return curves


def healthy(seed: int, epochs: int) -> Case:
    course = rising(4.2, 4, 0.5), rising(1.6, 3, 0.3)
    return Case("healthy", (), trained(seed, epochs, train=course, val=course))


def overfitting(seed: int, epochs: int) -> Case:
    def forgets(t: Array) -> Array:
        return rising(3.4, 9, 0.8)(t) - 1.4 * np.maximum(t - 0.3, 0)

    scale = rising(4.0, 1.5, 0.4)
    train = rising(8.0, 3, 0.8), scale
    return Case(
        "overfitting", ("overfitting",), trained(seed, epochs, train=train, val=(forgets, scale))
    )


def overconfidence(seed: int, epochs: int) -> Case:
    scale = rising(12.0, 1.2, 0.5)
    curves = trained(
        seed, epochs, train=(rising(9.0, 4, 1.5), scale), val=(rising(2.6, 9, 1.5), scale)
    )
    return Case("overconfidence", ("overconfidence", "overfitting"), curves)


def whole_batch(seed: int, epochs: int) -> Case:
    scale = rising(3.0, 2, 0.3)
    curves = trained(
        seed, epochs, train=(rising(6.0, 4, 0.5), scale), val=(rising(3.5, 5, 0.5), scale),
        over=(ROWS, BATCH),
    )  # fmt: skip
    return Case("softmax over the batch in evaluation", ("evaluation_bug",), curves)


def whole_batch_in_both(seed: int, epochs: int) -> Case:
    """The question's own fault: both sets are evaluated by the same wrong code."""
    scale = rising(4.0, 2, 0.6)
    curves = trained(
        seed, epochs, train=(rising(6.0, 4, 1.6), scale), val=(rising(3.8, 5, 1.6), scale),
        over=(BATCH, BATCH),
    )  # fmt: skip
    return Case("softmax over the batch in both", ("evaluation_bug",), curves)


def other_labels(seed: int, epochs: int) -> Case:
    """The loss is taken of the predictions of other rows."""
    scale = rising(5.0, 2, 0.5)
    val = rising(4.2, 5, 1.5), scale
    curves = trained(seed, epochs, train=(rising(6.0, 4, 1.5), scale), val=val)
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, epochs)
    data = Set.drawn(rng, 200, 10)
    logits = data.logits(val[0](t), val[1](t))
    curves["val_loss"] = list(Set(rng.permutation(data.labels), data.noise).loss(logits))
    return Case("loss of other rows", ("evaluation_bug",), curves)


def summed(seed: int, epochs: int) -> Case:
    curves = healthy(seed, epochs).curves
    curves["val_loss"] = [200 * x for x in curves["val_loss"]]
    return Case("sum for mean", ("loss_scale_mismatch",), curves)


def diverging(seed: int, epochs: int) -> Case:
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, epochs)
    growth = np.exp(rng.uniform(6, 60) * np.maximum(t - 0.2, 0))
    accuracy = 0.1 + 0.5 * np.exp(-12 * np.maximum(t - 0.2, 0)) * (1 - np.exp(-9 * t))
    curves = {}
    for name in ("train", "val"):
        curves[f"{name}_loss"] = list(
            (2.3 - 2 * np.minimum(t, 0.2)) * growth * rng.gamma(200, 1 / 200, epochs)
        )
        curves[f"{name}_accuracy"] = list(np.round(accuracy * 200 + rng.normal(size=epochs)) / 200)
    return Case("divergence", ("exploding_or_nan",), curves)


def not_finite(seed: int, epochs: int) -> Case:
    curves = diverging(seed, epochs).curves
    for name in ("train_loss", "val_loss"):
        curves[name][-2:] = [float("nan")] * 2
    return Case("NaN", ("exploding_or_nan",), curves)


def not_learning(seed: int, epochs: int) -> Case:
    rng = np.random.default_rng(seed)
    curves = {}
    for name, size in (("train", 2000), ("val", 500)):
        curves[f"{name}_loss"] = list(np.log(10) + 0.004 * rng.normal(size=epochs))
        curves[f"{name}_accuracy"] = list(rng.binomial(size, 0.1, epochs) / size)
    return Case("no learning", ("not_learning", "class_collapse"), curves)


def wrong_labels(seed: int, epochs: int) -> Case:
    """A third of the training labels is wrong: learned last, by heart."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, epochs)
    by_heart = 1 / (1 + np.exp(-14 * (t - 0.55)))
    sound = rising(0.95, 14, 0.4)(t)
    curves = {
        "train_loss": list(0.67 * rising(0.15, 12, 2.0)(t) + 0.33 * (3.2 * (1 - by_heart) + 0.05)),
        "train_accuracy": list(0.67 * sound + 0.31 * by_heart),
        "val_loss": list(rising(0.55, 14, 1.9)(t) + 1.2 * by_heart),
        "val_accuracy": list(sound - 0.2 * by_heart),
    }
    noisy = {
        name: np.array(v) * (1 + 0.004 * rng.normal(size=epochs)) for name, v in curves.items()
    }
    return Case("label noise", ("label_noise",), {name: list(v) for name, v in noisy.items()})


def exchanged(seed: int, epochs: int) -> Case:
    run = overfitting(seed, epochs).curves
    other = {"train": "val", "val": "train"}
    curves = {
        f"{other[split]}_{metric}": run[f"{split}_{metric}"]
        for split in ("val", "train")
        for metric in ("loss", "accuracy")
    }
    return Case("exchanged", ("train_validation_swapped",), curves)


MAKERS = (
    healthy, overfitting, overconfidence, whole_batch, whole_batch_in_both, other_labels, summed,
    diverging, not_finite, not_learning, wrong_labels, exchanged,
)  # fmt: skip
# Trends need time to show: see `test_the_cause_is_found_first`.
LONG = 16


@st.composite
def cases(draw: st.DrawFn, least: int = LONG) -> Case:
    """A run of a known cause."""
    maker = draw(st.sampled_from(MAKERS))
    return maker(draw(st.integers(0, 999)), draw(st.integers(least, 60)))


# The network of the question, trained for 40 epochs, as it evaluates itself.
QUESTION = {
    "train_loss": [9.344, 9.036, 9.97, 10.98, 11.68, 12.29, 12.8, 12.96, 12.87, 12.86, 12.88, 12.95,
                   13.06, 13.15, 13.23, 13.36, 13.62, 13.64, 13.54, 13.44, 13.33, 13.28, 13.25,
                   13.22, 13.18, 13.16, 13.16, 13.2, 13.26, 13.33, 13.4, 13.47, 13.51, 13.55, 13.59,
                   13.63, 13.71, 13.8, 13.87, 13.92],
    "train_accuracy": [0.487, 0.7985, 0.8575, 0.888, 0.901, 0.908, 0.9145, 0.9275, 0.9415, 0.9485,
                       0.954, 0.962, 0.9655, 0.967, 0.969, 0.9695, 0.971, 0.974, 0.976, 0.977,
                       0.978, 0.978, 0.9785, 0.9805, 0.9805, 0.9815, 0.9815, 0.9815, 0.983, 0.9835,
                       0.9835, 0.985, 0.986, 0.986, 0.9875, 0.9875, 0.9875, 0.988, 0.9885, 0.989],
    "val_loss": [7.988, 7.602, 8.523, 9.616, 10.4, 11.08, 11.64, 11.87, 11.82, 11.86, 11.93, 12.06,
                 12.26, 12.42, 12.57, 12.75, 13.08, 13.15, 13.08, 13.01, 12.92, 12.87, 12.83, 12.81,
                 12.78, 12.77, 12.8, 12.86, 12.92, 13.01, 13.09, 13.17, 13.22, 13.27, 13.32, 13.37,
                 13.47, 13.58, 13.66, 13.73],
    "val_accuracy": [0.462, 0.766, 0.828, 0.846, 0.858, 0.864, 0.864, 0.87, 0.878, 0.874, 0.876,
                     0.874, 0.874, 0.878, 0.878, 0.88, 0.88, 0.886, 0.886, 0.886, 0.888, 0.888,
                     0.886, 0.886, 0.884, 0.886, 0.886, 0.888, 0.89, 0.89, 0.89, 0.894, 0.892,
                     0.894, 0.898, 0.896, 0.89, 0.888, 0.894, 0.89],
}  # fmt: skip
