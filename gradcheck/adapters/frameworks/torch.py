"""PyTorch: modules, autograd functions, and plain functions of tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.frameworks import torch_forward_mode as forward_mode
from gradcheck.adapters.frameworks.tensor_pair import adapt_pair, is_pair
from gradcheck.adapters.frameworks.torch_arrays import (
    as_array,
    carried,
    computing_in_float64,
    is_differentiable,
    like,
    lowest_precision,
    no_gradients,
    outputs_of,
    rounding_of,
    shared,
    within_domain,
)
from gradcheck.adapters.frameworks.torch_defined_gradients import why_defined
from gradcheck.adapters.frameworks.torch_forward_mode import ForwardMode, has_jvp
from gradcheck.adapters.frameworks.torch_saved_tensors import Kept, is_trained, kept_tensors, used
from gradcheck.adapters.frameworks.traced.torch_forward import followed
from gradcheck.adapters.signatures import pytree
from gradcheck.adapters.signatures.methods import input_names
from gradcheck.state import restored_at_end
from gradcheck.target import ForwardRun, Target


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

    if is_pair(thing):
        return adapt_pair(thing, arguments, params, torch.is_tensor, as_array, like)
    subject, thing = thing, thing.function if isinstance(thing, ForwardMode) else thing
    forward = getattr(thing, "apply") if isinstance(thing, type) else thing  # noqa: B009
    names = input_names(getattr(thing, "forward", forward), len(arguments) + 1)
    skip = int(isinstance(thing, type) and takes_context(thing))
    called = {
        name: torch.as_tensor(value) if isinstance(value, np.ndarray) else value
        for name, value in zip(names[skip:], arguments, strict=False)
    }
    given = {
        n: torch.as_tensor(v) if isinstance(v, np.ndarray) else v
        for name, value in called.items()
        for n, v in pytree.paths(name, value)
    }
    handed = {id(value) for value in given.values()}
    kept = {n: v for n, v in kept_tensors(thing).items() if id(v) not in handed}
    state = _TorchState(thing if isinstance(thing, torch.nn.Module) else None, kept)
    trained = {n: v for n, v in kept.items() if is_trained(v)}
    own = used(trained, lambda: forward(*called.values()), state)
    floats = {n: v for n, v in given.items() if _is_array(v) and is_differentiable(v)}
    if isinstance(subject, ForwardMode):
        return forward_mode.target(subject, called, floats, state)
    tensors = {n: as_array(v) for n, v in {**floats, **own}.items()}
    native = lowest_precision([*floats.values(), *own.values()])

    def placed(at: Tensors) -> dict[str, Any]:
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(like(at[name], parameter))
        return {n: like(at[n], v).requires_grad_() for n, v in floats.items()}

    def called_with(inputs: Mapping[str, Any]) -> Any:
        return forward(*(pytree.rebuilt(n, v, inputs) for n, v in called.items()))

    def evaluated(at: Tensors) -> tuple[dict[str, Any], Any]:
        inputs = placed(at)
        return inputs, called_with(inputs)

    def run(at: Tensors) -> ForwardRun:
        inputs, raw = evaluated(at)
        results, outputs = outputs_of(raw)
        target.rounding = rounding_of([*inputs.values(), *own.values(), *results])

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            wanted = {**inputs, **{n: p for n, p in own.items() if p.requires_grad}}
            reached = [(r, v) for r, v in zip(results, cotangents, strict=True) if r.requires_grad]
            gradients = torch.autograd.grad(
                [result for result, _ in reached],
                list(wanted.values()),
                [like(v, result) for result, v in reached],
                retain_graph=True,
                allow_unused=True,
            )
            return {
                name: np.zeros(at[name].shape) if g is None else as_array(g)
                for name, g in zip(wanted, gradients, strict=True)
            }

        return ForwardRun(
            outputs, pullback, {n: shared(v) for n, v in inputs.items()}, carried(results)
        )

    def run_wide(at: Tensors) -> ForwardRun:
        moved = {n: torch.from_numpy(np.array(at[n])) for n in tensors}
        inputs = tuple(pytree.rebuilt(n, v, moved) for n, v in called.items())
        with computing_in_float64(native):
            if own:
                parameters = {n: moved[n] for n in own}
                raw = torch.func.functional_call(thing, parameters, inputs)
            else:
                raw = forward(*inputs)
        return ForwardRun(outputs_of(raw)[1], no_gradients, {})

    def replay(at: Tensors, locate: Callable[..., None]) -> list[Array]:
        inputs = placed({n: np.asarray(at[n]).astype(v.dtype) for n, v in tensors.items()})
        standing = [(t, at[n]) for n, t in {**inputs, **own}.items()]
        arrays = followed(lambda: called_with(inputs), standing)
        return [arrays.of(result) for result in outputs_of(arrays.result)[0]]

    alone = [n for n in called if n in floats]
    first = floats[alone[0]] if alone else None
    batch = int(first.shape[0]) if first is not None and first.ndim >= 2 else 0
    target = Target.from_run(
        getattr(thing, "__name__", type(thing).__name__),
        tensors,
        within_domain(run),
        recast=lambda dtype: recast(dtype),
        roles=dict.fromkeys([*(n for n in floats if n not in called), *own], "parameter"),
        state=state,
        batch=batch,
        batch_tensors=tuple(alone) if len(alone) == len(floats) == 1 and batch else (),
        uncovered=Kept({n: v for n, v in kept.items() if n not in trained}),
        replay=replay,
    )

    def defined(name: str, analytic: Array) -> str:
        target.state.restore()
        return why_defined(lambda at: outputs_of(evaluated(at)[1])[0], tensors, name, analytic)

    def recast(dtype: type[np.floating[Any]]) -> Target | None:
        # other values can be given to what a module has registered alone
        registered = dict(thing.named_parameters()) if state.module is not None else {}
        return (
            target.computing(dtype, within_domain(run_wide))
            if own.keys() <= registered.keys()
            else None
        )

    target.by_definition = defined
    return target


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
    return [("jvp", ForwardMode(thing), tuple(arguments))] if has_jvp(thing) else []


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (matches(value) and hasattr(value, "is_floating_point"))


class _TorchState:
    """Parameters, buffers, gradients and the random generator of a module.

    And the tensors that are ``kept`` elsewhere.
    """

    def __init__(self, module: Any, kept: Mapping[str, Any]) -> None:
        import torch

        self.module = module
        own = {} if module is None else module.state_dict(keep_vars=True)
        self._saved = [(t, t.detach().clone()) for t in {**kept, **own}.values()]
        self._gradients = {} if module is None else {p: p.grad for p in module.parameters()}
        self._random = torch.random.get_rng_state()

    def restore(self, *, everything: bool = False, randomness: bool = True) -> None:
        """Put the remembered state back."""
        for parameter, gradient in self._gradients.items():
            parameter.grad = gradient
        for tensor, content in self._saved:
            tensor.detach().copy_(content)
        self.rewind(everywhere=randomness)

    def rewind(self, *, everywhere: bool = True) -> None:
        """Put back the random generator, which torch's layers share."""
        import torch

        if everywhere:
            torch.random.set_rng_state(self._random)

    def guarded(self) -> AbstractContextManager[None]:
        """Restore everything when the block ends, however it ends."""
        return restored_at_end(lambda: self.restore(everything=True))
