"""PyTorch: modules, autograd functions, and plain functions of tensors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from inspect import getattr_static
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.frameworks.pytorch import forward_mode
from gradcheck.adapters.frameworks.pytorch.arrays import (
    TensorCopies,
    as_array,
    carried,
    computing_in_float64,
    like,
    lowest_precision,
    no_gradients,
    outputs_of,
    results_in,
    rounding_of,
    shared,
    within_domain,
)
from gradcheck.adapters.frameworks.pytorch.call import Call, recording
from gradcheck.adapters.frameworks.pytorch.defined_gradients import why_defined
from gradcheck.adapters.frameworks.pytorch.forward_mode import ForwardMode, has_jvp
from gradcheck.adapters.frameworks.pytorch.rounding import format_of, in_current_arithmetic
from gradcheck.adapters.frameworks.pytorch.saved_tensors import Kept, is_trained, kept_tensors, used
from gradcheck.adapters.frameworks.pytorch.state import TorchState
from gradcheck.adapters.frameworks.tensor_pair import adapt_pair, is_pair
from gradcheck.adapters.signatures import pytree
from gradcheck.adapters.signatures.methods import input_names
from gradcheck.adapters.vmap_agreement import PROMISE, vmap_agrees
from gradcheck.target import ForwardRun, Target
from gradcheck.values import as_outputs


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a module, an autograd function (a class) or a tensor."""
    kinds = thing.__mro__ if isinstance(thing, type) else type(thing).__mro__
    return any(kind.__module__.partition(".")[0] == "torch" for kind in kinds)


def holds(argument: Any) -> bool:
    """Whether an argument is a tensor, or a container with one in it."""
    return pytree.holds(argument, matches)


