"""The types that everything is written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]

# The tensors of a target by name, its outputs, and what turns cotangents into gradients by name.
Tensors = Mapping[str, Array]
Outputs = tuple[Array, ...]
Pullback = Callable[[Outputs], dict[str, Any]]
