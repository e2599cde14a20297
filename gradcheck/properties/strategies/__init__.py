"""Hypothesis strategies for your own tests of networks: logits, targets, kinks, near-ties.

Every strategy draws float64 arrays whose entries are independent of each other (Hypothesis's own
array strategy fills with one value, and bugs of rows hide in equal rows), and which shrink to short
arrays of small whole numbers. Most entries are dyadic: multiples of 1/64, so that sums and shifts
of them are exact, and an identity may be asked for without a tolerance for its input.

>>> from hypothesis import given
>>> import numpy as np
>>> @given(logits())
... def test_rows_sum_to_one(x):
...     e = np.exp(x - x.max(axis=-1, keepdims=True))
...     np.testing.assert_allclose((e / e.sum(axis=-1, keepdims=True)).sum(axis=-1), 1)
>>> test_rows_sum_to_one()
"""

from __future__ import annotations

from gradcheck.properties.strategies.arrays import (
    class_indices,
    kink_avoiding,
    kink_hitting,
    logits,
    near_ties,
    one_hot_targets,
    soft_targets,
    stochastic_rows,
    well_conditioned,
    well_conditioned_matrices,
)
from gradcheck.properties.strategies.shapes import batch_shapes

__all__ = [
    "batch_shapes",
    "class_indices",
    "kink_avoiding",
    "kink_hitting",
    "logits",
    "near_ties",
    "one_hot_targets",
    "soft_targets",
    "stochastic_rows",
    "well_conditioned",
    "well_conditioned_matrices",
]
