"""Hunting for the corners where a gradient is wrong: many inputs, the smallest failing one kept.

Hypothesis is imported by the search only, so that importing this costs nothing.
"""

from gradcheck.hunt.hunt_report import HuntReport
from gradcheck.hunt.repeated_check import use
from gradcheck.hunt.search import hunt

__all__ = ["HuntReport", "hunt", "use"]
