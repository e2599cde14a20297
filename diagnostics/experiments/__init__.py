"""Experiments on a model: one check for each question."""

from diagnostics.experiments.check import Check
from diagnostics.experiments.checks import CHECKS
from diagnostics.experiments.investigation import investigate

__all__ = ["CHECKS", "Check", "investigate"]
