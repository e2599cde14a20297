"""Are training and validation what they are called? Exchanged, unlike and overlapping sets."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, advice
from diagnostics.rules import suggestions
from diagnostics.rules.evaluation import MOSTLY_RIGHT
from diagnostics.rules.features.run import Run
from diagnostics.statistics.robust import MAD_TO_SIGMA

# Validation below training by this factor at the end, and nearly equal at the start.
SWAPPED_RATIO = 0.7
EQUAL_START = 0.9
# Over the second half of the run, the share of the loss left: at rest, and clearly falling.
RESTS = 0.9
HALVED = 0.5
# A training loss that fell to this share is no validation loss of a model that overfits.
LEARNED_ANYWAY = 0.03
# No dropout or augmentation leaves a training loss at rest so far above that of validation.
TENTH = 0.1
# Nor, at rest or not, so far.
TWENTIETH = 0.05
# Training more accurate by this much in the first epochs already, and to the end.
EARLY_GAP = 0.2
# A shifted set gains at most this share of what the training accuracy gains.
LITTLE_GAIN = 0.35
# A validation loss that ends below this share of its first value: what is learned carries over. Of
# the shifted runs of the corpus none ends below 0.87.
CARRIES_OVER = 0.75
# Range of accuracies over which validation takes the same course as training.
MATCHED_OVER = 0.15
# Share of all that training gains that the second epoch gains at most.
SLOW_START = 0.3
# A training loss below this share of its start is memorised rather than learned.
MEMORISED = 0.02
# Fewer than 50 samples may happen to be as easy as those of training.
FEW_SAMPLES = 0.02
# Logarithm of validation by training loss over the second half: its level, not above that of
# training, and its spread. Of the sound runs of the corpus that learn as much the nearest has 0.28
# and 0.075, the leaking ones -0.16 to -0.02 and 0.02 at most.
SAME_LEVEL, IN_STEP = (-0.25, 0.15), 0.04
# Logarithm by which the training loss still falls in the second half: less shows no following.
MOVES = 0.2


def train_validation_swapped(run: Run) -> Finding | None:
    """The curve called validation behaves like training, and the reverse."""
    train, val = run["train_loss"], run["val_loss"]
    if min(val.values.min(), train.values.min()) <= 0:
        return None
    # A training loss is the mean over an epoch: it starts above that of validation after it.
    start = val.first / train.first
    end = val.end_level / train.end_level
    if not run.exceeds(SWAPPED_RATIO, end) or start < EQUAL_START or val.rise.real:
        return None
    # What helps validation while it leaves training where it is: only being trained on.
    val_left, train_left = (c.end_level / float(np.median(c.part(0.4, 0.6))) for c in (val, train))
    apart = train_left > RESTS and (run.exceeds(HALVED, val_left) or end < TENTH)
    apart |= end < TWENTIETH
    if not apart and not run.exceeds(train.rise.margin, 1.0):
        return None
    if train.end_level < LEARNED_ANYWAY * train.first:
        return None  # memorised first, understood later: grokking
    onset = train.rise.onset if train.rise.real else 0
    return Finding(
        message=(
            f"The training loss {'rises' if train.rise.real else 'lags behind'} while the "
            f"validation loss falls to about {end:.2g} times it: the two are exchanged."
        ),
        epochs=train.since(onset),
        confidence=0.9,
        evidence={
            "validation / training loss at the start": start,
            "validation / training loss over the last epochs": end,
            "rise of the training loss in noise levels": train.rise.statistic,
        },
        causes=(
            "the two losses are stored under each other's name",
            "the model is fitted on the validation set and evaluated on the training set",
        ),
        steps=advice(
            suggestions.BOTH_SETS,
            "Check which set each number is computed on, and which one the optimiser sees.",
        ),
    )


def distribution_shift(run: Run) -> Finding | None:
    """Validation is far worse than training from the first epochs on."""
    pair = run.joint("train_accuracy", "val_accuracy")
    if pair is None:
        return None
    gaps = pair[0].values - pair[1].values
    early = float(np.median(gaps[: max(3, len(gaps) // 5)]))
    late = float(np.median(gaps[-max(3, len(gaps) // 5) :]))
    gained = [float(curve.values.max()) - curve.first for curve in pair]
    if gained[1] > LITTLE_GAIN * max(gained[0], early) or _labels_unpaired(run):
        return None
    if _same_course(run) or run.kept_pace or _carries_over(run):
        return None
    if not run.exceeds(early, EARLY_GAP) or early < 0.5 * late:
        return None
    return Finding(
        message=(
            f"Validation is {early:.0%} less accurate than training from the first epochs on and "
            "stays so, before anything can have been memorised: the two sets differ."
        ),
        epochs=pair[0].span,
        confidence=0.7,
        evidence={"early gap of the accuracies": early, "gap over the last epochs": late},
        causes=(
            "the validation set is preprocessed otherwise: scaling, channel order, label order",
            "the validation set comes from other sources, or has other class shares",
            "evaluation runs in another mode (batch statistics, dropout)",
        ),
        steps=advice(
            suggestions.SET_MEANS,
            suggestions.ALIKE,
            suggestions.INVESTIGATE.saying("compares the sets and the labels"),
        ),
    )


def validation_never_improves(run: Run) -> Finding | None:
    """The validation loss rises from the first epoch on, from above the training loss."""
    train, val = run["train_loss"], run["val_loss"]
    if not run.never_improved or _labels_unpaired(run):
        return None
    accuracy = run.val_accuracy
    if accuracy is not None and accuracy.end_level - accuracy.first > EARLY_GAP:
        return None  # what is learned does carry over
    if 0 < val.first < CARRIES_OVER * np.log(2):
        return None  # better than any guess, from the start
    return Finding(
        message=(
            f"The validation loss starts at {val.first:.3g}, above the training loss "
            f"({train.first:.3g}), and only rises: nothing that is learned carries over, from the "
            "first epoch on. Overfitting would begin with a fall."
        ),
        epochs=val.span,
        confidence=0.6,
        evidence={
            "validation / training loss at the start": val.first / train.first,
            "lowest / first validation loss": float(val.values.min()) / val.first,
            "last / first training loss": train.last / train.first,
        },
        causes=(
            "the validation set is preprocessed otherwise, or its labels are numbered otherwise",
            "the evaluation computes another loss (evaluation_bug)",
            "the training labels have nothing to do with the inputs",
        ),
        steps=advice(suggestions.SET_MEANS, suggestions.ALIKE, suggestions.INVESTIGATE),
    )


def labels_unpaired(run: Run) -> Finding | None:
    """Training is learned by heart from nothing, validation stays at chance for ever."""
    train, val = run["train_accuracy"], run["val_accuracy"]
    gap = train.end_level - val.end_level
    if not _labels_unpaired(run) or not run.exceeds(gap, EARLY_GAP):
        return None
    return Finding(
        message=(
            f"The training labels seem to have nothing to do with the inputs: training starts at "
            f"chance and reaches {train.last:.0%} by heart, validation ends at {val.last:.0%}."
        ),
        epochs=train.span,
        confidence=0.7,
        evidence={
            "first training accuracy": train.first,
            "last training accuracy": train.last,
            "first validation accuracy": val.first,
            "last validation accuracy": val.last,
        },
        causes=(
            "inputs and labels were shuffled apart (shuffled_labels)",
            "nearly all training labels are wrong",
            "the validation labels belong to other rows, or are numbered otherwise",
        ),
        steps=advice(
            suggestions.LEAST_BELIEVED,
            "Sort or shuffle inputs and labels by one and the same index array.",
        ),
    )


def _same_course(run: Run) -> bool:
    """Whether at equal accuracy the losses agree: one kind of data, but badly generalised."""
    m = run.matched
    return m is not None and m.range > MATCHED_OVER and m.factor < 1.5 and m.parallel


def _carries_over(run: Run) -> bool:
    """Whether validation gains: its loss for good, or in the first epoch as much as training."""
    loss, pair = run.val_loss, run.joint("train_accuracy", "val_accuracy")
    if pair is not None and pair[1].first > max(MOSTLY_RIGHT, pair[0].first):
        return True
    return loss is not None and 0 < loss.end_level < CARRIES_OVER * loss.first


def _labels_unpaired(run: Run) -> bool:
    """Whether training begins at the chance at which validation ends.

    Where there is something to learn, the first epochs gain most; learning by heart starts slowly.
    """
    train, val = run.train_accuracy, run.val_accuracy
    if train is None or val is None or not run.val_at_chance:
        return False
    return bool(train.values[1] - train.first < SLOW_START * (train.end_level - train.first))


def train_validation_overlap(run: Run) -> Finding | None:
    """The validation loss goes down with the training loss, step by step, to next to nothing."""
    pair = run.joint("train_loss", "val_loss")
    if pair is None or min(curve.values.min() for curve in pair) <= 0:
        return None
    train, val = (curve.values for curve in pair)
    left = pair[0].end_level / pair[0].first
    # The training loss at the end of an epoch lies between its means over this and the next one.
    lag = np.log(val[:-1] / np.sqrt(train[:-1] * train[1:]))[len(train) // 2 :]
    if run.val_accuracy is not None and run.val_accuracy.one_sample > FEW_SAMPLES:
        return None
    later = np.log(train[len(train) // 2 :])
    if np.ptp(later) < MOVES:
        return None  # two losses at rest do not follow one another
    if not SAME_LEVEL[0] < float(np.median(lag)) < SAME_LEVEL[1]:
        return None
    if not run.exceeds(MEMORISED / left, 1.0):
        return None
    spread = MAD_TO_SIGMA * float(np.median(np.abs(lag - np.median(lag))))
    if not run.exceeds(IN_STEP / max(spread, 1e-12), 1.0):
        return None
    return Finding(
        message=(
            f"The validation loss follows the training loss down to about {left:.1%} of its start, "
            "never leaving it by more than a few per cent: as if both sets held the same samples."
        ),
        epochs=pair[0].span,
        confidence=0.7,
        evidence={
            "training loss over the last epochs / first": left,
            "validation / training loss, median of the second half": float(np.exp(np.median(lag))),
            "spread of its logarithm": spread,
        },
        causes=(
            "validation samples are in the training set: split after augmentation or duplication",
            "the training set itself is evaluated under the name of validation",
            "the task is so easy that nothing is left to learn",
        ),
        steps=advice(
            suggestions.SHARED_ROWS,
            suggestions.INVESTIGATE.saying("finds near copies too"),
            suggestions.SPLIT_FIRST,
        ),
    )
