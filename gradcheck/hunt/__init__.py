"""Hunting for the corners where a gradient is wrong: many inputs, the smallest failing one kept.

Hypothesis is imported by the search only, so that importing this costs nothing.
"""

from gradcheck.hunt.report import HuntReport
from gradcheck.hunt.search import hunt
from gradcheck.hunt.subject import use

__all__ = ["HuntReport", "hunt", "use"]
