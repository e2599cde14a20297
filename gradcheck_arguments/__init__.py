"""Arguments of public functions, refused at the door where they are none that fit.

What fits is what the annotations say: ``@checked`` reads them, and every error names the argument,
what was given and what is expected, ``epochs=1.5: expected an integer of at least 1``. Nothing is
said twice, and nothing is left out. `gradcheck`, `network` and `diagnostics`, which do not know one
another, share this and nothing else.
"""

from gradcheck_arguments._checked import checked
from gradcheck_arguments._ranges import (
    ArrayTree,
    Count,
    Finite,
    NonNegative,
    NonNegativeInt,
    Order,
    Positive,
    Seed,
    Several,
    Share,
)

__all__ = [
    "ArrayTree",
    "Count",
    "Finite",
    "NonNegative",
    "NonNegativeInt",
    "Order",
    "Positive",
    "Seed",
    "Several",
    "Share",
    "checked",
]
