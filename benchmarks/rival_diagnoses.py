"""Rules of other tools on training curves, re-stated from their sources in this project's codes.

Each rule takes the curves and returns what the tool would say, its most severe finding first.
What needs tensors, gradients or a running job (most of SageMaker's, AUTOTRAINER's and
TheDeepChecker's rules) cannot be asked here. The re-stated rules of finetune-doctor and gradsnitch
say what the packages themselves say on all but 2 and 3 of the 369 runs, those with infinite losses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.runs.store import Curves

Array = NDArray[np.float64]
Rule = Callable[[Curves], list[str]]
# gradsnitch counts steps; an epoch is put at that many.
STEPS_PER_EPOCH = 10


def _curve(curves: Curves, name: str) -> Array:
    return np.asarray(curves.get(name, []), dtype=np.float64)


def umlaut(curves: Curves) -> list[str]:
    """BerkeleyHCI/umlaut, umlaut/heuristics.py: Overfitting and OverconfidentValAccuracy."""
    train, val = _curve(curves, "loss"), _curve(curves, "val_loss")
    said = []
    if np.any((np.diff(val) > 0) & (np.diff(train) <= 0)):
        said.append("overfitting")
    accuracy, val_accuracy = _curve(curves, "accuracy"), _curve(curves, "val_accuracy")
    if len(accuracy) > 3:
        late, ahead = val_accuracy[3:], (val_accuracy - accuracy)[3:]
        if np.any((late > 0.95) | (ahead > 0.05)):
            said.append("train_validation_overlap")
    return said


def sagemaker(curves: Curves) -> list[str]:
    """SageMaker Debugger's built-in rules (its developer guide): on losses, with their defaults.

    ExplodingTensor, LossNotDecreasing (0.1 % in 10 steps), Overfit (ratio 0.1, patience 1).
    """
    train, val = _curve(curves, "loss"), _curve(curves, "val_loss")
    said = []
    if not np.isfinite(train).all() or not np.isfinite(val).all():
        said.append("exploding_or_nan")
    with np.errstate(all="ignore"):
        fell = (train[:-10] - train[10:]) / np.abs(train[:-10])
        if np.any(fell < 0.001):
            said.append("not_learning")
        if np.any((val - train) / train > 0.1):
            said.append("overfitting")
    return said


def keras(curves: Curves) -> list[str]:
    """Keras callbacks: TerminateOnNaN, and EarlyStopping (val_loss, min_delta 0) at patience 5."""
    train, val = _curve(curves, "loss"), _curve(curves, "val_loss")
    if not np.isfinite(train).all():
        return ["exploding_or_nan"]
    best = np.minimum.accumulate(val)
    since = np.arange(len(val)) - np.array([int(np.argmin(val[: i + 1])) for i in range(len(val))])
    return ["overfitting"] if len(best) and since.max() >= 5 else []


def finetune_doctor_on_loss(curves: Curves) -> list[str]:
    """finetune-doctor 0.2.2, checks.py and picker.py, judged on eval_loss, its default."""
    return _finetune_doctor(curves, _curve(curves, "val_loss"))


def finetune_doctor_on_accuracy(curves: Curves) -> list[str]:
    """finetune-doctor 0.2.2, judged on accuracy: `metric_disagreement` is overconfidence."""
    said = _finetune_doctor(curves, -_curve(curves, "val_accuracy"))
    val, score = _curve(curves, "val_loss"), -_curve(curves, "val_accuracy")
    if len(score) >= 4 and np.isfinite(val).all():
        rise = (val[-1] - val.min()) / max(abs(val.min()), 1e-12)
        at_best = score[-1] - score.min() <= max(2 * _diff_sigma(score), 0.01 * abs(score.min()))
        if rise >= 0.10 and at_best:
            said.append("overconfidence")
    return said


def _finetune_doctor(curves: Curves, score: Array) -> list[str]:
    """Not finite, not learning, overfitting, evaluation below training: as it ranks them."""
    train, val = _curve(curves, "loss"), _curve(curves, "val_loss")
    critical, warning, info = [], [], []
    if not np.isfinite(train).all():
        critical.append("exploding_or_nan")
    elif len(train) >= 15:
        tenth = max(len(train) // 10, 3)
        head, tail = np.median(train[:tenth]), np.median(train[-tenth:])
        if (head - tail) / max(abs(head), 1e-12) < 0.03:
            warning.append("not_learning")
    score = score[np.isfinite(score)]
    if len(score) >= 4:
        best = float(score.min())
        gap = (score[-1] - best) / max(abs(best), 1e-12)
        if score[-1] - best > max(2 * _diff_sigma(score), 0.01 * abs(best)) and gap >= 0.03:
            (critical if gap >= 0.10 else warning).append("overfitting")
    if len(train) >= 10 and len(val) >= 4 and np.median((val / train)[1:]) < 0.8:
        info.append("train_validation_overlap")
    return critical + warning + info


def _diff_sigma(values: Array) -> float:
    """Noise from successive differences: 1.4826 MAD / sqrt(2)."""
    if len(values) < 3:
        return 0.0
    steps = np.diff(values)
    return float(1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2))


def gradsnitch(curves: Curves) -> list[str]:
    """Gradsnitch 0.1.0: GS001 NaN, GS006 divergence, GS004 overfitting, GS005 plateau."""
    train, val = _curve(curves, "loss"), _curve(curves, "val_loss")
    errors, warnings = [], []
    if not np.isfinite(train).all() or _sustained_rise(train):
        errors.append("exploding_or_nan")
    if len(val) >= 4 and np.isfinite(val).any():
        best = int(np.nanargmin(val))
        rose = (val[-1] - val[best]) / abs(val[best]) if val[best] else 0.0
        long_ago = (len(val) - 1 - best) * STEPS_PER_EPOCH >= 100
        if long_ago and rose >= 0.03 and train[-1] < train[best]:
            warnings.append("overfitting")
    if _early_plateau(train):
        warnings.append("not_learning")
    return errors + warnings


def _sustained_rise(train: Array, window: int = 20) -> bool:
    """GS006: the rolling mean ends 30 % above its lowest, and stays 15 % above for 20 steps."""
    if len(train) < 5:
        return False
    total = np.cumsum(np.insert(train, 0, 0.0))
    ends = np.arange(5, len(train) + 1)
    starts = np.maximum(ends - window, 0)
    smooth = (total[ends] - total[starts]) / (ends - starts)
    low = int(np.argmin(smooth))
    if len(smooth) < 2 * window or smooth[low] <= 0:
        return False
    after = smooth[low:]
    return bool(after[-1] >= 1.3 * smooth[low] and (after > 1.15 * smooth[low]).sum() >= window)


def _early_plateau(train: Array) -> bool:
    """GS005: the slope of the first fifth, 30 steps at least, has |t| < 4."""
    values = train[np.isfinite(train)]
    if len(values) < 30:
        return False
    count = max(30, len(values) // 5)
    time, y = np.arange(count), values[:count]
    slope, intercept = np.polyfit(time, y, 1)
    spread = float(np.sum((time - time.mean()) ** 2))
    residual = y - slope * time - intercept
    error = float(np.sqrt(np.sum(residual**2) / (count - 2) / spread))
    return bool(abs(slope) < 4 * error) if error else slope == 0


RIVALS: dict[str, Rule] = {
    "UMLAUT": umlaut,
    "SageMaker Debugger": sagemaker,
    "Keras callbacks": keras,
    "finetune-doctor, loss": finetune_doctor_on_loss,
    "finetune-doctor, accuracy": finetune_doctor_on_accuracy,
    "gradsnitch": gradsnitch,
}
