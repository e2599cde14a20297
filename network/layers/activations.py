"""Activations: the same function of every entry, so that the Jacobian is diagonal, dx = dy y'(x).

Derivatives are written so that nothing cancels and nothing overflows, however far out x lies.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from gradcheck_arguments import Finite, checked
from network.functional import Array, as_floats, sigmoid
from network.layers.base import Layer

# Beyond it on either side exp(-2 u), see `GELU`, is exactly zero in float64, and x^3 may overflow.
GELU_TANH_LIMIT = 25.0
# That of 2 u at zero, see `GELU`.
SLOPE = math.sqrt(8 / math.pi)


class Activation(Layer):
    """A function of one number and its derivative, applied to every entry."""

    @abstractmethod
    def function(self, x: Array) -> Array:
        """Return y(x)."""

    @abstractmethod
    def derivative(self, x: Array, y: Array) -> Array:
        """Return y'(x); what is cheaper to say in terms of y = y(x) may use that."""

    def forward(self, x: ArrayLike) -> Array:
        """Return the function of every entry."""
        x = as_floats(x)
        with np.errstate(under="ignore", over="ignore"):  # far out, exp(-x^2) is zero: so be it
            y = self.function(x)
        self._kept = x, y
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Return dy y'(x), entry by entry."""
        x, y = self._recall()
        with np.errstate(under="ignore", over="ignore"):
            return self._checked(dy, y.shape) * self.derivative(x, y)


class ReLU(Activation):
    """Rectifier y = max(x, 0); at x = 0 its derivative is taken as 0, a valid subgradient."""

    def function(self, x: Array) -> Array:
        """Return max(x, 0)."""
        return np.maximum(x, 0, out=self._room("y", x.shape, x.dtype))

    def derivative(self, x: Array, y: Array) -> Array:
        """Return 1 where x was positive, and 0 elsewhere."""
        return (y > 0).astype(y.dtype)

    def backward(self, dy: ArrayLike) -> Array:
        """Return dy where x was positive, and zero elsewhere."""
        _, y = self._recall()
        dy = self._checked(dy, y.shape)
        dx: Array = np.multiply(dy, y > 0, out=self._room("dx", dy.shape, dy.dtype))
        return dx


class LeakyReLU(Activation):
    """Rectifier with a slope below zero: y = x where x > 0, else slope x.

    Parameters
    ----------
    slope
        The derivative for x <= 0.

    Notes
    -----
    A. L. Maas, A. Y. Hannun and A. Y. Ng, "Rectifier nonlinearities improve neural network acoustic
    models", ICML 2013, equation 2.
    """

    @checked
    def __init__(self, slope: Finite = 0.01) -> None:
        super().__init__()
        self.slope = slope

    def function(self, x: Array) -> Array:
        """Return x where it is positive, else slope x."""
        return np.where(x > 0, x, x.dtype.type(self.slope) * x)

    def derivative(self, x: Array, y: Array) -> Array:
        """Return 1 where x is positive, else slope."""
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(self.slope))


class ELU(Activation):
    """Exponential linear unit: y = x where x > 0, else alpha (exp(x) - 1).

    Parameters
    ----------
    alpha
        The unit saturates at -alpha.

    Notes
    -----
    D.-A. Clevert, T. Unterthiner and S. Hochreiter, "Fast and accurate deep network learning by
    exponential linear units (ELUs)", ICLR 2016, equation 15.
    """

    @checked
    def __init__(self, alpha: Finite = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def function(self, x: Array) -> Array:
        """Return x where it is positive, else alpha (exp(x) - 1)."""
        return np.where(x > 0, x, x.dtype.type(self.alpha) * np.expm1(np.minimum(x, 0)))

    def derivative(self, x: Array, y: Array) -> Array:
        """Return 1 where x is positive, else alpha exp(x)."""
        return np.where(x > 0, x.dtype.type(1), x.dtype.type(self.alpha) * np.exp(np.minimum(x, 0)))


class Sigmoid(Activation):
    """Logistic function y = 1 / (1 + exp(-x)); its derivative is y (1 - y)."""

    def function(self, x: Array) -> Array:
        """Return the logistic function of x."""
        return sigmoid(x)

    def derivative(self, x: Array, y: Array) -> Array:
        """Return y (1 - y)."""
        return y * sigmoid(-x)  # 1 - y(x) = y(-x), without the cancellation near y = 1


class Tanh(Activation):
    """Hyperbolic tangent y = tanh(x); its derivative is 1 - y^2."""

    def function(self, x: Array) -> Array:
        """Return tanh(x)."""
        return np.tanh(x)

    def derivative(self, x: Array, y: Array) -> Array:
        """Return 1 - y^2."""
        # as 4 e / (1 + e)^2 with e = exp(-2 |x|): near |y| = 1 the difference would cancel
        e = np.exp(-2 * np.abs(x))
        return np.asarray(4 * e / (1 + e) ** 2)


class Softplus(Activation):
    """Smooth rectifier y = log(1 + exp(x)); its derivative is the logistic function.

    Notes
    -----
    C. Dugas, Y. Bengio, F. Bélisle, C. Nadeau and R. Garcia, "Incorporating second-order functional
    knowledge for better option pricing", NIPS 2000, section 2.
    """

    def function(self, x: Array) -> Array:
        """Return log(1 + exp(x))."""
        return np.logaddexp(x, x.dtype.type(0))

    def derivative(self, x: Array, y: Array) -> Array:
        """Return 1 / (1 + exp(-x))."""
        return sigmoid(x)


class SiLU(Activation):
    """Sigmoid-weighted linear unit y = x s(x), with s the logistic function; also called swish.

    Notes
    -----
    S. Elfwing, E. Uchibe and K. Doya, "Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning", Neural Networks 107, 2018, equations 5 and 7.
    """

    def function(self, x: Array) -> Array:
        """Return x s(x)."""
        return x * sigmoid(x)

    def derivative(self, x: Array, y: Array) -> Array:
        """Return s(x) (1 + x (1 - s(x)))."""
        return sigmoid(x) * (1 + x * sigmoid(-x))


class GELU(Activation):
    """Gaussian error linear unit y = x P(x), with P the normal distribution function.

    Parameters
    ----------
    approximate
        Whether to take P(x) as s(2 u), with s the logistic function and
        u = sqrt(2 / pi) (x + 0.044715 x^3); this is 0.5 (1 + tanh u).

    Notes
    -----
    D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415, section 2.
    """

    @checked
    def __init__(self, approximate: bool = False) -> None:
        super().__init__()
        self.approximate = approximate

    def function(self, x: Array) -> Array:
        """Return x P(x)."""
        return x * self._distribution(x)

    def derivative(self, x: Array, y: Array) -> Array:
        """Return P(x) + x P'(x)."""
        return self._distribution(x) + x * self._density(x)

    def _distribution(self, x: Array) -> Array:
        if not self.approximate:
            return np.asarray(ndtr(x), x.dtype)
        x = np.clip(x, -GELU_TANH_LIMIT, GELU_TANH_LIMIT)
        return sigmoid(x.dtype.type(SLOPE) * (x + 0.044715 * x**3))  # s(2 u)

    def _density(self, x: Array) -> Array:
        if not self.approximate:
            return np.asarray(np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi), x.dtype)
        p = self._distribution(x)
        x = np.clip(x, -GELU_TANH_LIMIT, GELU_TANH_LIMIT)
        # s' = s (1 - s), times the derivative of 2 u
        return p * (1 - p) * x.dtype.type(SLOPE) * (1 + 3 * 0.044715 * x**2)
