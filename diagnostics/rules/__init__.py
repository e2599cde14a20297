"""The rules of diagnosis, in the order in which they are applied.

First whether the loss is one that has to fall, and whether the numbers are right at all, then
whether the run broke down, whether it learned, whether the two sets are what they should be,
whether the model generalises, and last what else is worth knowing.

False alarms, measured by ``benchmarks.null_runs`` on 8,000 runs of 10 to 150 epochs in which
nothing happens, with AR(1) noise correlated up to 0.9 and up to 10 % of the loss: one problem in
all (`overfitting`, at 0.9), no warning of any other statistical rule, and
`train_validation_overlap` in 0.2 %, at most 0.8 % of one kind, where the two losses were drawn
nearly equal.
"""

from diagnostics.history.history import CURVES
from diagnostics.rules import (
    collapse,
    early_rise,
    evaluation,
    generalisation,
    gradients_and_units,
    impossible_losses,
    learning,
    oscillation,
    progress,
    scales,
    splits,
    stability,
    underfitting,
)
from diagnostics.rules.features.curve import Curve
from diagnostics.rules.features.run import Run
from diagnostics.rules.relations import Premise
from diagnostics.rules.rule import PAIR, Rule

TRAIN, VAL = ("train_loss",), ("val_loss",)
LOSSES, ACCURACIES = (*TRAIN, *VAL), ("train_accuracy", "val_accuracy")
TRAIN_LEVEL, VAL_LEVEL, RATIO, TRAIN_COURSE, VAL_COURSE, REST, ANSWERS, GAP, PARTING, SWINGS = (
    Premise
)
# States of a run that make a loss large, or training and validation unlike, in right code.
UNSTABLE, OTHER_DATA = ("diverges", "restless"), ("diverges", "apart")
EXPLAINED = (*UNSTABLE, "apart", "sure_at_once")

