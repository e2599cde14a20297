"""The experiments, in the order in which they are made.

First whether the evaluation is right, then whether the data sets fit together, whether the answers
have to do with the labels, whether the network is alive, and last whether the answers are as sure
as they are right. Each states what it needs: of a regression the answers are numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diagnostics.experiments.checks import (
    batch_averaging,
    batch_coupling,
    confidence,
    dead_units,
    degenerate_predictions,
    determinism,
    distribution_shift,
    input_scale,
    label_association,
    label_noise,
    loss_function,
    regression,
    reported_metrics,
    softmax_twice,
    train_val_overlap,
    trained_loss,
)
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, Severity


@dataclass(frozen=True)
class Check:
    """One experiment.

    Parameters
    ----------
    code
        Code of the finding, where the experiment does not choose another.
    find
        From a subject to a finding, or None.
    needs
        What has to be given for it to be made, of ``"model"`` (and not mere predictions),
        ``"probabilities"`` or ``"numbers"`` as answers, ``"train"``, ``"history"`` and ``"loss"``.
    unless
        Findings that leave nothing for it to decide.
    severity
        That of every finding; by default it is for the check to say, and a problem otherwise.
    """

    code: str
    find: Callable[[Subject], Finding | None]
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    severity: Severity | None = None

    @property
    def name(self) -> str:
        """The name of the experiment."""
        return self.find.__name__

    @property
    def sentence(self) -> str:
        """What is done in the experiment: the first line of its docstring."""
        return (self.find.__doc__ or "").partition("\n")[0]


INFO, WARNING = Severity.INFO, Severity.WARNING
P, N = ("probabilities",), ("numbers",)
REPORTED = (*P, "history")
RANDOM = ("nondeterministic_prediction",)
# With these the answers are not those of the model.
NOT_ITS_OWN = ("evaluation_bug", *RANDOM)
# With these the confidence is not the model's own, or there is nothing to be sure of.
UNSURE = (
    *NOT_ITS_OWN,
    "distribution_shift",
    "softmax_twice",
    "rounded_probabilities",
    "shuffled_labels",
    "not_learning",
    "classes_returned",
)
AVERAGED = ("classes_returned", "rounded_probabilities", "biased_average", "loss_scale_mismatch")

# fmt: off
CHECKS = (
    Check("input_mutated", determinism.input_mutated, ("model",)),
    Check("nondeterministic_prediction", determinism.nondeterministic_prediction, ("model",)),
    Check("nondeterministic_prediction", determinism.noise_within_batch, ("model",), RANDOM),
    Check("evaluation_bug", batch_coupling.evaluation_bug, P),
    Check("evaluation_bug", regression.rows_coupled, (*N, "model"), RANDOM),
    Check("logits_returned", batch_coupling.logits_returned, P, severity=INFO),
    Check("classes_returned", batch_coupling.classes_returned, P, severity=INFO),
    Check("softmax_twice", softmax_twice.softmax_twice, P, NOT_ITS_OWN),
    Check("rounded_probabilities", softmax_twice.rounded_probabilities, P,
          (*NOT_ITS_OWN, "classes_returned")),
    Check("biased_average", batch_averaging.averaged_over_batches, REPORTED,
          (*NOT_ITS_OWN, "classes_returned")),
    Check("loss_not_reproduced", reported_metrics.reported_loss, REPORTED,
          (*NOT_ITS_OWN, *AVERAGED)),
    Check("metric_mismatch", reported_metrics.reported_accuracy, REPORTED, ("evaluation_bug",),
          severity=WARNING),
    Check("other_loss_trained", trained_loss.other_loss_trained, (*REPORTED, "train"),
          (*NOT_ITS_OWN, "other_loss_trained", "softmax_twice"), severity=WARNING),
    Check("exploding_or_nan", loss_function.loss_of_zero_probability, (*P, "loss"),
          severity=WARNING),
    Check("loss_scale_mismatch", loss_function.loss_over_classes, (*P, "loss"), severity=WARNING),
    Check("loss_needs_batch", loss_function.loss_of_single_sample, (*P, "loss"), severity=INFO),
    Check("loss_scale_mismatch", loss_function.loss_is_a_sum, (*P, "loss"), severity=WARNING),
    Check("train_validation_overlap", train_val_overlap.train_validation_overlap, ("train",)),
    Check("train_validation_overlap", train_val_overlap.near_duplicates, ("train",),
          ("train_validation_overlap",)),
    Check("distribution_shift", distribution_shift.distribution_shift, ("train",)),
    Check("not_learning", regression.constant, N),
    Check("shuffled_labels", regression.unrelated, N, ("not_learning",)),
    Check("distribution_shift", regression.other_units, N, ("distribution_shift",)),
    Check("loss_not_reproduced", reported_metrics.reported_error, (*N, "history"), NOT_ITS_OWN),
    Check("shuffled_labels", label_association.out_of_step, P, NOT_ITS_OWN),
    Check("shuffled_labels", label_association.shuffled_set, (*P, "train"), ("shuffled_labels",)),
    Check("not_learning", label_association.not_learning, P,
          (*NOT_ITS_OWN, "distribution_shift", "shuffled_labels")),
    Check("distribution_shift", label_noise.relabelled, P, ("evaluation_bug", "shuffled_labels")),
    Check("label_noise", label_noise.label_noise, (*P, "train")),
    Check("exploding_or_nan", degenerate_predictions.log_of_zero, P,
          ("classes_returned", "rounded_probabilities")),
    Check("class_collapse", degenerate_predictions.class_collapse, P),
    Check("dead_units", dead_units.dead_units, P, ("distribution_shift",)),
    Check("unnormalised_inputs", input_scale.unnormalised_inputs, P,
          (*NOT_ITS_OWN, "distribution_shift")),
    Check("overconfidence", confidence.overconfidence, P, UNSURE),
    Check("underconfidence", confidence.underconfidence, P, UNSURE, severity=INFO),
)
# fmt: on
