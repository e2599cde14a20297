"""How JAX and torch are set to compute in this process: another one has to be told."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

# Settings of JAX that change what a function returns.
SETTINGS = (
    "jax_enable_x64",
    "jax_default_matmul_precision",
    "jax_default_prng_impl",
    "jax_numpy_dtype_promotion",
    "jax_disable_jit",
)


def modes() -> dict[str, Any]:
    """Return the settings of what has been imported, to be handed to `set_modes`."""
    found: dict[str, Any] = {}
    if "jax" in sys.modules:
        config = sys.modules["jax"].config
        found |= {name: getattr(config, name) for name in SETTINGS if hasattr(config, name)}
    if "torch" in sys.modules:
        found["torch"] = sys.modules["torch"].get_default_dtype()
    return found


def set_modes(given: Mapping[str, Any]) -> None:
    """Have this process compute as that computes in which `modes` was called."""
    for name, value in given.items():
        if name == "torch":
            import_module("torch").set_default_dtype(value)
        else:
            import_module("jax").config.update(name, value)
