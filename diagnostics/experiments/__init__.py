"""Experiments on a model: one check for each question."""

from diagnostics.experiments.checks import CHECKS, Check
from diagnostics.experiments.investigation import investigate

__all__ = ["CHECKS", "Check", "investigate"]
