"""The properties of a layer: forward, backward, and parameters with their gradients."""

from __future__ import annotations

from gradcheck.properties.layer.backward import BACKWARD
from gradcheck.properties.layer.forward import FORWARD
from gradcheck.properties.layer.layer_under_test import LayerUnderTest
from gradcheck.properties.layer.precision import PRECISION
from gradcheck.properties.registry import Suite

SUITE = Suite("layer", LayerUnderTest, include=[FORWARD, BACKWARD, PRECISION])

__all__ = ["SUITE", "LayerUnderTest"]
