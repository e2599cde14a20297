"""Keras' operations and losses, on either backend: the process that imports this has one alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from benchmarks.audit.libraries.library import public_functions


def _keras(backend: str) -> ModuleType:
    """Import Keras with a backend, which it reads but once."""
    os.environ["KERAS_BACKEND"] = backend
    import keras

    if keras.backend.backend() != backend:
        raise RuntimeError(f"keras is loaded with {keras.backend.backend()}: use a new process")
    return keras


def _operators(keras: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    yield from public_functions(keras.ops)
    known = {name for name, _ in public_functions(keras.ops)}
    for module in (keras.activations, keras.losses):
        yield from ((n, f) for n, f in public_functions(module) if n not in known)


def KerasOnTorch() -> Any:  # noqa: N802, one of the classes of libraries
    """Return Keras' operations on tensors."""
    from benchmarks.audit.libraries.torch_operators import TorchArrays

    return _on(TorchArrays, _keras("torch"))


def KerasOnJax() -> Any:  # noqa: N802
    """Return Keras' operations on JAX's arrays."""
    from benchmarks.audit.libraries.jax_functions import JaxArrays

    return _on(JaxArrays, _keras("jax"))


def _on(arrays: type, keras: Any) -> Any:
    class Keras(arrays):  # type: ignore[misc]
        version = keras.__version__

        def operators(self) -> Iterator[tuple[str, Callable[..., Any]]]:
            return _operators(keras)

    return Keras()
