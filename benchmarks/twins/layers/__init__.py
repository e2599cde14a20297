"""The layers of the corpus of twins."""

from __future__ import annotations

from benchmarks.twins.layer import Layer
from benchmarks.twins.layers import (
    activations,
    arrays,
    attention,
    linear,
    losses,
    normalization,
    windows,
)

LAYERS: tuple[Layer, ...] = tuple(
    value
    for module in (linear, activations, normalization, losses, attention, arrays, windows)
    for value in vars(module).values()
    if isinstance(value, Layer)
)
