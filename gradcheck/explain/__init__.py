"""From a mismatch to the name of the bug, by hypotheses that numbers test."""

from gradcheck.explain.broken_promises import explain_contract
from gradcheck.explain.search import explain_tensor

__all__ = ["explain_contract", "explain_tensor"]
