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
from gradcheck.adapters.frameworks.pytorch.arrays import (
    as_array,
    like,
    outputs_of,
    results_in,
    shared,
)
from gradcheck.adapters.frameworks.pytorch.call import Call
from gradcheck.numerics.directions import in_place_of_axes
from gradcheck.state import State
from gradcheck.target import ForwardRun, Target

# A jvp is called once for each axis, up to so many; beyond, random directions stand for them.
MOST_AXES = 64


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


def target(thing: ForwardMode, call: Call, base: Tensors, state: State) -> Target:
    """Return the target whose gradients are those of the ``jvp``.

    Parameters
    ----------
    thing
        The autograd function.
    call, base
        Its arguments, and the numbers of the tensors that are differentiated.
    state
        What is put back before every run.
    """
    import torch
    from torch.autograd import forward_ad

    make_dual: Any = forward_ad.make_dual
    unpack_dual: Any = forward_ad.unpack_dual
    function = thing.function
    rng = np.random.default_rng(0)
    bases = {n: in_place_of_axes(rng, v) for n, v in base.items() if v.size > MOST_AXES}
    tensors = {n: np.zeros(len(bases[n]), v.dtype) if n in bases else v for n, v in base.items()}

    def run(at: Tensors) -> ForwardRun:
        placed = {
            n: base[n] + np.tensordot(at[n], bases[n], 1) if n in bases else at[n] for n in base
        }
        with torch.no_grad():
            moved = call.leaves(placed)
            _, outputs = outputs_of(call(moved))

        def along(name: str, tangent: Array, cotangents: Outputs) -> float:
            with warnings.catch_warnings(), forward_ad.dual_level():
                # PyTorch's first dual number warns of what PyTorch itself still uses
                warnings.simplefilter("ignore", DeprecationWarning)
                dual = make_dual(moved[name].detach(), like(tangent, moved[name]))
                results = results_in(call({**moved, name: dual}))
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
                for name in base
            }

        # of a large tensor the coordinates are checked, and not what is handed on
        handed = {n: shared(v) for n, v in moved.items() if n not in bases}
        return ForwardRun(outputs, pullback, handed)

    return Target.from_run(f"{function.__name__}.jvp", tensors, run, state=state)


def _tangents(name: str, value: Array, bases: Mapping[str, Array]) -> Any:
    if name in bases:
        return bases[name]
    return np.eye(value.size, dtype=value.dtype).reshape(value.size, *value.shape)
