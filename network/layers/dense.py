"""The affine layer, the only one with a matrix of weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from gradcheck_arguments import Count, checked
from network.blas import plain_product, product
from network.functional import Array
from network.layers.base import Layer
from network.layers.initialisers import Initialiser, he


class Dense(Layer):
    """Affine map y = x W + b.

    Parameters
    ----------
    inputs, outputs
        Units below and above.
    rng
        Source of the initial weights; where None, a generator seeded with 0.
    initialiser
        Makes the weights, see `network.layers.initialisers`; He's where None. Biases are zero.
    dtype
        float32 or float64.

    Raises
    ------
    ValueError
        If a size is below one, or the dtype another.
    """

    @checked
    def __init__(
        self,
        inputs: Count,
        outputs: Count,
        *,
        rng: np.random.Generator | None = None,
        initialiser: Initialiser = he,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__()
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"dtype={dtype}: expected float32 or float64")
        rng = np.random.default_rng(0) if rng is None else rng
        weights = np.asarray(initialiser(rng, inputs, outputs), dtype, order="F")
        self._declare(W=weights, b=np.zeros(outputs, dtype))

    def forward(self, x: ArrayLike) -> Array:
        """Return x W + b, shape (n, outputs)."""
        W, b = self.params["W"], self.params["b"]
        x = self._kept = self._rows(x, len(W))  # (n, inputs)
        y = self._room("y", (len(x), b.size), np.result_type(x, W))
        self._product(x, W, out=y)  # (n, outputs)
        y += b
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Return dx = dy W^T; leave dW = x^T dy and db, the sum of dy over the samples."""
        self.backward_params(dy)
        dy, W = np.asarray(dy), self.params["W"]
        dx = self._room("dx", self._kept.shape, np.result_type(dy, W))
        return self._product(dy, W.T, out=dx)  # (n, inputs)

    def backward_params(self, dy: ArrayLike) -> None:
        """Leave dW and db; dx, as large a product again, is of no use in the first layer."""
        x = self._recall()
        dy = self._checked(dy, (len(x), self.params["b"].size))
        self._product(x.T, dy, out=self.grads["W"], keep=self.keep)  # (inputs, outputs)
        self._leave("b", dy.sum(axis=0))  # (outputs,)

    def _product(self, a: Array, b: Array, *, out: Array, keep: float = 0.0) -> Array:
        """Make out <- a b + keep out, as suits who is calling."""
        return (product if self.reuse else plain_product)(a, b, out=out, keep=keep)
