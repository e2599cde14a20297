"""Optimizers: from gradients to a change of the parameters, in place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gradcheck_arguments import NonNegative, Positive, Share, checked
from network.blas import add_scaled
from network.functional import Array


@checked
@dataclass(eq=False)
class Optimizer(ABC):
    """A rule for steps, and what it remembers of those it made.

    Parameters
    ----------
    learning_rate
        Length of a step; it may be changed between steps.

    Attributes
    ----------
    state
        What is remembered, by the name of the parameter: give every model an optimizer of its own.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    learning_rate: Positive
    state: dict[str, dict[str, Array]] = field(default_factory=dict, init=False, repr=False)

    @checked
    def step(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Change every parameter in place by its gradient.

        Raises
        ------
        ValueError
            If a gradient is missing or not shaped like its parameter: none is broadcast.
        """
        for name, parameter in params.items():
            gradient = _gradient_of(name, parameter, grads)
            self.update(parameter, gradient, self.remembered(name, parameter))

    @checked
    def remembered(self, name: str, parameter: Array) -> dict[str, Array]:
        """Return what is remembered of a parameter, at first nothing but zeros."""
        if name not in self.state:
            self.state[name] = self.start(parameter)
        for value in self.state[name].values():
            if value.ndim and value.shape != parameter.shape:
                raise ValueError(
                    f"the optimizer remembers {name!r} of shape {value.shape}, not "
                    f"{parameter.shape}: give every model an optimizer of its own"
                )
        return self.state[name]

    @checked
    def accumulator(self, name: str, parameter: Array) -> tuple[Array, float]:
        """Return where a backward may leave its gradient, and the share kept of what is there.

        Usually new memory, of which nothing is kept. `SGD` has its velocity summed up right there.
        """
        return np.zeros_like(parameter), 0.0

    @abstractmethod
    def start(self, parameter: Array) -> dict[str, Array]:
        """Return what is remembered of a parameter before its first step."""

    @abstractmethod
    def update(self, parameter: Array, gradient: Array, state: dict[str, Array]) -> None:
        """Change one parameter and its state in place."""


@checked
@dataclass(eq=False)
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum where asked for.

    v <- momentum v + g;  parameter <- parameter - learning_rate v

    With Nesterov's momentum the step is along g + momentum v: the gradient as if the momentum's
    part of the step had been made already.

    Parameters
    ----------
    learning_rate
        Length of a step, per unit of gradient.
    momentum
        Share of the velocity that is kept, in [0, 1).
    nesterov
        Whether the momentum is Nesterov's.

    Notes
    -----
    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964;
    I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization and
    momentum in deep learning", ICML 2013, equations 1 to 4. The learning rate stands outside the
    velocity, so that a change of it acts at once.
    """

    learning_rate: Positive = 0.1
    momentum: Share = 0.0
    nesterov: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov=True needs momentum, but momentum=0.0")

    def start(self, parameter: Array) -> dict[str, Array]:
        """Return a velocity of zero, where there is momentum."""
        return {"velocity": np.zeros_like(parameter)} if self.momentum else {}

    @checked
    def accumulator(self, name: str, parameter: Array) -> tuple[Array, float]:
        """Return the velocity itself: backward adds its gradient to the share that is kept.

        The sum costs the matrix product nothing, where a pass over the memory of its own would
        take as long as the product. Nesterov's step needs the gradient by itself.
        """
        if not self.momentum or self.nesterov:
            return super().accumulator(name, parameter)
        return self.remembered(name, parameter)["velocity"], self.momentum

    def update(self, parameter: Array, gradient: Array, state: dict[str, Array]) -> None:
        """Make one step along the velocity."""
        direction = gradient
        if self.momentum:
            direction = state["velocity"]
            if direction is not gradient:  # otherwise it holds the sum already, see `accumulator`
                direction *= self.momentum
                direction += gradient
            if self.nesterov:
                direction = gradient + self.momentum * direction
        add_scaled(parameter, -self.learning_rate, direction)


@checked
@dataclass(eq=False)
class RMSProp(Optimizer):
    """Steps divided by the running root mean square of the gradient, entry by entry.

    s <- decay s + (1 - decay) g^2;  parameter <- parameter - learning_rate g / (sqrt(s) + epsilon)

    Parameters
    ----------
    learning_rate
        Length of a step along a gradient that does not change.
    decay
        Share of the mean square that is kept, in [0, 1).
    epsilon
        Keeps steps along tiny gradients small.

    Notes
    -----
    T. Tieleman and G. Hinton, "Lecture 6.5 - RMSProp", Coursera: Neural networks for machine
    learning, 2012.
    """

    learning_rate: Positive = 0.001
    decay: Share = 0.9
    epsilon: Positive = field(default=1e-8, kw_only=True)

    def start(self, parameter: Array) -> dict[str, Array]:
        """Return a mean square of zero."""
        return {"square": np.zeros_like(parameter)}

    def update(self, parameter: Array, gradient: Array, state: dict[str, Array]) -> None:
        """Make one step."""
        square = state["square"]
        square += (1 - self.decay) * (gradient**2 - square)
        parameter -= self.learning_rate * gradient / (np.sqrt(square) + self.epsilon)


@checked
@dataclass(eq=False)
class Adam(Optimizer):
    """Steps along the running mean of the gradient over its running root mean square.

    m <- beta1 m + (1 - beta1) g;  s <- beta2 s + (1 - beta2) g^2;
    parameter <- parameter - learning_rate m' / (sqrt(s') + epsilon), where m' = m / (1 - beta1^t)
    and s' = s / (1 - beta2^t) make up for the start at zero.

    Parameters
    ----------
    learning_rate
        Length of a step along a gradient that does not change.
    beta1, beta2
        Shares of the means that are kept, in [0, 1).
    epsilon
        Keeps steps along tiny gradients small.

    Notes
    -----
    D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
    """

    learning_rate: Positive = 0.001
    beta1: Share = 0.9
    beta2: Share = 0.999
    epsilon: Positive = field(default=1e-8, kw_only=True)

    def start(self, parameter: Array) -> dict[str, Array]:
        """Return means of zero, and no steps made."""
        zeros = np.zeros_like(parameter)
        return {"mean": zeros, "square": zeros.copy(), "steps": np.zeros(())}

    def update(self, parameter: Array, gradient: Array, state: dict[str, Array]) -> None:
        """Make one step."""
        mean, square, steps = state["mean"], state["square"], state["steps"]
        steps += 1
        mean += (1 - self.beta1) * (gradient - mean)
        square += (1 - self.beta2) * (gradient**2 - square)
        unbiased_mean = mean / (1 - self.beta1 ** float(steps))
        unbiased_square = square / (1 - self.beta2 ** float(steps))
        root = np.sqrt(unbiased_square) + self.epsilon
        parameter -= self.learning_rate * unbiased_mean / root


@checked
@dataclass(eq=False)
class AdamW(Adam):
    """Adam, with weights that shrink by themselves.

    parameter <- parameter - learning_rate weight_decay parameter, before the step of `Adam`.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon
        As for `Adam`.
    weight_decay
        What a parameter loses per step and unit of learning rate.

    Notes
    -----
    I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2.
    """

    weight_decay: NonNegative = field(default=0.01, kw_only=True)

    def update(self, parameter: Array, gradient: Array, state: dict[str, Array]) -> None:
        """Shrink, then make one step."""
        parameter *= 1 - self.learning_rate * self.weight_decay
        super().update(parameter, gradient, state)


def _gradient_of(name: str, parameter: Array, grads: Mapping[str, Array]) -> Array:
    if name not in grads:
        raise ValueError(f"grads has nothing for {name!r}; it holds {sorted(grads)}")
    gradient = np.asarray(grads[name])
    if gradient.shape != parameter.shape:
        raise ValueError(
            f"grads[{name!r}] has shape {gradient.shape}; expected {parameter.shape}, as parameter"
        )
    return gradient
