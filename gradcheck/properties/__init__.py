"""Properties of softmax, losses, layers and optimisers, to be run on your own functions.

Hypothesis looks for an input at which a property fails and shrinks it to the smallest; the report
says where, by how much, and what bug would explain it. For tests of your own there is
`gradcheck.properties.strategies`.
"""

from __future__ import annotations

from gradcheck.properties.assertions import PropertyViolationError
from gradcheck.properties.property import Property, Result, Status, for_all
from gradcheck.properties.registry import CONTENTS, Suite, suite
from gradcheck.properties.run import assert_property, parametrize_with_properties, run_properties
from gradcheck.properties.suite_report import SuiteReport

SUITES = tuple(CONTENTS)

__all__ = [
    "SUITES",
    "Property",
    "PropertyViolationError",
    "Result",
    "Status",
    "Suite",
    "SuiteReport",
    "assert_property",
    "for_all",
    "parametrize_with_properties",
    "run_properties",
    "suite",
]
