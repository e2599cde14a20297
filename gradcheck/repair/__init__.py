"""The line to change: single edits of the user's own code, run and compared with the numbers."""

from gradcheck.repair.search import Repair, repairs
from gradcheck.repair.story import ranked

__all__ = ["Repair", "ranked", "repairs"]
