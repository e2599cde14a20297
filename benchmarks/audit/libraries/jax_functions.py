"""JAX's functions of arrays, and what is built on them: its modules say which there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.audit.libraries.library import Floats, public_functions, same_dtype

jax.config.update("jax_enable_x64", True)

# Arrays are filled up to one of these lengths: every other would be compiled for.
LENGTHS = (16, 128)


class JaxArrays:
    """How JAX's arrays are made and differentiated, whoever's operators act on them."""

    dtypes = ("float64", "float32", "bfloat16")

    def value(self, function: Callable[[Any], Any], x: Floats, dtype: str) -> Floats:
        return np.asarray(function(_filled(x, dtype)), dtype=np.float64)[: len(x)]

    def slope(self, function: Callable[[Any], Any], x: Floats, dtype: str) -> tuple[Floats, Floats]:
        given = _filled(x, dtype)
        result, pullback = jax.vjp(function, given)
        same_dtype(result, given)
        (gradient,) = pullback(jnp.ones_like(result))
        y, slope = np.asarray(result, dtype=np.float64), np.asarray(gradient, dtype=np.float64)
        return y[: len(x)], slope[: len(x)]

    def full_like(self, x: Any, c: float) -> Any:
        return jnp.full_like(x, c)

    def stack(self, columns: list[Any]) -> Any:
        return jnp.stack(columns, -1)


def _filled(x: Floats, dtype: str) -> Any:
    length = next((n for n in LENGTHS if n >= len(x)), len(x))
    return jnp.asarray(np.pad(x, (0, length - len(x)), mode="edge"), dtype)


class JaxModule(JaxArrays):
    """The functions of one module."""

    module: ModuleType

    def __init__(self) -> None:
        self.version = jax.__version__

    def operators(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        return public_functions(self.module)


class JaxNumpy(JaxModule):
    """``jax.numpy``."""

    module = jnp


class JaxNN(JaxModule):
    """``jax.nn``."""

    module = jax.nn


class JaxSpecial(JaxModule):
    """``jax.scipy.special``."""

    def __init__(self) -> None:
        super().__init__()
        import jax.scipy.special

        self.module = jax.scipy.special


class Optax(JaxModule):
    """``optax.losses``."""

    def __init__(self) -> None:
        import optax

        self.version = optax.__version__
        self.module = optax.losses
