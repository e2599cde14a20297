"""What a run should be called, and whether its curves can tell.

Nothing here looks at what is diagnosed. The injected fault gives the cause; the validation curves
that sound code finds on other rows (the truth, hidden from every tool) say whether it took effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.runs.sources import Array
from benchmarks.runs.store import Curves

# A rise of the true loss that has consequences, and one that has none.
RISES, HOLDS = 0.10, 0.03
# A true accuracy that fell, and one that holds or climbs.
FALLS, CLIMBS = 0.015, 0.005
# Accuracies that differ by this much are not those of sets from one source.
FAR_APART = 0.2


@dataclass(frozen=True)
class Facts:
    """What was done in a run: the fault, the number of classes (0 for regression), the length."""

    cause: str
    classes: int
    epochs: int
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Label:
    """The right answers about one run: a healthy run has none, and must get no problem."""

    cause: str
    codes: tuple[str, ...]

    @property
    def tellable(self) -> bool:
        """Whether the curves can tell the cause."""
        return bool(self.codes)


def label(case: Facts, curves: Curves, truth: Curves) -> Label:
    """Return the cause of a run, and the codes of which one must come first."""
    if case.cause in ("healthy", "overfitting", "overconfidence"):
        return _generalisation(case, curves, truth)
    took_effect, codes = JUDGES[case.cause](case, curves, truth)
    return Label(case.cause, codes if took_effect else ())


def _smooth(values: list[float]) -> Array:
    padded = np.pad(np.asarray(values), 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 5)
    return np.asarray(np.median(windows, axis=1))


def _rise(truth: Curves) -> float:
    loss = _smooth(truth["loss"])
    return float(loss[-1] / loss.min() - 1)


def _drop(truth: Curves) -> float:
    accuracy = _smooth(truth["accuracy"])
    return float(accuracy.max() - accuracy[-1])


def _step(truth: Curves) -> float:
    """The accuracy that one sample is worth."""
    steps = np.diff(np.unique(truth["accuracy"]))
    return float(steps.min()) if len(steps) else 0.0


def _generalisation(case: Facts, curves: Curves, truth: Curves) -> Label:
    """Healthy, overfitted or overconfident: what the true curves are, not what was intended."""
    rise, drop = _rise(truth), _drop(truth)
    if rise < RISES or _rise(_validation(curves)) < RISES:
        if case.cause == "overfitting" and _gap(curves, truth) > FAR_APART:
            return Label("overfitting", ("overfitting",))
        sound = case.cause == "healthy" and rise < HOLDS
        return Label("healthy" if sound else "borderline", ())
    if not case.classes or drop > max(FALLS, 1.5 * _step(truth)):
        return Label("overfitting", ("overfitting",))
    loss, accuracy = _smooth(truth["loss"]), _smooth(truth["accuracy"])
    gain = float(accuracy[-1] - accuracy[loss.argmin()])
    if gain > CLIMBS and drop < CLIMBS and _gap(curves, truth) < FAR_APART:
        return Label("overconfidence", ("overconfidence",))
    return Label("overfitting or overconfidence", ("overfitting", "overconfidence"))


def _validation(curves: Curves) -> Curves:
    return {"loss": curves["val_loss"]}


def _gap(curves: Curves, truth: Curves) -> float:
    """By how much the training accuracy ends above the true one."""
    if "accuracy" not in curves:
        return 0.0
    return curves["accuracy"][-1] - truth["accuracy"][-1]


Judge = Callable[[Facts, Curves, Curves], tuple[bool, tuple[str, ...]]]


def _always(*codes: str) -> Judge:
    return lambda case, curves, truth: (True, codes)


def _never(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    return False, ()


def _label_noise(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    train = np.asarray(curves["accuracy"])
    at_the_end = (train[:-1] + train[1:]) / 2  # of each epoch, between the means over two
    below = np.median((at_the_end - curves["val_accuracy"][:-1])[1:8]) < -0.02
    codes = ("label_noise",) if below else ("label_noise", "overfitting")
    return _drop(truth) > 2 * FALLS, codes


def _shift(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    early = slice(1, max(4, case.epochs // 4))
    apart = np.median(np.subtract(truth["accuracy"], curves["val_accuracy"])[early])
    return bool(apart > FAR_APART), ("distribution_shift",)


def _shuffled(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    memorised = curves["accuracy"][-1] > 0.5
    codes = ("label_noise",) if memorised else ("not_learning", "underfitting")
    return True, ("shuffled_labels", *codes)


def _too_high(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    """The training loss is not below half of the first, or moves by a fifth from epoch to epoch."""
    loss = np.asarray(curves["loss"])
    if not np.isfinite(loss).all():
        return True, ("exploding_or_nan",)
    later = loss[len(loss) // 2 :]
    restless = np.median(np.abs(np.diff(later))) > 0.2 * np.median(later)
    large = np.median(later) > 0.1 * loss[0]
    codes = ("oscillating", "exploding_or_nan", "not_learning", "class_collapse")
    return bool(large and (restless or np.median(later) > loss[0])), codes


def _too_low(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    left = np.median(curves["loss"][-3:]) / curves["loss"][0]
    codes = ("slow_learning", "not_learning") if left > 0.9 else ("slow_learning",)
    return bool(left > 0.6), codes


def _dead(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    codes = ("dead_units", "class_collapse", "not_learning")
    return len(set(truth["accuracy"][5:])) <= 4, codes


def _collapse(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    return len(set(curves["val_accuracy"][8:])) <= 2, ("class_collapse", "not_learning")


def _vanishing(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    codes = ("vanishing_gradients", "not_learning", "class_collapse")
    return max(truth["accuracy"]) < 1.5 / case.classes, codes


def _leak(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    """Training memorised what the true accuracy is far from, and validation went along."""
    apart = np.median(np.subtract(curves["val_accuracy"], truth["accuracy"])[-5:])
    return bool(apart > FAR_APART / 2), ("train_validation_overlap",)


def _swapped(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    ends = curves["loss"][-1] / curves["val_loss"][-1]  # under each other's names
    return ends > 2, ("train_validation_swapped",)


def _underfitting(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    at_chance = curves["accuracy"][-1] < 2.5 / case.classes
    at_chance |= case.weight_decay > 0.1  # decayed to nothing
    codes = ("not_learning", "class_collapse", "underfitting") if at_chance else ("underfitting",)
    return bool(np.median(curves["accuracy"][-5:]) < 0.8), codes


def _resumed(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    loss = np.asarray(curves["loss"])
    at = next(i for i in range(len(loss)) if i / len(loss) >= 0.6)
    codes = ("oscillating", "exploding_or_nan")
    after = loss[at : at + 3].max()
    return bool(after > 2 * loss[at - 5 : at].max() and after > 0.1 * loss[0]), codes


def _not_finite(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    return not np.isfinite(curves["val_loss"]).all(), ("exploding_or_nan",)


def _kept(case: Facts, curves: Curves, truth: Curves) -> tuple[bool, tuple[str, ...]]:
    """What was learned is lost again, or nothing is."""
    lost = truth["accuracy"][-1] < 0.8 * max(max(truth["accuracy"]), 0.5)
    return lost, ("exploding_or_nan", "oscillating", "not_learning")


JUDGES: dict[str, Judge] = {
    "evaluation_bug": _always("evaluation_bug"),
    "other_loss_trained": _always("other_loss_trained"),
    "other_loss_hidden": _never,
    "label_noise": _label_noise,
    "distribution_shift": _shift,
    "shuffled_labels": _shuffled,
    "rate_too_high": _too_high,
    "rate_too_low": _too_low,
    "dead_units": _dead,
    "class_collapse": _collapse,
    "log_of_zero": _not_finite,
    "scale": _always("loss_scale_mismatch"),
    "ragged_batch": _never,
    "dropout_in_evaluation": _never,
    "leak": _leak,
    "vanishing": _vanishing,
    "frozen": _always("not_learning"),
    "gradient_sign": _always("exploding_or_nan", "not_learning"),
    "swapped": _swapped,
    "underfitting": _underfitting,
    "resumed": _resumed,
    "too_few_epochs": _always("too_few_epochs"),
    "softmax_twice": _always("softmax_twice", "evaluation_bug"),
    "gradients_kept": _kept,
    "unscaled": _kept,
    "broadcast": _always("not_learning", "underfitting"),
    "targets": _always("exploding_or_nan"),
}
