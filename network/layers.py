"""The layers of a multi-layer perceptron: what goes forward, and what comes back.

Every layer maps a batch x of shape (n, inputs) to y. Given dy, the gradient of the loss with
respect to y, ``backward`` returns dx, the one with respect to x: the vector-Jacobian product
dx = J^T dy. The gradients of the parameters are left in ``grads``. The rules are those of
D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by back-propagating
errors", Nature 323, 1986.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from network.functional import Array, as_floats, sigmoid, softmax


class Layer(ABC):
    """What all layers share: parameters and their gradients by name, and the last forward.

    What `forward` is given and returns is kept as it is, not copied: leave it unchanged until
    `backward`.

    Attributes
    ----------
    params, grads
        Arrays by name; ``grads`` has the shapes of ``params`` and is overwritten by `backward`.
    """

    def __init__(self) -> None:
        self.params: dict[str, Array] = {}
        self.grads: dict[str, Array] = {}
        self._kept: Array | None = None

    @abstractmethod
    def forward(self, x: ArrayLike) -> Array:
        """Return y for the batch ``x``, keeping what `backward` needs."""

    @abstractmethod
    def backward(self, dy: ArrayLike) -> Array:
        """Return dx for the gradient ``dy``, shaped like the last y."""

    def backward_params(self, dy: ArrayLike) -> None:
        """Leave the gradients of the parameters, as `backward` does, but do without dx."""
        self.backward(dy)

    def _keep(self, kept: Array) -> Array:
        self._kept = kept
        return kept

    def _recall(self) -> Array:
        if self._kept is None:
            raise RuntimeError(f"{type(self).__name__}.backward was called before forward")
        return self._kept

    def _checked(self, dy: ArrayLike, shape: tuple[int, ...]) -> Array:
        dy = as_floats(dy, "dy")
        if dy.shape != shape:
            name = type(self).__name__
            raise ValueError(f"{name}.backward: dy has shape {dy.shape}; expected {shape}, as y")
        return dy


class Dense(Layer):
    """Affine map y = x W + b.

    Parameters
    ----------
    inputs, outputs
        Units below and above.
    rng
        Source of the initial weights; where None, a generator seeded with 0.
    gain
        The weights are normal with variance gain / inputs: 2 suits ReLU (K. He, X. Zhang, S. Ren
        and J. Sun, "Delving deep into rectifiers", ICCV 2015, equation 10), 1 linear outputs.
    dtype
        float32 or float64.

    Raises
    ------
    ValueError
        If a size is below one, or the dtype another.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        rng: np.random.Generator | None = None,
        gain: float = 2.0,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__()
        if inputs < 1 or outputs < 1:
            raise ValueError(f"Dense({inputs}, {outputs}): both sizes must be at least 1")
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"dtype={dtype}: expected float32 or float64")
        rng = np.random.default_rng(0) if rng is None else rng
        weights = rng.normal(0.0, np.sqrt(gain / inputs), (inputs, outputs))
        self.params = {"W": weights.astype(dtype), "b": np.zeros(outputs, dtype)}
        self.grads = {name: np.zeros_like(value) for name, value in self.params.items()}

    def forward(self, x: ArrayLike) -> Array:
        """Return x W + b, shape (n, outputs)."""
        W, b = self.params["W"], self.params["b"]
        x = as_floats(x)
        if x.ndim != 2 or x.shape[1] != W.shape[0]:
            raise ValueError(f"Dense.forward: x has shape {x.shape}; expected (n, {W.shape[0]})")
        y: Array = self._keep(x) @ W  # (n, outputs)
        y += b
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Return dx = dy W^T; leave dW = x^T dy and db, the sum of dy over the samples."""
        self.backward_params(dy)
        return np.asarray(np.asarray(dy) @ self.params["W"].T)  # (n, inputs)

    def backward_params(self, dy: ArrayLike) -> None:
        """Leave dW and db; dx, as large a product again, is of no use in the first layer."""
        x = self._recall()
        dy = self._checked(dy, (len(x), self.params["b"].size))
        np.matmul(x.T, dy, out=self.grads["W"])  # (inputs, outputs)
        np.sum(dy, axis=0, out=self.grads["b"])  # (outputs,)


class ReLU(Layer):
    """Rectifier y = max(x, 0); at x = 0 its derivative is taken as 0, a valid subgradient."""

    def forward(self, x: ArrayLike) -> Array:
        """Return max(x, 0)."""
        return self._keep(np.maximum(as_floats(x), 0))

    def backward(self, dy: ArrayLike) -> Array:
        """Return dy where x was positive, and zero elsewhere."""
        y = self._recall()
        # y > 0 exactly where x > 0
        return self._checked(dy, y.shape) * (y > 0)


class Sigmoid(Layer):
    """Logistic function y = 1 / (1 + exp(-x)); its derivative is y (1 - y)."""

    def forward(self, x: ArrayLike) -> Array:
        """Return the logistic function of x."""
        return self._keep(sigmoid(as_floats(x)))

    def backward(self, dy: ArrayLike) -> Array:
        """Return dy y (1 - y)."""
        y = self._recall()
        return self._checked(dy, y.shape) * y * (1 - y)


class Tanh(Layer):
    """Hyperbolic tangent y = tanh(x); its derivative is 1 - y^2."""

    def forward(self, x: ArrayLike) -> Array:
        """Return tanh(x)."""
        return self._keep(np.tanh(as_floats(x)))

    def backward(self, dy: ArrayLike) -> Array:
        """Return dy (1 - y^2)."""
        y = self._recall()
        # 1 - y^2 in factors, without the cancellation of squaring first
        return self._checked(dy, y.shape) * (1 - y) * (1 + y)


class Softmax(Layer):
    """Probabilities p_i = exp(x_i) / sum_j exp(x_j), row by row.

    Its Jacobian is J = diag(p) - p p^T. Combined with the cross-entropy it cancels to p - y: use
    `network.losses.SoftmaxCrossEntropy` on the logits for that, and not this layer before it.
    """

    def forward(self, x: ArrayLike) -> Array:
        """Return the probabilities of every row."""
        return self._keep(softmax(x))

    def backward(self, dy: ArrayLike) -> Array:
        """Return J^T dy = p (dy - <p, dy>), row by row."""
        p = self._recall()
        dy = self._checked(dy, p.shape)
        return np.asarray(p * (dy - np.sum(p * dy, axis=-1, keepdims=True)))
