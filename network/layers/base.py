"""What all layers share.

Every layer maps a batch x of shape (n, inputs) to y. Given dy, the gradient of the loss with
respect to y, ``backward`` returns dx, the one with respect to x: the vector-Jacobian product
dx = J^T dy. The gradients of the parameters are left in ``grads``. The rules are those of
D. E. Rumelhart, G. E. Hinton and R. J. Williams, "Learning representations by back-propagating
errors", Nature 323, 1986.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from network.functional import Array, as_floats


class Layer(ABC):
    """Parameters and their gradients by name, and what the last forward left for `backward`.

    What `forward` is given and returns is kept as it is, not copied: leave it unchanged until
    `backward`.

    Attributes
    ----------
    training
        Whether the layer is being trained, True at first. Dropout and batch normalisation behave
        otherwise in use than in training; all others take no notice.
    keep
        Share of the gradients of before that stays in ``grads``: 0 overwrites them, as is usual;
        1 sums them over several batches; momentum lies between.
    reuse
        Whether results are written over those of the last batch, which saves the time to find
        memory for them, by the products of `network.blas`. Training may do so, nobody else looks
        at them; False at first.
    """

    def __init__(self) -> None:
        self._params: dict[str, Array] = {}
        self._grads: dict[str, Array] = {}
        self._state: dict[str, Array] = {}
        self._kept: Any = None
        self._results: dict[str, Array] = {}
        self.training = True
        self.keep = 0.0
        self.reuse = False

    @property
    def params(self) -> dict[str, Array]:
        """The parameters by name; changed in place by training."""
        return self._params

    @property
    def grads(self) -> dict[str, Array]:
        """The gradients by the names of the parameters, as `backward` left them."""
        return self._grads

    @property
    def state(self) -> dict[str, Array]:
        """What else training changes, such as running means."""
        return self._state

    @abstractmethod
    def forward(self, x: ArrayLike) -> Array:
        """Return y for the batch ``x``, keeping what `backward` needs."""

    @abstractmethod
    def backward(self, dy: ArrayLike) -> Array:
        """Return dx for the gradient ``dy``, shaped like the last y."""

    def backward_params(self, dy: ArrayLike) -> None:
        """Leave the gradients of the parameters, as `backward` does, but do without dx."""
        self.backward(dy)

    def leaves(self) -> Iterator[Layer]:
        """Yield the layers this one is made of, in the end itself."""
        yield self

    def _declare(self, **params: Array) -> None:
        """Take these parameters, with gradients of zero."""
        self._params = params
        self._grads = {name: np.zeros_like(value) for name, value in params.items()}

    def _leave(self, name: str, gradient: Array) -> None:
        """Make grads[name] <- gradient + keep grads[name]."""
        held = self._grads[name]
        if self.keep:
            held *= self.keep
            held += gradient
        else:
            held[...] = gradient

    def _recall(self) -> Any:
        if self._kept is None:
            raise RuntimeError(f"{type(self).__name__}.backward was called before forward")
        return self._kept

    def _checked(self, dy: ArrayLike, shape: tuple[int, ...]) -> Array:
        dy = as_floats(dy, "dy")
        if dy.shape != shape:
            name = type(self).__name__
            raise ValueError(f"{name}.backward: dy has shape {dy.shape}; expected {shape}, as y")
        return dy

    def _rows(self, x: ArrayLike, features: int) -> Array:
        """Return ``x`` as floats of shape (n, features)."""
        x = as_floats(x)
        if x.ndim != 2 or x.shape[1] != features:
            name = type(self).__name__
            raise ValueError(f"{name}.forward: x has shape {x.shape}; expected (n, {features})")
        return x

    def _room(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return memory for a result: the same for every batch of a shape where `reuse` is on.

        It lies unit by unit, not sample by sample, as the products are fastest.
        """
        if not self.reuse:
            return np.empty(shape, dtype, order="F")
        room = self._results.get(name)
        if room is None or room.shape != shape or room.dtype != dtype:
            room = self._results[name] = np.empty(shape, dtype, order="F")
        return room
