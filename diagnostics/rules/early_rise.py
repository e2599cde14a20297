"""A validation loss that rises before anything was learned: no model does that to itself.

Overfitting and overconfidence need a training loss that has fallen. Where the validation loss is
far above from the start, or climbs while training still learns the first things, it is computed
otherwise, or on inputs that are prepared otherwise.
"""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, advice
from diagnostics.rules.evaluation import MOSTLY_RIGHT
from diagnostics.rules.features import loss_accuracy_bounds as bounds
from diagnostics.rules.features.run import Run
from diagnostics.rules.suggestions import ALIKE, PROVE, ROW_SUMS, ROW_WISE, SET_MEANS
from diagnostics.statistics import robust

# Without an accuracy: other data double the first loss at most, whole-batch softmax adds ln N.
FAR_ABOVE = 2.0
# A first loss below so many times what its accuracy implies is that of its answers.
AS_IMPLIED = 1.5
# The training loss has not fallen to this share of its first value.
HARDLY_LEARNED = 0.5
# Until then no sound run of the corpus of benchmarks.runs rises by a fifth with its accuracy.
EARLY_RISE = 1.4
EARLY_GAIN = 0.1


def rises_from_above(run: Run) -> Finding | None:
    """Validation starts far above training and only rises, and its accuracy does not explain it."""
    train, val = run["train_loss"], run["val_loss"]
    if not (run.never_improved or _stays_above(run)):
        return None
    accuracy = run.val_accuracy
    if accuracy is None and not run.exceeds(val.first / train.first, FAR_ABOVE):
        return None
    if accuracy is not None and (accuracy.values.max() < MOSTLY_RIGHT or _explained(run)):
        return None
    knows = f", while {accuracy.last:.1%} of its answers are right" if accuracy else ""
    return Finding(
        message=(
            f"The validation loss starts at {val.first / train.first:.3g} times the training loss "
            f"and {'only rises' if run.never_improved else 'stays there'}{knows}: it is not "
            "computed as the training loss is. Overfitting begins near the training loss."
        ),
        epochs=val.span,
        confidence=0.75 if accuracy else 0.6,
        evidence={
            "first training loss": train.first,
            "first validation loss": val.first,
            "lowest / first validation loss": float(val.values.min()) / val.first,
            "last / first training loss": train.last / train.first,
        },
        causes=(
            "softmax normalised over the whole batch in evaluation, or along the wrong axis",
            "the validation inputs or labels differ from those of training (distribution_shift)",
            "the evaluation loss is computed by other code than the training loss",
        ),
        steps=advice(ROW_SUMS, PROVE, ROW_WISE),
    )


def _explained(run: Run) -> bool:
    """Whether the first validation loss is what its accuracy costs: the number is right."""
    pair = run.joint("val_loss", "val_accuracy")
    if pair is None:
        return False
    implied = bounds.calibrated_loss(pair[1].values[:1], run.classes)
    return bool(pair[0].first < AS_IMPLIED * implied[0])


def _stays_above(run: Run) -> bool:
    """Whether the losses alone show a constant that is added to validation, as ln N would be."""
    train, val = run.train_loss, run.val_loss
    if train is None or val is None or run.pair is not None or train.values.min() < 0:
        return False
    added = val.first - train.first
    learned = train.end_level < HARDLY_LEARNED * train.first
    return bool(learned and added > train.first and val.values.min() > bounds.STILL_HIGH * added)


def rises_while_training_learns(run: Run) -> Finding | None:
    """The validation loss rises in the first epochs already, together with its accuracy."""
    train, pair = run["train_loss"], run.joint("val_loss", "val_accuracy")
    if pair is None:
        return None
    val, accuracy = pair
    learned = train.epochs[train.values < HARDLY_LEARNED * train.first]
    until = int(np.searchsorted(val.epochs, learned[0])) if len(learned) else len(val) - 1
    until = min(until, len(val) - 1)
    level = float(robust.running_median(val.values, 3)[: until + 1].max())
    peak = float(val.values[: until + 1].max())
    gained = float(accuracy.values[until] - accuracy.first)
    if val.first <= 0 or not run.exceeds(level / val.first, EARLY_RISE):
        return None
    if not run.exceeds(gained, EARLY_GAIN) or accuracy.end_level < MOSTLY_RIGHT:
        return None
    return Finding(
        message=(
            f"The validation loss climbs from {val.first:.3g} to {peak:.3g} in the first epochs, "
            f"while its accuracy gains {gained:.0%} and training has hardly begun: the model is "
            "not evaluated as it is trained. Overfitting and overconfidence come later."
        ),
        epochs=val.span,
        confidence=0.8,
        evidence={
            "first validation loss": val.first,
            f"highest until {run.axis} {val.epochs[until]:g}": peak,
            "accuracy gained meanwhile": gained,
            "last validation accuracy": accuracy.last,
        },
        causes=(
            "the validation inputs are not scaled as the training inputs are",
            "softmax normalised over the whole batch in evaluation, or along the wrong axis",
        ),
        steps=advice(SET_MEANS, ALIKE, ROW_SUMS, PROVE),
    )
