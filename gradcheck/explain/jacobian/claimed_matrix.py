"""A wrong Jacobian that was claimed as a matrix: what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.jacobian.claimed import JacobianEntries


@dataclass(frozen=True)
class ClaimedMatrix:
    """A wrong Jacobian of which every entry is known.

    Attributes
    ----------
    name
        The tensor that it is by.
    entries
        Where it was measured.
    value, output
        All entries of the tensor, and all outputs.
    is_sparse
        Whether its zeros were declared.
    is_hessian
        Whether it has to be symmetric.
    """

    name: str
    entries: JacobianEntries
    value: Array
    output: Array
    is_sparse: bool
    is_hessian: bool = False

    @cached_property
    def claimed(self) -> Array:
        """The matrix as it was returned."""
        return self.entries.dense(self.entries.claimed)

    @cached_property
    def right(self) -> Array:
        """The numerical one, zero where it is not told from zero."""
        known = np.where(np.abs(self.entries.numerical) > self.entries.bound, 1.0, 0.0)
        return self.entries.dense(self.entries.numerical * known)

    @cached_property
    def bound(self) -> Array:
        """How far a right one may be off."""
        return self.entries.dense(self.entries.bound)

    @cached_property
    def wrong(self) -> Array:
        """Which entries are wrong."""
        return np.asarray(np.abs(self.claimed - self.right) > self.bound)

    @cached_property
    def region(self) -> str:
        """Where they are."""
        return self.entries.report().region

    @property
    def is_square(self) -> bool:
        """Whether there are as many outputs as entries."""
        return bool(self.claimed.shape[0] == self.claimed.shape[1] > 1)
