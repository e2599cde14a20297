"""How a backward is to be called after its forward."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcheck.adapters.signatures.error_hints import lines
from gradcheck.adapters.signatures.methods import accepts_argument, parameters_of, required_names
from gradcheck.adapters.signatures.name_tables import (
    OUTPUT_NAMES,
    is_cache,
    is_cotangent,
    is_rate,
    is_target,
)
from gradcheck.adapters.signatures.readings import BY_NAME, UNIT_RATE, Gives, Reading
from gradcheck.adapters.signatures.results import BackwardCall
from gradcheck.values import TargetError


def named_readings(backward: Callable[..., Any], call: BackwardCall) -> Iterator[Reading]:
    """Yield what the names of the arguments of ``backward`` may mean, likeliest first."""
    wanted = required_names(backward) or []
    yield BY_NAME
    if len(wanted) == 1 and len(call.result.outputs) > 1:
        yield Reading(of="first")
    if len(wanted) == len(call.inputs) and any(map(is_target, wanted)):
        of = "all" if call.scalar else "mean"  # of the losses of the samples
        yield Reading.of_inputs(len(wanted), Gives.GRADIENT, of)


def call_backward(
    backward: Callable[..., Any], call: BackwardCall, reading: Reading = BY_NAME
) -> Any:
    """Call ``backward`` as it is read, and return the gradients, times the cotangent.

    Raises
    ------
    TargetError
        If there is no reading of its signature.
    """
    rates = dict.fromkeys(_optional_rates(backward), UNIT_RATE)
    if reading.takes is not None:
        return reading.gradients(partial(backward, **rates), call)
    wanted = required_names(backward)
    if wanted is None:
        return backward(call.cotangent)
    if not wanted:
        return backward(call.cotangent) if _takes_cotangent(backward) else backward(**rates)
    name = getattr(backward, "__name__", "backward")
    return backward(*_arguments(name, wanted, call), **rates)


def is_pointwise(wanted: Sequence[str], call: BackwardCall) -> bool:
    """Whether a backward takes the forward's own arguments alone and acts on every entry."""
    shapes = [np.shape(value) for value in call.inputs if isinstance(value, np.ndarray)]
    outputs = call.result.outputs
    return (
        bool(wanted)
        and list(wanted) == list(call.names)[: len(wanted)]
        and len(outputs) == 1
        and outputs[0].ndim > 0
        and outputs[0].shape in shapes
    )


def takes_rate(backward: Callable[..., Any]) -> bool:
    """Whether ``backward`` takes the learning rate, so that it updates the parameters."""
    return any(map(is_rate, [*(required_names(backward) or []), *_optional_rates(backward)]))


def takes_no_cotangent(wanted: Sequence[str], call: BackwardCall) -> bool:
    """Whether a loss's backward takes nothing, or only its own inputs and cache."""
    wanted = [name for name in wanted if not is_rate(name)]
    return all(name in call.names or is_cache(name) for name in wanted) or (
        len(wanted) == len(call.inputs) > 1 and not call.result.caches
    )


def _takes_cotangent(backward: Callable[..., Any]) -> bool:
    taken = parameters_of(backward) or ()
    return accepts_argument(backward) and not (taken and is_rate(taken[0].name))


def _optional_rates(backward: Callable[..., Any]) -> list[str]:
    required = required_names(backward)
    names = [p.name for p in parameters_of(backward) or [] if p.kind is not p.VAR_KEYWORD]
    return [
        name for name in names if required is not None and name not in required and is_rate(name)
    ]


def _arguments(name: str, wanted: Sequence[str], call: BackwardCall) -> list[Any]:
    """Return the values for the arguments ``wanted``; those of unknown names are cotangents."""
    if len(wanted) == 1:
        return [_single_argument(wanted[0], call)]
    if len(call.result.caches) == 1 and len(wanted) == 2:
        cache_first = is_cache(wanted[0]) or is_cotangent(wanted[1]) > is_cotangent(wanted[0])
        both = [call.cotangent, call.result.caches[0]]
        return both[::-1] if cache_first else both
    known = dict(_known(wanted, call))
    unknown = [name for name in wanted if name not in known]
    cotangents = call.cotangent if isinstance(call.cotangent, tuple) else (call.cotangent,)
    if len(unknown) == 1:
        known[unknown[0]] = call.cotangent
    elif len(unknown) == len(cotangents):
        known |= zip(unknown, cotangents, strict=True)
    elif unknown:
        return _by_count(name, wanted, call)
    elif not call.scalar and len(wanted) == len(call.inputs) + 1:
        return _by_count(name, wanted, call)  # every name is an input's, but one of them is meant
    return [known[name] for name in wanted]


def _by_count(name: str, wanted: Sequence[str], call: BackwardCall) -> list[Any]:
    """Return the arguments by their number alone."""
    caches, inputs = list(call.result.caches), list(call.inputs)
    cotangents = call.cotangent if isinstance(call.cotangent, tuple) else (call.cotangent,)
    readings: list[list[Any]] = [
        inputs if call.scalar else [],
        [call.cotangent, *caches],
        [*cotangents, *caches],
        [call.cotangent, *inputs],
        [*cotangents],
        [call.cotangent, *caches, *inputs],
    ]
    for reading in readings:
        if len(reading) == len(wanted):
            return reading
    raise TargetError(
        f"{name}({', '.join(wanted)}) could not be called: tried the cotangent alone, with what "
        "the forward returned beside its output, and with the inputs. "
        + lines(
            "mine",
            dict(zip(call.names, call.inputs, strict=False)),
            "forward",
            f"{name}({', '.join(wanted)})",
        )
    )


def _single_argument(name: str, call: BackwardCall) -> Any:
    if call.result.caches and is_cache(name):
        return call.result.caches[0]
    if call.scalar and len(call.inputs) > 1 and is_target(name):
        return call.inputs[-1]
    if call.scalar and len(call.inputs) == 1 and name == call.names[0]:
        return call.inputs[0]
    return call.cotangent


def _known(wanted: Sequence[str], call: BackwardCall) -> Iterable[tuple[str, Any]]:
    """Yield the arguments that are known by their names, the caches in order."""
    inputs = dict(zip(call.names, call.inputs, strict=False))
    caches = iter(call.result.caches)
    unnamed = len(call.result.caches) - sum(map(is_cache, wanted))
    for position, name in enumerate(wanted):
        if name in inputs:
            yield name, inputs[name]
        elif is_rate(name):
            yield name, UNIT_RATE
        elif is_cache(name) and call.result.caches:
            yield name, next(caches)
        elif name.lower() in OUTPUT_NAMES:
            yield name, call.result.raw
        elif call.result.caches and len(wanted) - position <= unnamed:
            yield name, next(caches)  # the last ones, by whatever name
