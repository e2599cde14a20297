"""All that explains a failed check, in the order of its use; imported where one fails.

Most checks pass, and start twice as fast without it.
"""

from gradcheck.explain.broken_promises import explain_contract
from gradcheck.explain.rank_explanations import agree, tell
from gradcheck.explain.search import explain_tensor
from gradcheck.explain.source.ranking import ranked
from gradcheck.explain.source.repair_search import repairs

__all__ = ["agree", "explain_contract", "explain_tensor", "ranked", "repairs", "tell"]
