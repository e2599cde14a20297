"""Pairs of functions: ``(forward, backward)`` with a cache, and ``(f, grad)`` of a scalar f."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from functools import partial
from typing import Any

from gradcheck.adapters.callable_target import CallableTarget, Description, first_of
from gradcheck.adapters.conventions import layer
from gradcheck.adapters.discovery.accessors import accessors_in
from gradcheck.adapters.discovery.parameters import Parameter, nothing
from gradcheck.adapters.discovery.reachable_arrays import reachable
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.backward_calls import call_backward, is_pointwise
from gradcheck.adapters.signatures.error_hints import Mismatch
from gradcheck.adapters.signatures.methods import Names, name_of, required_names, same_owner
from gradcheck.adapters.signatures.name_tables import gradient_stems, is_cache, is_cotangent, stem
from gradcheck.adapters.signatures.readings import (
    BY_NAME,
    Gives,
    Reading,
    is_of_observations,
    possible_readings,
)
from gradcheck.adapters.signatures.results import BackwardCall, BackwardResult
from gradcheck.state import StateSnapshot

FORM = "a pair of functions (forward, backward) or (f, grad)"


def is_pair(thing: Any) -> bool:
    """Whether ``thing`` is a pair of callables."""
    return isinstance(thing, tuple | list) and len(thing) == 2 and all(map(callable, thing))


def describe(pair: Any, arguments: Sequence[Any], params: Any = None) -> Description | Mismatch:
    """Describe a pair of functions.

    The first function decides which pair it is: one that returns ``(output, cache)``, or whose
    partner takes a cotangent, is a forward; a scalar one with a partner of the same arguments is
    ``(f, grad)``, as in `scipy.optimize.check_grad`. Two methods of one object are a layer's.
    """
    if not is_pair(pair):
        return Mismatch(FORM)
    first, second = pair
    owner = same_owner(first, second)
    if owner is not None:
        names = Names(first.__name__, second.__name__)
        return layer.describe(owner, arguments, params, names)
    snapshot = StateSnapshot([first, second, *arguments, params])
    inputs = Inputs.of(first, arguments).promoted(first, snapshot)
    with snapshot.guarded():
        result = BackwardResult.of(first(*inputs.arguments(inputs.tensors)), second)
    values = list(inputs.values.values())
    call = BackwardCall(values, inputs.names, result, result.cotangent(result.outputs))
    by_name = _by_name(second, inputs, call)
    read = partial(_read, (first, second), inputs, snapshot, params)
    others = [
        partial(read, reading, reading.told(second, inputs.names))
        for reading in possible_readings(second, call)
        if reading != by_name
    ]
    return first_of([partial(read, by_name), *others])


def described_as(
    pair: tuple[Callable[..., Any], Callable[..., Any]],
    arguments: Sequence[Any],
    readings: Sequence[Reading],
) -> Description:
    """Describe a pair of which it is known how the second function is read, or may be."""
    snapshot = StateSnapshot([*pair, *arguments])
    inputs = Inputs.of(pair[0], arguments).promoted(pair[0], snapshot)
    return first_of([partial(_read, pair, inputs, snapshot, None, r) for r in readings])


def _by_name(second: Callable[..., Any], inputs: Inputs, call: BackwardCall) -> Reading:
    """Return the reading that the names of the arguments suggest."""
    is_number = len(call.result.outputs) == 1 and call.result.outputs[0].size == 1
    if is_number and _takes(second, inputs):
        of = "all" if call.scalar else "sum"  # of shape (1,) or (1, 1)
        if call.scalar and is_of_observations(second):
            return Reading.of_inputs(len(call.inputs), Gives.SCORES)
        return Reading.of_inputs(len(call.inputs), Gives.GRADIENT, of)
    wanted = required_names(second) or []
    if is_pointwise(wanted, call):
        return Reading.of_inputs(len(wanted), Gives.SLOPE)
    return BY_NAME


def _read(
    pair: tuple[Callable[..., Any], Callable[..., Any]],
    inputs: Inputs,
    snapshot: StateSnapshot,
    params: Any,
    reading: Reading,
    note: str = "",
) -> Description:
    """Describe the pair in one reading of its second function."""
    first, second = pair
    is_gradient = reading.gives in (Gives.GRADIENT, Gives.SCORES)
    description = Description(
        name_of(first),
        inputs,
        snapshot,
        lambda arguments: BackwardResult.of(first(*arguments), second, reading.chosen),
        lambda call: call_backward(second, call, reading),
        pair,
        parameters={
            name: Parameter(name, accessor, nothing, True)
            for name, accessor in accessors_in(params).items()
        },
        unit_cotangent=is_gradient or _wants_cache_alone(second),
        requested=bool(params),
        has_samples=reading.gives is not Gives.JACOBIAN,
        note=note,
        jacobians=reading.claims(second),
    )
    description = replace(description, returned=list(description.parameters))
    with snapshot.guarded():
        _, gradients = CallableTarget(description).trial()
        left = _left(second, description.parameters.keys() - gradients.keys())
    is_derivative = reading.gives is not Gives.PRODUCT
    owed = _owed(description, gradients.keys() | left.keys(), is_derivative=is_derivative)
    return replace(description, parameters={**description.parameters, **left}, owed=owed)


def _takes(gradient: Callable[..., Any], inputs: Inputs) -> bool:
    """Whether ``gradient`` takes just what f takes, and no cotangent or cache beside or instead."""
    wanted = required_names(gradient)
    if wanted is None:
        return True
    others = [name for name in wanted if name not in inputs.values]
    asks_for_more = any(is_cache(name) or is_cotangent(name) for name in others)
    return len(wanted) == len(inputs.values) and not asks_for_more


def _wants_cache_alone(backward: Callable[..., Any]) -> bool:
    """Whether the backward of a loss takes only its cache."""
    wanted = required_names(backward)
    return wanted is not None and len(wanted) == 1 and is_cache(wanted[0])


def _left(second: Callable[..., Any], names: Set[str]) -> dict[str, Parameter]:
    """Return the parameters whose gradients are left in a closure or a module, by name."""
    kept = [attribute for attribute in reachable([second]) if attribute.word] if names else []
    found: dict[str, Parameter] = {}
    for name in names:
        own = (attribute for attribute in kept if stem(name) in gradient_stems(attribute.word))
        attribute = next(own, None)
        if attribute is not None:
            found[name] = Parameter(name, attribute.accessor, attribute.read, True)
    return found


def _owed(description: Description, gradients: Set[str], *, is_derivative: bool) -> set[str]:
    """Return the tensors whose gradients are owed.

    They are those in a container that some gradient is returned for; without such a container,
    all after the first input of a forward, and all that a derivative names.
    """
    inputs, parameters = description.inputs, description.parameters
    owed = inputs.owed(gradients)
    if owed:
        return owed | parameters.keys()
    first = next(iter(inputs.leaves.values()), {})
    plain = {name for name in inputs.values if name in inputs.tensors}
    later = [name for name in (*plain, *parameters) if name not in first]
    free = set(description.tensors) if is_derivative else inputs.whole
    return {name for name in later if name in gradients or name not in free}
