"""The rules of diagnosis: one function for each finding.

The order of judgement is the order of this list: first whether the numbers are right at all
(`accounting`), then whether the run broke down (`stability`), whether it learned (`learning`),
whether it generalises (`generalisation`), and last what else is worth knowing (`progress`).
"""

from diagnostics.rules import (  # isort: skip  (the order is the order of judgement)
    accounting,
    stability,
    learning,
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
    "accounting",
    "generalisation",
    "learning",
    "mechanics",
    "progress",
    "rule",
    "stability",
]
