"""Optimizers: from gradients to a change of the parameters, in place."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.linalg.blas import daxpy, saxpy

from network.functional import Array

# y += a x in one pass over the memory, where NumPy takes two and a buffer between them.
AXPY = {np.dtype(np.float32): saxpy, np.dtype(np.float64): daxpy}

# Entries per call: OpenBLAS shares calls of more than 10,000 among threads of its own, which then
# wait in the way of those that NumPy's copy of it multiplies matrices with.
PIECE = 8192


class SGD:
    """Stochastic gradient descent, with momentum where asked for.

    v <- momentum v - learning_rate g;  parameter <- parameter + v  (B. T. Polyak, "Some methods of
    speeding up the convergence of iteration methods", 1964, in the form of I. Sutskever et al.,
    "On the importance of initialization and momentum in deep learning", ICML 2013, equations 1
    and 2).

    Parameters
    ----------
    learning_rate
        Length of a step, per unit of gradient.
    momentum
        Share of the last step that is kept, in [0, 1). The last steps are remembered by the names
        of the parameters: give every model an optimizer of its own.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    def __init__(self, learning_rate: float = 0.1, momentum: float = 0.0) -> None:
        if not 0 < learning_rate < np.inf:
            raise ValueError(f"learning_rate={learning_rate}: expected a positive number")
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum={momentum}: expected a number in [0, 1)")
        self.learning_rate = learning_rate
        self.momentum = momentum
        self._velocity: dict[str, Array] = {}

    def step(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Change every parameter in place by its gradient, which is left as it is.

        Raises
        ------
        ValueError
            If a gradient is missing or not shaped like its parameter: none is broadcast.
        """
        for name, parameter in params.items():
            gradient = _gradient_of(name, parameter, grads)
            if self.momentum:
                if name not in self._velocity:
                    self._velocity[name] = np.zeros_like(parameter)
                velocity = self._velocity[name]
                velocity *= self.momentum
                _add_scaled(velocity, -self.learning_rate, gradient)
                parameter += velocity
            else:
                _add_scaled(parameter, -self.learning_rate, gradient)


def _gradient_of(name: str, parameter: Array, grads: Mapping[str, Array]) -> Array:
    if name not in grads:
        raise ValueError(f"grads has nothing for {name!r}; it holds {sorted(grads)}")
    gradient = np.asarray(grads[name])
    if gradient.shape != parameter.shape:
        raise ValueError(
            f"grads[{name!r}] has shape {gradient.shape}; expected {parameter.shape}, as parameter"
        )
    return gradient


def _add_scaled(y: Array, a: float, x: Array) -> None:
    """Make y <- y + a x in place."""
    axpy = AXPY.get(y.dtype)
    if axpy is None or x.dtype != y.dtype or not (x.flags.c_contiguous and y.flags.carray):
        y += a * x
        return
    x, y = x.reshape(-1), y.reshape(-1)
    for start in range(0, y.size, PIECE):
        axpy(x, y, n=min(PIECE, y.size - start), a=a, offx=start, offy=start)
