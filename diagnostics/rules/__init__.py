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

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diagnostics.finding import Finding, Severity
from diagnostics.history.history import CURVES
from diagnostics.rules import (
    collapse,
    early_rise,
    evaluation,
    generalisation,
    gradients_and_units,
    impossible_losses,
    informational,
    learning,
    oscillation,
    scales,
    splits,
    stability,
)
from diagnostics.rules.features.curve import Curve
from diagnostics.rules.features.run import Run
from diagnostics.rules.features.run_curves import ENOUGH_EPOCHS
from diagnostics.rules.relations import Premise, explaining

# A loss and an accuracy of the same samples; those of training do as well.
PAIR = ("val_loss", "val_accuracy")


@dataclass(frozen=True)
class Rule:
    """One rule.

    Parameters
    ----------
    code
        Code of the finding.
    find
        From a run to a finding, or None.
    needs
        Roles without which the rule is not applied.
    rests_on
        The evidence that it concludes from: earlier findings that explain any of it leave nothing
        to conclude, see `diagnostics.rules.relations`.
    not_while
        States of the run, of `diagnostics.rules.relations.STATES`, that explain what the rule
        would report.
    epochs
        Fewest rows for a judgement.
    uses
        Roles by which it judges where they are logged: without them it may miss something.
    pair
        Whether it needs a loss and an accuracy of the same set.
    severity
        That of every finding; by default it is for the rule to say, and a problem otherwise.
    any_loss
        Whether it holds for adversarial losses too, which a sound run need not bring down.
    """

    code: str
    find: Callable[[Run], Finding | None]
    needs: tuple[str, ...] = ()
    rests_on: tuple[Premise, ...] = ()
    not_while: tuple[str, ...] = ()
    epochs: int = ENOUGH_EPOCHS
    uses: tuple[str, ...] = ()
    pair: bool = False
    severity: Severity | None = None
    any_loss: bool = False

    @property
    def info(self) -> bool:
        """Whether what the rule finds is never a fault."""
        return self.severity is Severity.INFO

    @property
    def unless(self) -> frozenset[str]:
        """The codes of the findings that leave nothing for this rule to conclude."""
        return explaining(self.rests_on) | {self.code}

    def lacks(self, run: Run) -> tuple[str, ...]:
        """Return the roles that the rule needs and the run has not logged."""
        needs = (*self.needs, *(PAIR if self.pair and run.pair is None else ()))
        return tuple(role for role in needs if run.curve(role) is None)

    def could_use(self, run: Run) -> tuple[str, ...]:
        """Return the roles that are not logged and would let the rule exclude more."""
        others = (role for role in self.uses if run.curve(role) is None)
        return tuple(dict.fromkeys((*self.lacks(run), *others)))

    def applies(self, run: Run) -> bool:
        """Return whether the run has the curves and the length that the rule needs."""
        long_enough = run.length >= self.epochs and not self.lacks(run)
        if not long_enough or (run.adversarial and not self.any_loss):
            return False
        return not any(getattr(run, state) for state in self.not_while)


INFO, WARNING = Severity.INFO, Severity.WARNING
TRAIN, VAL = ("train_loss",), ("val_loss",)
LOSSES, ACCURACIES = (*TRAIN, *VAL), ("train_accuracy", "val_accuracy")
TRAIN_LEVEL, VAL_LEVEL, RATIO, TRAIN_COURSE, VAL_COURSE, REST, ANSWERS, GAP, PARTING, SWINGS = (
    Premise
)
# States of a run that make a loss large, or training and validation unlike, in right code.
UNSTABLE, OTHER_DATA = ("diverges", "restless"), ("diverges", "apart")
EXPLAINED = (*UNSTABLE, "apart", "sure_at_once")