RULES: tuple[Rule, ...] = (
    Rule("contested_loss", progress.adversarial_loss, info=True, epochs=1, any_loss=True),
    Rule(
        "evaluation_bug",
        evaluation.evaluation_bug,
        epochs=3,
        pair=True,
        rests_on=(VAL_LEVEL,),
        not_while=UNSTABLE,
    ),
    Rule(
        "evaluation_bug",
        evaluation.rises_with_the_accuracy,
        needs=PAIR,
        rests_on=(VAL_LEVEL, VAL_COURSE),
        not_while=(*UNSTABLE, "apart"),
    ),
    Rule(
        "evaluation_bug",
        early_rise.rises_from_above,
        needs=LOSSES,
        uses=ACCURACIES,
        rests_on=(RATIO,),
        not_while=EXPLAINED,
    ),
    Rule(
        "evaluation_bug",
        early_rise.rises_while_training_learns,
        needs=CURVES,
        epochs=3,
        rests_on=(VAL_COURSE,),
        not_while=EXPLAINED,
    ),
    Rule(
        "other_loss_trained",
        scales.other_loss_trained,
        needs=CURVES,
        epochs=3,
        not_while=OTHER_DATA,
    ),
    Rule(
        "loss_scale_mismatch",
        scales.loss_scale_mismatch,
        needs=LOSSES,
        epochs=3,
        rests_on=(RATIO,),
        not_while=OTHER_DATA,
    ),
    Rule(
        "loss_scale_mismatch",
        scales.loss_too_large_for_accuracy,
        epochs=3,
        pair=True,
        rests_on=(VAL_LEVEL,),
        not_while=OTHER_DATA,
    ),
    Rule(
        "evaluation_bug",
        impossible_losses.losses_disagree_at_equal_accuracy,
        needs=CURVES,
        epochs=3,
        rests_on=(RATIO,),
        not_while=OTHER_DATA,
    ),
    Rule(
        "evaluation_bug",
        impossible_losses.loss_too_small,
        needs=PAIR,
        epochs=3,
        rests_on=(VAL_LEVEL,),
    ),
    Rule(
        "evaluation_bug",
        impossible_losses.loss_beyond_any_answer,
        needs=PAIR,
        rests_on=(VAL_LEVEL,),
        not_while=UNSTABLE,
    ),
    Rule(
        "not_cross_entropy",
        impossible_losses.not_cross_entropy,
        info=True,
        epochs=3,
        pair=True,
        rests_on=(VAL_LEVEL,),
    ),
    Rule(
        "softmax_twice", impossible_losses.softmax_twice, epochs=5, pair=True, rests_on=(VAL_LEVEL,)
    ),
    Rule("exploding_or_nan", stability.not_finite, epochs=1, uses=LOSSES, any_loss=True),
    Rule("exploding_or_nan", stability.diverging, needs=TRAIN, uses=CURVES),
    Rule("exploding_or_nan", stability.unlearned, needs=TRAIN),
    Rule("exploding_or_nan", stability.bottomless, needs=TRAIN),
    Rule("oscillating", oscillation.oscillating, needs=TRAIN, rests_on=(SWINGS,)),
    Rule(
        "spike_recovered", oscillation.spike_recovered, info=True, needs=TRAIN, rests_on=(SWINGS,)
    ),
    Rule(
        "class_collapse",
        collapse.class_collapse,
        uses=CURVES,
        pair=True,
        rests_on=(ANSWERS, VAL_LEVEL),
    ),
    Rule("too_few_epochs", learning.too_few_epochs, info=True, epochs=1),
    Rule("not_learning", learning.not_learning, uses=CURVES, rests_on=(ANSWERS,)),
    Rule(
        "slow_learning", learning.slow_learning, needs=TRAIN, rests_on=(TRAIN_COURSE, TRAIN_LEVEL)
    ),
    Rule(
        "underfitting",
        underfitting.underfitting,
        needs=TRAIN,
        epochs=underfitting.REST_EPOCHS,
        uses=ACCURACIES,
        rests_on=(TRAIN_COURSE, TRAIN_LEVEL),
    ),
    Rule(
        "train_validation_swapped",
        splits.train_validation_swapped,
        needs=LOSSES,
        rests_on=(RATIO, TRAIN_COURSE),
    ),
    Rule(
        "distribution_shift", splits.distribution_shift, needs=(*VAL, *ACCURACIES), rests_on=(GAP,)
    ),
    Rule(
        "distribution_shift",
        splits.validation_never_improves,
        needs=LOSSES,
        rests_on=(VAL_COURSE, RATIO),
    ),
    Rule("label_noise", splits.labels_unpaired, needs=(*VAL, *ACCURACIES), rests_on=(GAP,)),
    Rule(
        "train_validation_overlap",
        splits.train_validation_overlap,
        needs=LOSSES,
        epochs=12,
        rests_on=(RATIO,),
    ),
    Rule("label_noise", generalisation.label_noise, needs=(*TRAIN, *PAIR), rests_on=(VAL_COURSE,)),
    Rule("overfitting", generalisation.overfitting, needs=VAL, uses=CURVES, rests_on=(VAL_COURSE,)),
    Rule("overfitting", generalisation.generalisation_gap, needs=ACCURACIES, rests_on=(GAP,)),
    Rule(
        "overconfidence",
        generalisation.overconfidence,
        needs=PAIR,
        uses=CURVES,
        rests_on=(VAL_COURSE,),
    ),
    Rule(
        "loss_accuracy_divergence",
        generalisation.loss_accuracy_divergence,
        pair=True,
        rests_on=(PARTING,),
    ),
    Rule("dead_units", gradients_and_units.dead_units, epochs=3),
    Rule("vanishing_gradients", gradients_and_units.vanishing_gradients, epochs=3),
    Rule(
        "validation_better_than_train",
        progress.validation_better_than_train,
        info=True,
        needs=LOSSES,
        rests_on=(RATIO,),
    ),
    Rule("noisy_validation", progress.noisy_validation, info=True, needs=VAL, rests_on=(SWINGS,)),
    Rule("learning_rate_step", progress.learning_rate_step, info=True, epochs=5),
    Rule(
        "plateau_then_progress",
        progress.plateau_then_progress,
        info=True,
        needs=TRAIN,
        rests_on=(TRAIN_COURSE,),
    ),
    Rule(
        "late_improvement",
        progress.late_improvement,
        info=True,
        needs=VAL,
        rests_on=(VAL_COURSE, SWINGS),
    ),
    Rule("still_improving", progress.still_improving, info=True, rests_on=(REST,)),
    Rule("converged", progress.converged, info=True, rests_on=(REST,)),
)

__all__ = ["RULES", "Curve", "Premise", "Rule", "Run"]
