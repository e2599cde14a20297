"""The line to change: single edits of the user's own code, run and compared with the numbers."""

from gradcheck.explain.source.ranking import ranked
from gradcheck.explain.source.repair import Repair, Repairs
from gradcheck.explain.source.repair_search import repairs

__all__ = ["Repair", "Repairs", "ranked", "repairs"]