# The code, the function, the roles it needs, what it rests on, and the states that explain that.
# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("contested_loss", informational.adversarial_loss, severity=INFO, epochs=1, any_loss=True),
    Rule("evaluation_bug", evaluation.evaluation_bug, (), (VAL_LEVEL,), UNSTABLE, epochs=3,
         pair=True),
    Rule("evaluation_bug", early_rise.rises_from_above, LOSSES, (RATIO,), EXPLAINED,
         uses=ACCURACIES),
    Rule("evaluation_bug", early_rise.rises_while_training_learns, CURVES, (VAL_COURSE,), EXPLAINED,
         epochs=3),
    Rule("other_loss_trained", scales.other_loss_trained, CURVES, (), OTHER_DATA, severity=WARNING,
         epochs=3),
    Rule("loss_scale_mismatch", scales.loss_scale_mismatch, LOSSES, (RATIO,), OTHER_DATA, epochs=3),
    Rule("loss_scale_mismatch", scales.loss_too_large_for_accuracy, (), (VAL_LEVEL,), OTHER_DATA,
         severity=WARNING, epochs=3, pair=True),
    Rule("evaluation_bug", impossible_losses.loss_beyond_any_answer, PAIR, (VAL_LEVEL,), UNSTABLE),
    Rule("not_cross_entropy", impossible_losses.not_cross_entropy, (), (VAL_LEVEL,), severity=INFO,
         epochs=3, pair=True),
    Rule("softmax_twice", impossible_losses.softmax_twice, (), (VAL_LEVEL,), epochs=5, pair=True),
    Rule("exploding_or_nan", stability.not_finite, epochs=1, uses=LOSSES, any_loss=True),
    Rule("exploding_or_nan", stability.diverging, TRAIN, uses=CURVES),
    Rule("exploding_or_nan", stability.unlearned, TRAIN),
    Rule("exploding_or_nan", stability.bottomless, TRAIN),
    Rule("oscillating", oscillation.oscillating, TRAIN, (SWINGS,)),
    Rule("spike_recovered", oscillation.spike_recovered, TRAIN, (SWINGS,), severity=INFO),
    Rule("class_collapse", collapse.class_collapse, (), (ANSWERS, VAL_LEVEL), uses=CURVES,
         pair=True),
    Rule("too_few_epochs", learning.too_few_epochs, severity=INFO, epochs=1),
    Rule("not_learning", learning.not_learning, (), (ANSWERS,), uses=CURVES),
    Rule("slow_learning", learning.slow_learning, TRAIN, (TRAIN_COURSE, TRAIN_LEVEL),
         severity=WARNING),
    Rule("underfitting", learning.underfitting, TRAIN, (TRAIN_COURSE, TRAIN_LEVEL),
         severity=WARNING, epochs=learning.REST_EPOCHS, uses=ACCURACIES),
    Rule("train_validation_swapped", splits.train_validation_swapped, LOSSES,
         (RATIO, TRAIN_COURSE)),
    Rule("distribution_shift", splits.distribution_shift, (*VAL, *ACCURACIES), (GAP,),
         severity=WARNING),
    Rule("distribution_shift", splits.validation_never_improves, LOSSES, (VAL_COURSE, RATIO),
         severity=WARNING),
    Rule("label_noise", splits.labels_unpaired, (*VAL, *ACCURACIES), (GAP,)),
    Rule("train_validation_overlap", splits.train_validation_overlap, LOSSES, (RATIO,),
         severity=WARNING, epochs=12),
    Rule("label_noise", generalisation.label_noise, (*TRAIN, *PAIR), (VAL_COURSE,)),
    Rule("overfitting", generalisation.overfitting, VAL, (VAL_COURSE,), uses=CURVES),
    Rule("overfitting", generalisation.generalisation_gap, ACCURACIES, (GAP,), severity=WARNING),
    Rule("overconfidence", generalisation.overconfidence, PAIR, (VAL_COURSE,), uses=CURVES),
    Rule("loss_accuracy_divergence", generalisation.loss_accuracy_divergence, (), (PARTING,),
         pair=True),
    Rule("dead_units", gradients_and_units.dead_units, epochs=3),
    Rule("vanishing_gradients", gradients_and_units.vanishing_gradients, epochs=3),
    Rule("validation_better_than_train", informational.validation_better_than_train, LOSSES,
         (RATIO,), severity=INFO),
    Rule("noisy_validation", informational.noisy_validation, VAL, (SWINGS,), severity=INFO),
    Rule("learning_rate_step", informational.learning_rate_step, severity=INFO, epochs=5),
    Rule("plateau_then_progress", informational.plateau_then_progress, TRAIN, (TRAIN_COURSE,),
         severity=INFO),
    Rule("late_improvement", informational.late_improvement, VAL, (VAL_COURSE, SWINGS),
         severity=INFO),
    Rule("still_improving", informational.still_improving, (), (REST,), severity=INFO),
    Rule("converged", informational.converged, (), (REST,), severity=INFO),
)
# fmt: on

__all__ = ["RULES", "Curve", "Premise", "Rule", "Run"]
