"""What a layer owes besides right numbers: promises, each measured and reported.

A breach of a required promise is a fault. A breach of the others is noted: whether it is a fault
depends on the layer (batch-norm couples its samples by right).
"""

from gradcheck.checking.contract.promises import check_contract

__all__ = ["check_contract"]
