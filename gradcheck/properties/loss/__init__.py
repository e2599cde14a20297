"""The properties of a loss; each file of this folder is a room of the suite."""

from __future__ import annotations

from gradcheck.properties.loss.extremes import CONTRACT, EXTREMES
from gradcheck.properties.loss.gradient import GRADIENT
from gradcheck.properties.loss.laws import LAWS
from gradcheck.properties.loss.loss_under_test import LossUnderTest
from gradcheck.properties.registry import Suite

SUITE = Suite("loss", LossUnderTest, include=[LAWS, EXTREMES, GRADIENT, CONTRACT])

__all__ = ["SUITE", "LossUnderTest"]
