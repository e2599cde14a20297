"""PyTorch's operations, as they are called below autograd, written with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.adapters.frameworks.traced.torch_arithmetic import ARITHMETIC
from gradcheck.adapters.frameworks.traced.torch_layers import LAYERS
from gradcheck.adapters.frameworks.traced.torch_layout import LAYOUT
from gradcheck.adapters.frameworks.traced.torch_losses import LOSSES

# Called as PyTorch calls them, by their names without the underscore of what works in place.
OPERATIONS: dict[str, Callable[..., Any]] = {**ARITHMETIC, **LAYERS, **LAYOUT, **LOSSES}

# What they return depends on nothing's numbers, or nowhere changes with them.
CONSTANTS = frozenset({
    "zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "new_zeros",
    "new_ones", "new_empty", "new_full", "new_empty_strided", "sign", "sgn", "floor", "ceil",
    "round", "trunc", "heaviside", "bernoulli",
})  # fmt: skip
