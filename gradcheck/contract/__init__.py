"""What a layer owes besides right numbers: promises, each measured and reported.

A breach of a required promise is a fault. The others are facts: whether a breach of them is a
fault depends on the layer (batch-norm couples its samples by right).
"""

from gradcheck.contract import facts, required  # noqa: F401 (they register their promises)
from gradcheck.contract.registry import check_contract

__all__ = ["check_contract"]
