"""Pairs of functions: ``(forward, backward)`` with a cache, and ``(f, grad)`` of a scalar f."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.binding import (
    CACHE_NAMES,
    Call,
    align_gradients,
    call_backward,
    required_names,
)
from gradcheck.adapters.inputs import Inputs
from gradcheck.memory import Memory
from gradcheck.target import Outputs, Run, Target, TargetError, Tensors, as_outputs, is_scalar


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a pair of callables."""
    return isinstance(thing, tuple | list) and len(thing) == 2 and all(map(callable, thing))


def adapt(pair: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of a pair of functions at ``arguments``.

    The first function tells which pair it is: one that returns ``(output, cache)``, or whose
    partner takes a cotangent, is a forward; a scalar one with a partner of the same arguments is
    ``(f, grad)``, as in `scipy.optimize.check_grad`.
    """
    first, second = pair
    memory = Memory([first, second, *arguments])
    inputs = Inputs.of(first, arguments)
    with memory.guarded():
        raw = first(*inputs.arguments(inputs.tensors))
    is_gradient = is_scalar(raw) and _takes(second, inputs)
    run = _gradient_run(first, second) if is_gradient else _cache_run(first, second)
    if not inputs.tensors:
        raise TargetError(
            f"{_name(first)} was given no floating-point array to differentiate; "
            "pass its inputs after the pair: check((forward, backward), x, w, b)"
        )

    def target(at: Inputs) -> Target:
        return Target.from_run(
            _name(first),
            at.tensors,
            lambda tensors: run(at, tensors),
            recast=lambda dtype: target(at.cast(dtype)),
            roles=dict.fromkeys(list(at.names)[1:], "parameter"),
            state=memory,
            unit_cotangent=is_gradient or _without_cotangent(second, inputs, raw),
            batch=at.batch,
            batch_tensors=at.batch_tensors,
        )

    return target(inputs)


def _takes(gradient: Callable[..., Any], inputs: Inputs) -> bool:
    """Whether ``gradient`` takes just what f takes, and no cotangent or cache beside."""
    wanted = required_names(gradient)
    if wanted is None:
        return True
    return len(wanted) == len(inputs.values) and not CACHE_NAMES.intersection(wanted)


def _without_cotangent(backward: Callable[..., Any], inputs: Inputs, raw: Any) -> bool:
    """Whether the backward of a loss takes only its cache."""
    wanted = required_names(backward)
    return wanted is not None and len(wanted) == 1 and wanted[0].lower() in CACHE_NAMES


def _gradient_run(
    function: Callable[..., Any], gradient: Callable[..., Any]
) -> Callable[[Inputs, Tensors], Run]:
    def run(inputs: Inputs, tensors: Tensors) -> Run:
        arguments = inputs.arguments(tensors)
        outputs = as_outputs(function(*arguments))

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            claimed = align_gradients(gradient(*arguments), inputs.values)
            return {
                name: np.asarray(value) * cotangents[0] if cotangents[0] != 1 else value
                for name, value in claimed.items()
            }

        return Run(outputs, pullback, _handed(inputs, arguments, tensors))

    return run


def _cache_run(
    forward: Callable[..., Any], backward: Callable[..., Any]
) -> Callable[[Inputs, Tensors], Run]:
    def run(inputs: Inputs, tensors: Tensors) -> Run:
        arguments = inputs.arguments(tensors)
        raw = forward(*arguments)
        wanted = required_names(backward) or []
        asks_for_cache = len(wanted) == 2 or bool(CACHE_NAMES.intersection(wanted))
        has_cache = isinstance(raw, tuple) and len(raw) == 2 and asks_for_cache
        output, cache = raw if has_cache else (raw, None)
        outputs = as_outputs(output)
        single = not isinstance(output, tuple | list)

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            call = Call(
                arguments,
                inputs.names,
                outputs,
                output,
                cotangents[0] if single else cotangents,
                cache,
                has_cache,
            )
            if wanted == inputs.names[:1] and outputs[0].shape == np.shape(arguments[0]):
                # the derivative of a function that acts on every entry by itself
                derivative = np.asarray(backward(arguments[0]))
                return align_gradients(derivative * cotangents[0], inputs.values)
            return align_gradients(call_backward(backward, call), inputs.values)

        return Run(outputs, pullback, _handed(inputs, arguments, tensors))

    return run


def _handed(inputs: Inputs, arguments: Sequence[Any], tensors: Tensors) -> dict[str, Any]:
    pairs = zip(inputs.names, arguments, strict=True)
    return {name: np.asarray(value) for name, value in pairs if name in tensors}


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)
