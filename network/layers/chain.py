"""Layers made of layers: in a row, and in a row beside a shortcut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from numpy.typing import ArrayLike

from gradcheck_arguments import checked
from network.functional import Array, as_floats
from network.layers.base import Layer


class Chain(Layer):
    """Layers applied one after the other: the chain rule.

    Parameters
    ----------
    layers
        From input to output.

    Raises
    ------
    ValueError
        If there are none.
    """

    @checked
    def __init__(self, layers: Sequence[Layer]) -> None:
        if not layers:
            raise ValueError("layers is empty; give at least one layer")
        self.layers = list(layers)
        super().__init__()

    @property
    def params(self) -> dict[str, Array]:
        """All parameters, as ``"0.W"``: position of the layer, name in the layer."""
        return _named(layer.params for layer in self.layers)

    @property
    def grads(self) -> dict[str, Array]:
        """The gradients that the last backward left, named as `params`."""
        return _named(layer.grads for layer in self.layers)

    @property
    def state(self) -> dict[str, Array]:
        """What else training changes, named as `params`."""
        return _named(layer.state for layer in self.layers)

    @property
    def training(self) -> bool:
        """Whether the layers are being trained; setting it sets it in all of them."""
        return any(layer.training for layer in self.layers)

    @training.setter
    def training(self, training: bool) -> None:
        for layer in self.layers:
            layer.training = training

    def forward(self, x: ArrayLike) -> Array:
        """Return the output of the last layer."""
        y = self.layers[0].forward(x)
        for layer in self.layers[1:]:
            y = layer.forward(y)
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Return the gradient with respect to the input; parameters have theirs in `grads`."""
        return self.layers[0].backward(self._backward_to_first(dy))

    def backward_params(self, dy: ArrayLike) -> None:
        """Leave the gradients of the parameters, as `backward` does, and no other.

        All that training needs, at two thirds of the cost where the first layer is the largest.
        """
        self.layers[0].backward_params(self._backward_to_first(dy))

    def leaves(self) -> Iterator[Layer]:
        """Yield the layers, and of those that are made of layers, theirs."""
        for layer in self.layers:
            yield from layer.leaves()

    def _backward_to_first(self, dy: ArrayLike) -> ArrayLike:
        """Return the gradient with respect to the first layer's output."""
        for layer in reversed(self.layers[1:]):
            dy = layer.backward(dy)
        return dy


class Residual(Chain):
    """Layers with a shortcut beside them: y = x + f(x), and so dx = dy + J_f^T dy.

    Parameters
    ----------
    layers
        What f is made of; its output is shaped like its input.

    Notes
    -----
    K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition", CVPR 2016,
    equation 1.
    """

    def forward(self, x: ArrayLike) -> Array:
        """Return x + f(x)."""
        x = as_floats(x)
        y = super().forward(x)
        if y.shape != x.shape:
            raise ValueError(
                f"Residual.forward: x has shape {x.shape}, the layers make {y.shape} of it; "
                "expected the same shape"
            )
        return x + y

    def backward(self, dy: ArrayLike) -> Array:
        """Return dy + J_f^T dy."""
        return super().backward(dy) + as_floats(dy)


def _named(groups: Iterable[dict[str, Array]]) -> dict[str, Array]:
    return {
        f"{position}.{name}": value
        for position, group in enumerate(groups)
        for name, value in group.items()
    }
