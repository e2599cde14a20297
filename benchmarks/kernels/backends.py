"""What the kernels are written in: how arrays get there, and how results come back."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.kernels.case import Kernel

# The modules with kernels by what they are written in.
MODULES = {
    "Triton": ("triton_elementwise", "triton_rows", "triton_products"),
    "PyTorch": ("torch_eager",),
    "Numba": ("numba_loops",),
    "Pallas": ("pallas",),
}


@dataclass(frozen=True)
class Backend:
    """A library: how its kernels are called.

    Attributes
    ----------
    array
        Makes its array of one of NumPy.
    cast
        Returns its array in the dtype that is named, if it is one of floats.
    evaluate
        Returns outputs and, for cotangents of a generator, gradients, all in float64.
    """

    array: Callable[[Any], Any]
    cast: Callable[[Any, str], Any]
    evaluate: Callable[[Callable[..., Any], Sequence[Any], np.random.Generator | None], list[Any]]


def kernels(backend: str) -> list[Kernel]:
    """Return the kernels that are written in one of `MODULES`."""
    modules = [importlib.import_module(f"benchmarks.kernels.{name}") for name in MODULES[backend]]
    return [kernel for module in modules for kernel in module.KERNELS]


def backend_of(name: str) -> Backend:
    """Return how kernels of a backend are called."""
    return {"Numba": _numpy, "Pallas": _jax}.get(name, _torch)()


def _cotangent(rng: np.random.Generator, shape: Sequence[int]) -> Any:
    """Draw numbers that every format holds exactly."""
    return np.asarray(np.round(16 * rng.standard_normal(tuple(shape))) / 16)


def _torch() -> Backend:
    import torch

    interpreted = os.environ["TRITON_INTERPRET"] == "1"
    device = "cuda" if torch.cuda.is_available() and not interpreted else "cpu"

    def array(value):
        return torch.as_tensor(value, device=device)

    def cast(tensor, dtype):
        return tensor.to(getattr(torch, dtype)) if tensor.is_floating_point() else tensor

    def evaluate(function, inputs, rng):
        leaves = [v.detach().clone() for v in inputs]
        if rng is None:
            return [function(*leaves).double().cpu().numpy()]
        floats = [v.requires_grad_() for v in leaves if v.is_floating_point()]
        out = function(*leaves)
        drawn = torch.as_tensor(_cotangent(rng, out.shape), device=device).to(out.dtype)
        gradients = torch.autograd.grad(out, floats, drawn)
        return [v.detach().double().cpu().numpy() for v in (out, *gradients)]

    return Backend(array, cast, evaluate)


def _jax() -> Backend:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def cast(array, dtype):
        return array.astype(dtype) if jnp.issubdtype(array.dtype, jnp.floating) else array

    def evaluate(function, inputs, rng):
        if rng is None:
            return [np.asarray(function(*inputs), np.float64)]
        out, pullback = jax.vjp(function, *inputs)
        drawn = jnp.asarray(_cotangent(rng, out.shape)).astype(out.dtype)
        return [np.asarray(v, np.float64) for v in (out, *pullback(drawn))]

    return Backend(jnp.asarray, cast, evaluate)


def _numpy() -> Backend:
    def cast(array, dtype):
        return array.astype(dtype) if array.dtype.kind == "f" else array

    def evaluate(function, inputs, rng):
        return [np.asarray(function(*inputs), np.float64)]

    return Backend(np.asarray, cast, evaluate)
