"""The ``jvp`` of a PyTorch function, checked beside its backward.

A backward computes J^T v, a ``jvp`` computes J t. Tangents along the axes of a tensor, each times
the cotangent, make up the gradient <v, J e_k> of the ``jvp``; of large tensors, random directions
stand for the axes.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.frameworks.torch_arrays import as_array, outputs_of
from gradcheck.adapters.signatures import pytree
from gradcheck.state import State
from gradcheck.target import ForwardRun, Target

# A jvp is called once for each axis: up to so many, and for so many directions beyond that. A
# wrong linear map is right along a random direction with probability zero; several show more of it.
MOST_AXES = 64
DIRECTIONS = 16


@dataclass(frozen=True)
class ForwardMode:
    """An autograd function, of which the ``jvp`` is to be checked."""

    function: Any


def has_jvp(thing: Any) -> bool:
    """Whether ``thing`` is an autograd function with a ``jvp`` of its own."""
    if not isinstance(thing, type):
        return False
    own = [kind for kind in thing.__mro__ if kind.__module__.partition(".")[0] != "torch"]
    return len(own) < len(thing.__mro__) - 1 and any("jvp" in vars(kind) for kind in own)


def target(
    thing: ForwardMode, called: Mapping[str, Any], floats: Mapping[str, Any], state: State
) -> Target:
    """Return the target whose gradients are those of the ``jvp``.

    The arguments are ``called`` so; the tensors among them that are differentiated are ``floats``.
    """
    import torch
    from torch.autograd import forward_ad

    make_dual: Any = forward_ad.make_dual
    unpack_dual: Any = forward_ad.unpack_dual
    function = thing.function
    generator = np.random.default_rng(0)
    bases = {n: _directions(v, generator) for n, v in floats.items() if v.numel() > MOST_AXES}
    base = {n: as_array(v) for n, v in floats.items()}
    tensors = {n: np.zeros(len(bases[n]), v.dtype) if n in bases else v for n, v in base.items()}

    def call(moved: Mapping[str, Any]) -> Any:
        return function.apply(*(pytree.rebuilt(n, v, moved) for n, v in called.items()))

    def run(at: Tensors) -> ForwardRun:
        moved = {
            n: torch.tensor(base[n] + np.tensordot(at[n], bases[n], 1) if n in bases else at[n])
            for n in floats
        }
        with torch.no_grad():
            raw = call(moved)
        _, outputs = outputs_of(raw)

        def along(name: str, tangent: Array, cotangents: Outputs) -> float:
            with warnings.catch_warnings(), forward_ad.dual_level():
                # PyTorch's first dual number warns of what PyTorch itself still uses
                warnings.simplefilter("ignore", DeprecationWarning)
                dual = make_dual(moved[name], torch.tensor(tangent))
                results, _ = outputs_of(call({**moved, name: dual}))
                tangents = [unpack_dual(result).tangent for result in results]
            return float(
                sum(
                    np.sum(v * as_array(t))
                    for v, t in zip(cotangents, tangents, strict=True)
                    if t is not None
                )
            )

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            return {
                name: np.array(
                    [along(name, t, cotangents) for t in _tangents(name, base[name], bases)],
                    dtype=base[name].dtype,
                ).reshape(tensors[name].shape)
                for name in floats
            }

        # of a large tensor the coordinates are checked, and not what is handed on
        handed = {n: v.numpy() for n, v in moved.items() if n not in bases}
        return ForwardRun(outputs, pullback, handed)

    return Target.from_run(f"{function.__name__}.jvp", tensors, run, state=state)


def _directions(tensor: Any, generator: np.random.Generator) -> Array:
    shape = (DIRECTIONS, *tensor.shape)
    return generator.choice((-1.0, 1.0), shape).astype(as_array(tensor).dtype)


def _tangents(name: str, value: Array, bases: Mapping[str, Array]) -> Any:
    if name in bases:
        return bases[name]
    return np.eye(value.size, dtype=value.dtype).reshape(value.size, *value.shape)
