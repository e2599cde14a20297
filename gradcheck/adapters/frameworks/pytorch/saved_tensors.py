"""The tensors that PyTorch code keeps: those that gradients are taken of, and the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck._types import Outputs
from gradcheck.adapters.discovery.accessors import Accessor
from gradcheck.adapters.discovery.coverage import REASONS
from gradcheck.adapters.discovery.effects import Effects
from gradcheck.adapters.discovery.reachable_arrays import reachable
from gradcheck.adapters.frameworks.pytorch.arrays import in_reals, is_differentiable, results_in
from gradcheck.report.data import Unchecked
from gradcheck.state import State
from gradcheck.target import Target

OUTSIDE = "it is computed before the forward; keep what it is computed from, and compute it inside"
MODULES = re.compile(r"_modules\['([^']*)'\]")


def kept_tensors(thing: Any) -> dict[str, Any]:
    """Return every tensor that a module, function or object keeps, by name.

    Those of a module by the names that PyTorch has for them; then attributes that are not
    registered, closures, and the globals that the code reads.
    """
    import torch

    is_module = isinstance(thing, torch.nn.Module)
    registered = thing.state_dict(keep_vars=True).items() if is_module else ()
    # of a tensor with several names, as tied weights have, the first
    known = dict({id(t): (n, t) for n, t in reversed(registered)}.values())
    found = {id(tensor): name for name, tensor in known.items()}
    for attribute in reachable([thing], torch.is_tensor, lambda t: isinstance(t, torch.nn.Module)):
        found.setdefault(id(attribute.read()), MODULES.sub(r"\1", attribute.name))
        known.setdefault(found[id(attribute.read())], attribute.read())
    return known


def is_trained(tensor: Any) -> bool:
    """Whether PyTorch accumulates a gradient in a tensor."""
    return bool(is_differentiable(tensor) and tensor.requires_grad and tensor.is_leaf)


def used(trained: Mapping[str, Any], call: Callable[[], Any], state: State) -> dict[str, Any]:
    """Return the trained tensors that the output of ``call`` depends on, by the graph or by moving.

    Of what is detached by mistake the gradient is zero, which is wrong where it moves the
    output; of what is not used at all there is none.
    """
    import torch

    if not trained:
        return {}
    with state.guarded():
        results = [r for r in results_in(call()) if r.requires_grad]
        sums = [in_reals(result).sum() for result in results if is_differentiable(result)]
        gradients: list[Any] = [None] * len(trained)
        if sums:
            gradients = list(torch.autograd.grad(sums, list(trained.values()), allow_unused=True))
        reached = {n for n, g in zip(trained, gradients, strict=True) if g is not None}
        rest = {n: v for n, v in trained.items() if n not in reached}

        def outputs(change: Callable[[], None]) -> Outputs:
            state.restore()
            change()
            return tuple(in_reals(r).detach().cpu().double().numpy() for r in results_in(call()))

        reached |= set(_moving(rest, Effects(outputs, np.random.default_rng(0))))
    return {name: tensor for name, tensor in trained.items() if name in reached}


@dataclass(frozen=True)
class Kept:
    """Finds which tensors the output depends on, of those that no gradient is taken of.

    Parameters
    ----------
    tensors
        Those that are not checked, by name. What is trained is known by ``requires_grad``: a
        parameter without it is frozen, any other tensor a constant, such as a buffer.
    """

    tensors: Mapping[str, Any]

    def __call__(self, target: Target) -> tuple[Unchecked, ...]:
        """Return the tensors that are not checked."""
        left = {n: t for n, t in self.tensors.items() if is_differentiable(t) and t.numel()}
        moving = _moving(left, Effects.on_target(target))
        target.state.restore(everything=True)
        return tuple(_unchecked(name, left[name]) for name in moving)


def _moving(tensors: Mapping[str, Any], effects: Effects) -> list[str]:
    """Return the tensors that the output depends on, for all that can be seen."""
    accessors = {name: _view(tensor) for name, tensor in tensors.items()}
    seen = {name: accessor for name, accessor in accessors.items() if accessor is not None}
    moving = effects.those(list(seen), seen.__getitem__)
    return [name for name in tensors if name in moving or name not in seen]


def _view(tensor: Any) -> Accessor | None:
    """Return an accessor by which a tensor is moved in memory; None where NumPy has no such one."""
    try:
        return Accessor([tensor.detach().numpy()], 0, True)
    except (TypeError, RuntimeError):  # bfloat16, or on another device
        return None


def _unchecked(name: str, tensor: Any) -> Unchecked:
    import torch

    if tensor.requires_grad:
        return Unchecked(name, "parameter", OUTSIDE)
    role = "frozen" if isinstance(tensor, torch.nn.Parameter) else "constant"
    return Unchecked(name, role, REASONS[role])
