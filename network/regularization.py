"""Penalties: what large weights cost on top of the loss.

``forward(W)`` returns the cost of the weights W as a float, ``backward()`` its gradient.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike

from gradcheck_arguments import NonNegative, checked
from network.functional import Array, as_floats


class Penalty(ABC):
    """A cost of weights.

    Parameters
    ----------
    strength
        What a unit of it counts beside the loss.

    Raises
    ------
    ValueError
        If the strength is negative.
    """

    @checked
    def __init__(self, strength: NonNegative) -> None:
        self.strength = strength
        self._kept: Array | None = None

    def forward(self, W: ArrayLike) -> float:
        """Return the cost of ``W``, of any shape."""
        self._kept = as_floats(W, "W")
        return self.cost(self._kept)

    def backward(self) -> Array:
        """Return the gradient of the last cost, shaped like its weights."""
        if self._kept is None:
            raise RuntimeError(f"{type(self).__name__}.backward was called before forward")
        return self.slope(self._kept)

    @abstractmethod
    def cost(self, W: Array) -> float:
        """Return the cost of weights."""

    @abstractmethod
    def slope(self, W: Array) -> Array:
        """Return the gradient of the cost."""


class L2(Penalty):
    """strength / 2 times the sum of squares: weights shrink in proportion (weight decay)."""

    def cost(self, W: Array) -> float:
        """Return strength / 2 sum(W^2)."""
        return self.strength / 2 * float(np.sum(W**2, dtype=np.float64))

    def slope(self, W: Array) -> Array:
        """Return strength W."""
        return self.strength * W


class L1(Penalty):
    """strength times the sum of absolute values: weights of little use become zero (lasso)."""

    def cost(self, W: Array) -> float:
        """Return strength sum(|W|)."""
        return self.strength * float(np.sum(np.abs(W), dtype=np.float64))

    def slope(self, W: Array) -> Array:
        """Return strength sign(W); at zero it is taken as zero, a valid subgradient."""
        return self.strength * np.sign(W)
