"""Optimizers: from gradients to a change of the parameters, in place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


class SGD:
    """Stochastic gradient descent, with momentum where asked for.

    v <- momentum v - learning_rate g;  parameter <- parameter + v  (B. T. Polyak, "Some methods of
    speeding up the convergence of iteration methods", 1964, in the form of I. Sutskever et al.,
    "On the importance of initialization and momentum in deep learning", ICML 2013, equation 1).

    Parameters
    ----------
    learning_rate
        Length of a step, per unit of gradient.
    momentum
        Share of the last step that is kept, in [0, 1).
    """

    def __init__(self, learning_rate: float = 0.1, momentum: float = 0.0) -> None:
        if not learning_rate > 0:
            raise ValueError(f"learning_rate={learning_rate}: expected a positive number")
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum={momentum}: expected a number in [0, 1)")
        self.learning_rate = learning_rate
        self.momentum = momentum
        self._velocity: dict[str, Array] = {}
        self._scaled: dict[str, Array] = {}

    def step(self, params: dict[str, Array], grads: dict[str, Array]) -> None:
        """Change every parameter in place by its gradient, which is left as it is."""
        for name, parameter in params.items():
            if name not in self._scaled:
                self._scaled[name] = np.empty_like(parameter)
                self._velocity[name] = np.zeros_like(parameter)
            scaled = np.multiply(grads[name], self.learning_rate, out=self._scaled[name])
            if self.momentum:
                velocity = self._velocity[name]
                velocity *= self.momentum
                velocity -= scaled
                parameter += velocity
            else:
                parameter -= scaled
