"""The properties of a softmax; each file of this folder is a room of the suite."""

from __future__ import annotations

from gradcheck.properties.array_function import ARRAY_FUNCTION
from gradcheck.properties.registry import Suite
from gradcheck.properties.rowwise.backward import ROW_BACKWARD
from gradcheck.properties.rowwise.laws import ROW_WISE
from gradcheck.properties.softmax.backward import BACKWARD
from gradcheck.properties.softmax.extremes import EXTREMES
from gradcheck.properties.softmax.jacobian import JACOBIAN
from gradcheck.properties.softmax.laws import LAWS
from gradcheck.properties.softmax.softmax_under_test import SoftmaxUnderTest

SUITE = Suite(
    "softmax",
    SoftmaxUnderTest,
    include=[LAWS, ROW_WISE, EXTREMES, JACOBIAN, ROW_BACKWARD, BACKWARD, ARRAY_FUNCTION],
)

__all__ = ["SUITE", "SoftmaxUnderTest"]
