"""Are the losses given in one unit? Sums against means, and other losses than the one reported."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, advice
from diagnostics.rules.features import loss_accuracy_bounds as bounds
from diagnostics.rules.features.curve import Curve
from diagnostics.rules.features.run import Run
from diagnostics.rules.suggestions import BOTH_SETS, CROSS_ENTROPY, GRADIENTS

Pair = tuple[Curve, Curve]

# A loss this many times the other, from the first epochs on and at equal accuracy, is another loss.
OTHER_SCALE = 3.0
# A calibrated classifier's loss lies within a factor of 3 of the entropy its accuracy implies.
TOO_LARGE_FOR_ACCURACY = 6.0
# Share of epochs that must break a bound: one bad row of a log is not a finding.
MOST_EPOCHS = 0.8
# Logarithm of the range over which two losses must move for their proportion to mean anything.
MOVED = 0.3
# Without accuracies to compare at: no other data and no dropout make one loss that many times
# the other while both fall in proportion.
OTHER_UNIT = 5.0
# Without common accuracies the cost of few errors is compared, which chance makes 3 times larger.
FEW_ERRORS = 10.0
# Largest difference between the first accuracies.
ALIKE = 0.5
# Squared error by cross-entropy at equal accuracy: measured 1.6 to 2.8 on the corpus of
# benchmarks.runs, where sound runs lie between 0.8 and 1.4.
SQUARED_ERROR = 1.5
# What a wrong answer costs in squares summed over the classes: between 1 and 2 in theory, a
# little more while the model doubts everything. A uniform guess costs 1 - 1/C.
SQUARES = (0.8, 2.4)
LARGEST_SQUARES = 1.05
# Calibrated cross-entropy costs 2 ln 2 = 1.39 at least, on the corpus no sound run below 1.5.
SURELY_SQUARES = 1.5
# A loss near ln 2 is that of a guess between two classes, right in fewer than half of the cases by
# chance: its errors seem cheap.
NEAR_GUESS = 0.1
# Range of accuracies, and the highest of the lowest, that a factor so small must hold over.
COMPARED_OVER, COMPARED_BELOW = 0.1, 0.85


def other_loss_trained(run: Run) -> Finding | None:
    """The training loss is too small to be the cross-entropy that validation reports."""
    train, val = run.joint("train_loss", "train_accuracy"), run.joint("val_loss", "val_accuracy")
    if train is None or val is None:
        return None
    impossible = (
        bounds.share_impossible(*train) > MOST_EPOCHS and bounds.share_impossible(*val) < 0.2
    )
    mean_of_squares = impossible and _may_be_squared_error(train[0], val[0], run.classes)
    if not mean_of_squares and not _costs_like_squares(run, train, val):
        return None
    evidence = dict(bounds.bound_evidence(*train))
    if run.matched is not None:
        evidence["validation / training loss at equal accuracy"] = run.matched.ratio
    return Finding(
        message=(
            "The training loss is smaller than the validation loss at the same accuracy, as a "
            "squared error is beside a cross-entropy: another loss is descended than is reported."
        ),
        epochs=train[0].span,
        confidence=0.75,
        evidence=evidence,
        causes=(
            "training descends the squared error, validation reports the cross-entropy",
            "the training loss is divided twice, or by the number of classes",
        ),
        steps=advice(
            BOTH_SETS,
            GRADIENTS.saying("For softmax with cross-entropy: p - t with respect to the logits."),
            "Report the loss that is descended, for both sets.",
        ),
    )


def loss_scale_mismatch(run: Run) -> Finding | None:
    """One loss is a constant multiple of the other."""
    found = _matched_factor(run) if run.matched is not None else _early_factor(run)
    if found is None:
        return None
    ratio, how = found
    larger = max(ratio, 1 / ratio)
    bigger, smaller = ("validation", "training") if ratio > 1 else ("training", "validation")
    train, val = run["train_loss"], run["val_loss"]
    return Finding(
        message=(
            f"The {bigger} loss is {larger:.3g} times the {smaller} loss {how}: the two are not "
            "the same quantity."
        ),
        epochs=train.span,
        confidence=0.9 if run.matched is not None else 0.7,
        evidence={
            f"{bigger} / {smaller} loss, median": larger,
            "first training loss": train.first,
            "first validation loss": val.first,
        },
        causes=(
            f"the {bigger} loss is a sum over a batch, or over a data set, the other a mean",
            "one is the mean per batch, the other per sample",
            f"the {smaller} loss is divided by the batch size, the number of classes or of "
            "accumulation steps once more",
            f"the {smaller} loss is a squared error averaged over the classes",
            "a weight penalty is added to one of the two",
        ),
        steps=advice(
            BOTH_SETS.saying(
                f"Is {larger:.0f} the batch size, the number of batches or of classes?"
            ),
            "Divide both losses by the number of samples they were summed over.",
        ),
    )


def _matched_factor(run: Run) -> tuple[float, str] | None:
    """The factor between the losses at equal accuracy, and where it holds, if they are parallel."""
    m = run.matched
    if m is None or not run.exceeds(m.factor, OTHER_SCALE) or not (m.parallel and m.constant):
        return None
    return m.ratio, "at equal accuracy, whatever the accuracy"


def _early_factor(run: Run) -> tuple[float, str] | None:
    """The factor in the first third, where nothing can have been memorised yet."""
    pair = run.joint("train_loss", "val_loss")
    if pair is None or min(curve.values.min() for curve in pair) <= 0:
        return None
    train, val = pair
    if run.train_accuracy is not None and run.val_accuracy is not None:
        return _factor_of_errors(run, train, val)
    early = max(3, len(train) // 3)
    ratios = val.values[:early] / train.values[:early]
    ratio = float(np.median(ratios))
    if not run.exceeds(max(ratio, 1 / ratio), OTHER_UNIT):
        return None
    if not np.all(np.maximum(ratios, 1 / ratios) > OTHER_UNIT / 1.5):
        return None
    # Other data make validation larger and go their own way; nothing makes training larger.
    if ratio > 1 and not bounds.parallel(train.until(early), val.until(early)):
        return None
    return ratio, "from the first epochs on"


def _factor_of_errors(run: Run, train: Curve, val: Curve) -> tuple[float, str] | None:
    """The factor between what an error costs in the first epochs of training and validation."""
    if run.train_accuracy is None or run.val_accuracy is None or not bounds.equally_accurate(run):
        return None
    if abs(run.train_accuracy.first - run.val_accuracy.first) > ALIKE:
        return None  # before the first and after it the same errors do not cost the same
    cost = bounds.cost_of_an_error(train, run.train_accuracy)
    other = bounds.cost_of_an_error(val, run.val_accuracy)
    if cost is None or other is None:
        return None
    ratio = other / cost
    falls = val.values.min() < bounds.STILL_HIGH * val.first
    early = max(3, len(train) // 3)
    stays = float(np.median(val.values[:early] / train.values[:early]))
    stays = stays if ratio > 1 else 1 / stays
    if not run.exceeds(max(ratio, 1 / ratio), FEW_ERRORS) or not falls or stays < OTHER_SCALE:
        return None
    return ratio, "for each wrong answer in the first epochs"


def loss_too_large_for_accuracy(run: Run) -> Finding | None:
    """The loss is a constant multiple of what the accuracy implies."""
    if run.pair is None:
        return None
    loss, accuracy = run.pair
    expected = bounds.calibrated_loss(accuracy.values, run.classes)
    ratios = loss.values / expected
    factor = float(np.median(ratios))
    if not run.exceeds(factor, TOO_LARGE_FOR_ACCURACY) or np.quantile(ratios, 0.1) < factor / 2:
        return None
    implied = Curve("expected", loss.epochs, expected)
    if np.ptp(np.log(expected)) < MOVED or not bounds.parallel(implied, loss):
        return None
    return Finding(
        message=(
            f"The loss is some {factor:.0f} times what a classifier of this accuracy has, at every "
            "epoch alike: probably a sum where a mean is meant."
        ),
        epochs=loss.span,
        confidence=0.7,
        evidence={
            "loss / loss that the accuracy implies": factor,
            "first loss": loss.first,
            "first accuracy": accuracy.first,
        },
        causes=("the loss is summed over the batch", "a large penalty is added to the loss"),
        steps=advice(
            CROSS_ENTROPY,
            "Divide the reported loss by the number of samples it was summed over.",
        ),
    )


def _costs_like_squares(run: Run, train: Pair, val: Pair) -> bool:
    """Whether errors cost in training what they cost as squares, and in validation far more."""
    cost, other = bounds.cost_of_an_error(*train), bounds.cost_of_an_error(*val)
    if cost is None or other is None or not SQUARES[0] < cost < SQUARES[1]:
        return False
    if train[0].first > LARGEST_SQUARES:
        return False
    m = run.matched
    if m is None or m.range < COMPARED_OVER or m.levels[0] > COMPARED_BELOW:
        guesses = abs(train[0].first - np.log(2)) < NEAR_GUESS * np.log(2)
        surely = cost < SURELY_SQUARES and not guesses
        return surely and run.exceeds(other / cost, SQUARED_ERROR)
    steady = float(np.quantile(m.ratios, 0.1)) > SQUARED_ERROR and m.ratio < OTHER_SCALE
    return run.exceeds(m.ratio, SQUARED_ERROR) and steady and m.parallel


def _may_be_squared_error(train: Curve, val: Curve, classes: int | None) -> bool:
    """Whether the first training loss is what squared error gives near chance.

    A uniform guess costs 1 - 1/C summed over the classes, (1 - 1/C) / C as their mean.
    """
    guessed = classes or max(2, round(float(np.exp(min(val.first, 7.0)))))
    total = 1 - 1 / guessed
    return any(0.4 < train.first / expected < 1.5 for expected in (total, total / guessed))
