"""The rules of diagnosis: one function for each finding.

The order of judgement is the order of this list: first whether the numbers are right at all
(`evaluation`, `scales`, `bounds`), then whether the run broke down (`stability`), whether it
learned (`learning`), whether the two sets are what they should be (`splits`), whether the model
generalises (`generalisation`), and last what else is worth knowing (`mechanics`, `progress`).
"""

from diagnostics.rules import (  # isort: skip  (the order is the order of judgement)
    evaluation,
    scales,
    bounds,
    stability,
    learning,
    splits,
    generalisation,
    mechanics,
    progress,
)
from diagnostics.rules.curve import Curve
from diagnostics.rules.registry import RULES, Rule, rule
from diagnostics.rules.run import Run

__all__ = [
    "RULES",
    "Curve",
    "Rule",
    "Run",
    "bounds",
    "evaluation",
    "generalisation",
    "learning",
    "mechanics",
    "progress",
    "rule",
    "scales",
    "splits",
    "stability",
]
