"""The properties of an optimiser: what one step, and many, do to parameters."""

from __future__ import annotations

from gradcheck.properties.optimizer.contract import CONTRACT
from gradcheck.properties.optimizer.descent import DESCENT
from gradcheck.properties.optimizer.optimizer_under_test import OptimizerUnderTest
from gradcheck.properties.registry import Suite

SUITE = Suite("optimizer", OptimizerUnderTest, include=[DESCENT, CONTRACT])

__all__ = ["SUITE", "OptimizerUnderTest"]
