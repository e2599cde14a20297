"""What a layer owes besides right numbers: promises, each measured and reported.

A breach of a required promise is a fault. The others are facts: whether a breach of them is a
fault depends on the layer (batch-norm couples its samples by right).
"""

from gradcheck.checking.contract import (  # noqa: F401 (they register their promises)
    reported,
    required,
)
from gradcheck.checking.contract.promise import check_contract

__all__ = ["check_contract"]
