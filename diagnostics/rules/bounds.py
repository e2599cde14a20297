"""Can loss and accuracy be those of the same predictions? Bounds that every right pair obeys."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity
from diagnostics.rules.evaluation import STILL_HIGH
from diagnostics.rules.implied import bound_evidence, equally_accurate, share_impossible
from diagnostics.rules.registry import rule
from diagnostics.rules.run import Run
from diagnostics.rules.scales import MOST_EPOCHS, OTHER_SCALE


@rule(
    "evaluation_bug",
    needs=("train_loss", "val_loss"),
    epochs=3,
    unless=("loss_scale_mismatch", "evaluation_bug"),
)
def losses_disagree_at_equal_accuracy(run: Run) -> Finding | None:
    """The validation loss is far above the training loss from the start, at equal accuracy."""
    pair = run.joint("train_loss", "val_loss")
    if pair is None or not equally_accurate(run) or run.judged is None:
        return None
    train, val = pair
    early = max(3, len(train) // 3)
    ratio = float(np.min(val.values[:early] / np.maximum(train.values[:early], 1e-12)))
    if not run.exceeds(ratio, OTHER_SCALE) or val.last < STILL_HIGH * val.first:
        return None
    return Finding(
        code="evaluation_bug",
        severity=Severity.PROBLEM,
        message=(
            f"From the first epochs on the validation loss is at least {ratio:.3g} times the "
            "training loss although both accuracies agree: they are not computed alike."
        ),
        epochs=val.span,
        confidence=0.8,
        evidence={
            "smallest early ratio": ratio,
            "first training loss": train.first,
            "first validation loss": val.first,
        },
        causes=(
            "softmax normalised over the whole batch in evaluation",
            "the evaluation loss is computed by other code than the training loss",
        ),
        next_steps=(
            "Evaluate the training set with the validation code: both losses must agree.",
            "Check that predict(X).sum(axis=-1) is 1 in every row.",
        ),
    )


@rule(
    "evaluation_bug",
    needs=("val_loss", "val_accuracy"),
    epochs=3,
    unless=("loss_scale_mismatch", "evaluation_bug"),
)
def loss_too_small(run: Run) -> Finding | None:
    """The validation loss is too small for its accuracy, while the training loss is not."""
    val, train = run.joint("val_loss", "val_accuracy"), run.joint("train_loss", "train_accuracy")
    if val is None or train is None:
        return None
    if not run.exceeds(share_impossible(*val), MOST_EPOCHS) or share_impossible(*train) > 0.2:
        return None
    return Finding(
        code="evaluation_bug",
        severity=Severity.PROBLEM,
        message=(
            "The validation loss is smaller than a cross-entropy can be with so many wrong "
            "answers: loss and accuracy are not those of the same predictions."
        ),
        epochs=val[0].span,
        confidence=0.85,
        evidence=bound_evidence(*val),
        causes=(
            "the sum over samples is divided by more samples than were summed",
            "loss and accuracy are computed on different samples or modes",
            "the validation loss is another loss than the training loss",
        ),
        next_steps=("Recompute the loss from stored predictions: -mean(log p[range(n), y]).",),
    )


@rule(
    "not_cross_entropy",
    epochs=3,
    unless=("loss_scale_mismatch", "evaluation_bug", "other_loss_trained"),
)
def not_cross_entropy(run: Run) -> Finding | None:
    """The loss is some other loss than the cross-entropy, consistently; nothing wrong in that."""
    if run.judged is None or not run.exceeds(share_impossible(*run.judged), MOST_EPOCHS):
        return None
    return Finding(
        code="not_cross_entropy",
        severity=Severity.INFO,
        message=(
            "The loss is smaller than any cross-entropy at this accuracy: it is another loss, "
            "such as the squared error, or is scaled."
        ),
        epochs=run.judged[0].span,
        confidence=0.95,
        evidence=bound_evidence(*run.judged),
    )