def adapt(thing: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of ``thing``; its gradients are what autograd computes with its backward.

    Parameters
    ----------
    thing
        A ``torch.nn.Module``, a ``torch.autograd.Function``, a function of tensors or a pair of
        such functions as of arrays.
    arguments
        Tensors, arrays, containers of them, or anything else the forward takes. Leaves are called
        by their paths, such as ``params['w']``.
    params
        Not used: the parameters are those of the module.
    """
    import torch

    thing = applied_function(thing)
    if is_pair(thing):
        return adapt_pair(thing, arguments, params, torch.is_tensor, as_array, like)
    subject, thing = thing, thing.function if isinstance(thing, ForwardMode) else thing
    thing = initialized(thing, arguments)
    forward = getattr(thing, "apply") if isinstance(thing, type) else thing  # noqa: B009
    names = input_names(getattr(thing, "forward", forward), len(arguments) + 1)
    skip = int(isinstance(thing, type) and takes_context(thing))
    with recording():
        call = Call.of(forward, names[skip:], arguments)
        base = call.values()
    handed = {id(leaf) for n, v in call.arguments.items() for _, leaf in pytree.paths(n, v)}
    kept = {n: v for n, v in kept_tensors(thing).items() if id(v) not in handed}
    state = TorchState(thing, kept, call.arguments)
    if isinstance(subject, ForwardMode):
        return forward_mode.target(subject, call, base, state)
    trained = {n: v for n, v in kept.items() if is_trained(v)}
    with recording():
        own = used(trained, lambda: call(call.leaves(base)), state)
    floats = call.floats
    tensors = {**base, **{n: as_array(v) for n, v in own.items()}}
    copies = TensorCopies()
    native = lowest_precision([*floats.values(), *own.values()])

    def placed(at: Tensors) -> dict[str, Any]:
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(like(at[name], parameter))
        return call.leaves(at)

    def evaluated(at: Tensors) -> tuple[dict[str, Any], tuple[Any, ...]]:
        with recording():
            inputs = placed(at)
            return inputs, results_in(call(inputs))

    def run(at: Tensors) -> ForwardRun:
        with in_current_arithmetic():
            inputs, results = evaluated(at)
        target.rounding = rounding_of([*inputs.values(), *own.values(), *results])
        wanted = {**inputs, **{n: p for n, p in own.items() if p.requires_grad}}
        return recorded(wanted, inputs, results)

    def run_mapped(at: Tensors) -> ForwardRun:
        with recording():
            inputs = call.leaves(at)
            results = torch.func.vmap(
                lambda *values: results_in(call(dict(zip(inputs, values, strict=True)))),
                randomness="same",
            )(*inputs.values())
        return recorded(inputs, inputs, results)

    def run_wide(at: Tensors) -> ForwardRun:
        placed = {n: v.device for n, v in {**floats, **own}.items()}
        moved = {n: copies.of(n, at[n], placed[n]) for n in tensors}
        with recording(), computing_in_float64(native):
            inputs = call.given({n: moved[n] for n in floats})
            if own:
                parameters = {n: moved[n] for n in own}
                raw = torch.func.functional_call(thing, parameters, inputs)
            else:
                raw = forward(*inputs)
            return ForwardRun(outputs_of(raw)[1], no_gradients, {})

    def replay(at: Tensors, locate: Callable[..., None]) -> list[Array]:
        from gradcheck.adapters.frameworks.traced.torch_forward import followed  # for a FAIL

        with recording():
            inputs = placed({n: np.asarray(at[n]).astype(v.dtype) for n, v in tensors.items()})
            standing = [(t, at[n]) for n, t in {**inputs, **own}.items()]
            arrays = followed(lambda: call(inputs), standing)
        return [arrays.of(result) for result in results_in(arrays.result)]

    alone = [n for n in call.arguments if n in floats]
    first = base[alone[0]] if alone else None
    batch = int(first.shape[0]) if first is not None and first.ndim >= 2 else 0
    target = Target.from_run(
        getattr(thing, "__name__", type(thing).__name__),
        tensors,
        within_domain(run),
        recast=lambda dtype: recast(dtype),
        roles=dict.fromkeys([*(n for n in floats if n not in call.arguments), *own], "parameter"),
        state=state,
        batch=batch,
        batch_tensors=tuple(alone) if len(alone) == len(floats) == 1 and batch else (),
        formats={n: format_of(v) for n, v in {**floats, **own}.items()},
        uncovered=Kept({n: v for n, v in kept.items() if n not in trained}),
        replay=replay,
    )

    def defined(name: str, analytic: Array) -> str:
        target.state.restore()
        return why_defined(lambda at: evaluated(at)[1], tensors, name, analytic)

    def recast(dtype: type[np.floating[Any]]) -> Target | None:
        # other values can be given to what a module has registered alone
        is_module = isinstance(thing, torch.nn.Module)
        registered = dict(thing.named_parameters()) if is_module else {}
        return (
            target.computing(dtype, within_domain(run_wide))
            if own.keys() <= registered.keys()
            else None
        )

    target.by_definition = defined
    if has_vmap(thing):
        target.promises = {PROMISE: lambda: vmap_agrees(base, run, run_mapped, declared=True)}
    return target


def recorded(
    wanted: Mapping[str, Any], inputs: Mapping[str, Any], results: Sequence[Any]
) -> ForwardRun:
    """Return a run of ``results``, with the gradients of what is ``wanted`` by autograd."""
    import torch

    def pullback(cotangents: Outputs) -> dict[str, Any]:
        reached = [(r, v) for r, v in zip(results, cotangents, strict=True) if r.requires_grad]
        with recording(), in_current_arithmetic():
            gradients = torch.autograd.grad(
                [result for result, _ in reached],
                list(wanted.values()),
                [like(v, result) for result, v in reached],
                retain_graph=True,
                allow_unused=True,
            )
        return {
            name: np.zeros(tuple(tensor.shape)) if g is None else as_array(g)
            for (name, tensor), g in zip(wanted.items(), gradients, strict=True)
        }

    outputs = as_outputs(tuple(map(as_array, results)))
    return ForwardRun(
        outputs,
        pullback,
        {n: shared(v) for n, v in inputs.items()},
        carried(results),
        tuple(map(format_of, results)),
        any(result.requires_grad for result in results),
    )


def applied_function(thing: Any) -> Any:
    """Return the autograd function whose ``apply`` is given; anything else as it is."""
    owner = getattr(thing, "__self__", None)
    applies = isinstance(owner, type) and getattr(thing, "__name__", "") == "apply"
    return owner if applies and matches(owner) else thing


def has_vmap(thing: Any) -> bool:
    """Whether ``thing`` is an autograd function that has or makes a rule for batches."""
    import torch

    function: Any = torch.autograd.Function
    if not (isinstance(thing, type) and issubclass(thing, function)):
        return False
    own = vars(function)["vmap"] is not getattr_static(thing, "vmap")
    return own or bool(getattr(thing, "generate_vmap_rule", False))


def takes_context(function: Any) -> bool:
    """Whether the forward of an autograd function takes the context, and no setup_context does."""
    import torch

    return bool(function.setup_context is torch.autograd.Function.setup_context)


def parts(thing: Any, arguments: Sequence[Any]) -> list[tuple[str, Any, tuple[Any, ...]]]:
    """Return what is computed beside the backward: the ``jvp`` of an autograd function.

    Returns
    -------
    list of (name, thing, inputs)
        Each to be checked by itself.
    """
    thing = applied_function(thing)
    return [("jvp", ForwardMode(thing), tuple(arguments))] if has_jvp(thing) else []


def initialized(thing: Any, arguments: Sequence[Any]) -> Any:
    """Return a copy of a module that has seen the input once, if its parameters wait for that.

    The user's own stays without them.
    """
    import torch

    is_lazy: Any = torch.nn.parameter.is_lazy
    is_module = isinstance(thing, torch.nn.Module)
    if not (is_module and any(map(is_lazy, (*thing.parameters(), *thing.buffers())))):
        return thing
    twin = copy.deepcopy(thing)
    with TorchState(twin, {}, {}).guarded(), torch.no_grad():
        twin(*arguments)
    return twin
