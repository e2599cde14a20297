"""A reference implementation as a target: with its own gradient where it has one, or without."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters import as_target, shows_gradients
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.methods import name_of, required_names
from gradcheck.adapters.widened import widened
from gradcheck.target import Target
from gradcheck.values import TargetError

# Frameworks whose functions look like any other, and what makes their arrays of NumPy's.
FRAMEWORKS = {"torch": ("torch", "from_numpy"), "jax": ("jax.numpy", "asarray")}


def reference_target(
    reference: Any, arguments: Sequence[Any], tensors: Mapping[str, Array]
) -> tuple[Target, bool]:
    """Return the target of a reference at ``arguments``, and whether it has a gradient of its own.

    Parameters
    ----------
    reference
        Anything that `as_target` takes, or a function of arrays, or of tensors of PyTorch or JAX,
        that returns its outputs.
    arguments
        Those of what is compared with it.
    tensors
        The tensors of that: what the reference takes by their names after the arguments.

    Raises
    ------
    TargetError
        If it is no such thing.
    """
    if isinstance(reference, Target) or not callable(reference) or shows_gradients(reference):
        return as_target(reference, *arguments), True
    if isinstance(reference, type):
        return as_target(reference, *arguments), True
    names = (required_names(reference) or [])[len(arguments) :]
    given = [*arguments, *(tensors[name] for name in names if name in tensors)]
    try:
        with np.errstate(all="ignore"):
            returned = reference(*copy.deepcopy(given))
    except Exception as error:
        found = _by_framework(reference, given, FRAMEWORKS)
        if found is None:
            raise TargetError(
                f"{name_of(reference)} raised {type(error).__name__}: {error}"
            ) from error
        return found, True
    kind = type(returned).__module__.partition(".")[0].removesuffix("lib")
    own = _by_framework(reference, given, [kind])
    if own is not None:
        return own, True
    try:
        with np.errstate(all="ignore"):
            return as_target(reference, *given), True
    except TargetError:
        return _forward_alone(reference, given), False


def reference_in_float64(
    reference: Any, arguments: Sequence[Any], subject: Target
) -> tuple[Target, bool]:
    """Return the target of a reference in float64, and whether it has a gradient of its own.

    Its arguments are those of the ``subject``, as they were given if it takes them so, else as
    arrays; where none can be in float64, in their own dtype.

    Raises
    ------
    TargetError
        If it takes them in no form.
    """
    tensors = {name: value.astype(np.float64) for name, value in subject.tensors.items()}
    plain = [value for name, value in tensors.items() if subject.role(name) == "input"]
    refused: TargetError | None = None
    for given in (widened(arguments), arguments, plain):
        try:
            target, has_gradient = reference_target(reference, given, tensors)
        except TargetError as error:
            refused = refused or error
            continue
        if any(value.dtype != np.float64 for value in target.tensors.values()):
            return target.cast(np.float64) or target, has_gradient
        return target, has_gradient
    raise TargetError(f"reference: {refused}") from refused


def _by_framework(
    reference: Callable[..., Any], given: Sequence[Any], kinds: Sequence[str] | Mapping[str, Any]
) -> Target | None:
    """Return the target of a function of a framework's arrays; None if it takes none of them."""
    for kind in kinds:
        if kind in FRAMEWORKS and kind in sys.modules:
            module, make = FRAMEWORKS[kind]
            to_own = getattr(sys.modules[module], make)
            arguments = [to_own(np.array(v)) if isinstance(v, np.ndarray) else v for v in given]
            try:
                target = as_target(reference, *arguments)
                target.call(target.tensors)
            except Exception:  # noqa: BLE001 (any failure says: this is not its framework)
                continue
            return target
    return None


def _forward_alone(reference: Callable[..., Any], given: Sequence[Any]) -> Target:
    inputs = Inputs.of(reference, given)
    if not inputs.tensors:
        raise TargetError(f"{name_of(reference)} was given no array of floats")
    return Target(
        name_of(reference),
        inputs.tensors,
        forward=lambda tensors: reference(*inputs.arguments(tensors)),
        vjp=lambda _, __: {},
    )


def pairs(subject: Target, reference: Target) -> dict[str, str]:
    """Return the tensors of both that are the same: by name and shape, inputs else in order."""
    own, theirs = subject.tensors, reference.tensors
    by_name = [n for n, v in own.items() if n in theirs and theirs[n].shape == v.shape]
    mine, other = (
        [n for n in target.tensors if target.role(n) == "input" and n not in by_name]
        for target in (subject, reference)
    )
    in_order = zip(mine, other, strict=False)
    found = {a: b for a, b in in_order if own[a].shape == theirs[b].shape}
    return {**{n: n for n in by_name}, **found}
