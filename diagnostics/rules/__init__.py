"""The rules of diagnosis: one function for each finding.

The order of judgement is the order of this list: first whether the loss is one that has to fall
(`contested`), and whether the numbers are right at all (`evaluation`, `premature`, `scales`,
`bounds`), then whether the run broke down (`stability`, `swings`), whether it learned (`collapse`,
`learning`, `underfitting`), whether the two sets are what they should be (`splits`, `overlap`),
whether the model generalises (`generalisation`), and last what else is worth knowing (`mechanics`,
`progress`).

False alarms, measured by ``benchmarks.null_runs`` on 8,000 runs of 10 to 150 epochs in which
nothing happens, with AR(1) noise correlated up to 0.9 and up to 10 % of the loss: one problem in
all (`overfitting`, at 0.9), no warning of any other statistical rule, and
`train_validation_overlap` in 0.2 %, at most 0.8 % of one kind, where the two losses were drawn
nearly equal.
"""

from diagnostics.rules import (  # noqa: F401 # isort: skip (the order of judgement)
    adversarial_losses,
    evaluation,
    early_rise,
    scales,
    impossible_losses,
    stability,
    oscillation,
    collapse,
    learning,
    underfitting,
    splits,
    overlap,
    generalisation,
    gradients_and_units,
    progress,
)
from diagnostics.rules.features.curve import Curve
from diagnostics.rules.features.run import Run
from diagnostics.rules.registry import RULES, Rule, rule

__all__ = [
    "RULES",
    "Curve",
    "Rule",
    "Run",
    "bounds",
    "collapse",
    "contested",
    "evaluation",
    "generalisation",
    "learning",
    "mechanics",
    "overlap",
    "premature",
    "progress",
    "rule",
    "scales",
    "splits",
    "stability",
    "swings",
    "underfitting",
]
