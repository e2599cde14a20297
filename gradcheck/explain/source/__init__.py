"""The line to change: single edits of the user's own code, run and compared with the numbers."""

from gradcheck.explain.source.ranking import ranked
from gradcheck.explain.source.repair import Repair, repairs

__all__ = ["Repair", "ranked", "repairs"]
