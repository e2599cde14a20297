"""A point of a target: its outputs, the gradients returned there, and their rounding errors."""

from __future__ import annotations

from dataclasses import dataclass

from gradcheck._types import Array, Outputs, Tensors


@dataclass(frozen=True)
class Linearization:
    """A point, the outputs there, and the analytic gradients for a cotangent.

    Attributes
    ----------
    tensors, outputs
        In the dtype of the numerical derivative, which may be wider than the layer's own.
    cotangents
        One per output.
    analytic
        The analytic gradients of the layer in its own dtype, by tensor, as they were returned.
    unsure
        Their rounding errors, entry by entry, as seen when the cotangent is perturbed by one
        rounding.
    """

    tensors: Tensors
    outputs: Outputs
    cotangents: Outputs
    analytic: dict[str, Array]
    unsure: dict[str, Array]
