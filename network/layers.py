"""The layers of a multi-layer perceptron: what goes forward, and what comes back.

Every layer maps a batch x of shape (n, inputs) to y. Given the gradient of the loss with respect
to y, ``backward`` returns the gradient with respect to x, the vector-Jacobian product
dx = J^T dy, and leaves the gradients of its parameters in ``grads``. The rules are those of
D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by back-propagating
errors", Nature 323, 1986.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.functional import sigmoid, softmax

Array = NDArray[np.floating[Any]]


class Layer:
    """What all layers share: parameters and their gradients by name, and the last forward.

    Attributes
    ----------
    params, grads
        Arrays by name; ``grads`` has the shapes of ``params`` and is overwritten by `backward`.
    """

    def __init__(self) -> None:
        self.params: dict[str, Array] = {}
        self.grads: dict[str, Array] = {}
        self._kept: Array | None = None

    def forward(self, x: Array) -> Array:
        """Return y for the batch ``x``, remembering what `backward` needs."""
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        """Return dx for the gradient ``dy``, shaped like the last y."""
        raise NotImplementedError

    def _keep(self, kept: Array) -> Array:
        self._kept = kept
        return kept

    def _recall(self, dy: Array, shape: tuple[int, ...] | None = None) -> Array:
        """Return what forward kept, once ``dy`` is known to belong to it."""
        if self._kept is None:
            raise RuntimeError(f"{type(self).__name__}.backward was called before forward")
        expected = self._kept.shape if shape is None else shape
        if dy.shape != expected:
            raise ValueError(
                f"{type(self).__name__}.backward: dy has shape {dy.shape}; expected {expected}"
            )
        return self._kept


class Dense(Layer):
    """Affine map y = x W + b.

    Parameters
    ----------
    inputs, outputs
        Units below and above.
    rng
        Source of the initial weights.
    gain
        The weights are normal with variance gain / inputs: 2 suits ReLU (K. He, X. Zhang, S. Ren
        and J. Sun, "Delving deep into rectifiers", ICCV 2015, equation 10), 1 linear outputs.
    dtype
        float32 or float64.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        rng: np.random.Generator | None = None,
        gain: float = 2.0,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__()
        if inputs < 1 or outputs < 1:
            raise ValueError(f"Dense({inputs}, {outputs}): both sizes must be at least 1")
        rng = np.random.default_rng() if rng is None else rng
        weights = rng.normal(0.0, np.sqrt(gain / inputs), (inputs, outputs))
        self.params = {"W": weights.astype(dtype), "b": np.zeros(outputs, dtype)}
        self.grads = {name: np.zeros_like(value) for name, value in self.params.items()}

    def forward(self, x: Array) -> Array:
        """Return x W + b, shape (n, outputs)."""
        W, b = self.params["W"], self.params["b"]
        if x.ndim != 2 or x.shape[1] != W.shape[0]:
            raise ValueError(f"Dense.forward: x has shape {x.shape}; expected (n, {W.shape[0]})")
        y = self._keep(x) @ W  # (n, outputs)
        y += b
        return y

    def backward(self, dy: Array) -> Array:
        """Return dx = dy W^T; leave dW = x^T dy and db, the sum of dy over the samples."""
        W = self.params["W"]
        n = 0 if self._kept is None else len(self._kept)
        x = self._recall(dy, (n, W.shape[1]))
        np.matmul(x.T, dy, out=self.grads["W"])  # (inputs, outputs)
        np.sum(dy, axis=0, out=self.grads["b"])  # (outputs,)
        return dy @ W.T  # (n, inputs)


class ReLU(Layer):
    """Rectifier y = max(x, 0); at x = 0 its derivative is taken as 0, a valid subgradient."""

    def forward(self, x: Array) -> Array:
        """Return max(x, 0)."""
        return self._keep(np.maximum(x, 0))

    def backward(self, dy: Array) -> Array:
        """Return dy where x was positive."""
        # y > 0 exactly where x > 0
        return dy * (self._recall(dy) > 0)


class Sigmoid(Layer):
    """Logistic function y = 1 / (1 + exp(-x))."""

    def forward(self, x: Array) -> Array:
        """Return the logistic function of x."""
        return self._keep(sigmoid(x))

    def backward(self, dy: Array) -> Array:
        """Return dy y (1 - y)."""
        y = self._recall(dy)
        return dy * y * (1 - y)


class Tanh(Layer):
    """Hyperbolic tangent y = tanh(x)."""

    def forward(self, x: Array) -> Array:
        """Return tanh(x)."""
        return self._keep(np.tanh(x))

    def backward(self, dy: Array) -> Array:
        """Return dy (1 - y^2)."""
        y = self._recall(dy)
        # 1 - y^2, without the cancellation of squaring first
        return dy * (1 - y) * (1 + y)


class Softmax(Layer):
    """Probabilities p_i = exp(x_i) / sum_j exp(x_j), row by row.

    Its Jacobian is J = diag(p) - p p^T. Combined with the cross-entropy it cancels to p - y: use
    `network.losses.SoftmaxCrossEntropy` on the logits for that, and not this layer before it.
    """

    def forward(self, x: Array) -> Array:
        """Return the probabilities of every row."""
        return self._keep(softmax(x))

    def backward(self, dy: Array) -> Array:
        """Return J^T dy = p (dy - <p, dy>), row by row."""
        p = self._recall(dy)
        return np.asarray(p * (dy - np.sum(p * dy, axis=-1, keepdims=True)))
