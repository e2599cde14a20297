"""PyTorch: modules, autograd functions, and plain functions of tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck.adapters.binding import input_names
from gradcheck.adapters.torch_arrays import (
    as_array,
    carried,
    like,
    lowest_precision,
    outputs_of,
    rounding_of,
    shared,
)
from gradcheck.adapters.torch_conventions import convention
from gradcheck.adapters.torch_wide import computing_in_float64, no_claim, within_domain
from gradcheck.target import Array, Outputs, Run, Target, Tensors


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a module, an autograd function (a class) or a tensor."""
    kinds = thing.__mro__ if isinstance(thing, type) else type(thing).__mro__
    return any(kind.__module__.partition(".")[0] == "torch" for kind in kinds)


def adapt(thing: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of ``thing``; its claims are what autograd computes with its backward.

    Parameters
    ----------
    thing
        A ``torch.nn.Module``, a ``torch.autograd.Function`` or a function of tensors.
    arguments
        Tensors, arrays, or anything else the forward takes.
    params
        Not used: the parameters are those of the module.
    """
    import torch

    forward = getattr(thing, "apply") if isinstance(thing, type) else thing  # noqa: B009
    names = input_names(getattr(thing, "forward", forward), len(arguments) + 1)
    skip = 1 if isinstance(thing, type) else 0  # the context of an autograd function
    given = {
        name: torch.as_tensor(value) if _is_array(value) else value
        for name, value in zip(names[skip:], arguments, strict=False)
    }
    own = dict(thing.named_parameters()) if isinstance(thing, torch.nn.Module) else {}
    floats = {n: v for n, v in given.items() if _is_array(v) and v.is_floating_point()}
    tensors = {n: as_array(v) for n, v in {**floats, **own}.items()}
    native = lowest_precision([*floats.values(), *own.values()])

    def called(at: Tensors) -> tuple[dict[str, Any], Any]:
        inputs = {n: like(at[n], v).requires_grad_() for n, v in floats.items()}
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(like(at[name], parameter))
        return inputs, forward(*(inputs.get(n, v) for n, v in given.items()))

    def run(at: Tensors) -> Run:
        inputs, raw = called(at)
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

        return Run(outputs, pullback, {n: shared(v) for n, v in inputs.items()}, carried(results))

    def run_wide(at: Tensors) -> Run:
        moved = {n: torch.from_numpy(np.array(at[n])) for n in tensors}
        inputs = tuple(moved.get(n, v) for n, v in given.items())
        with computing_in_float64(native):
            if own:
                parameters = {n: moved[n] for n in own}
                raw = torch.func.functional_call(thing, parameters, inputs)
            else:
                raw = forward(*inputs)
        return Run(outputs_of(raw)[1], no_claim, {})

    first = next(iter(floats.values()), None)
    batch = int(first.shape[0]) if first is not None and first.ndim >= 2 else 0
    target = Target.from_run(
        getattr(thing, "__name__", type(thing).__name__),
        tensors,
        within_domain(run),
        recast=lambda dtype: recast(dtype),
        roles=dict.fromkeys(own, "parameter"),
        state=_TorchState(thing if isinstance(thing, torch.nn.Module) else None),
        batch=batch,
        batch_tensors=tuple(floats)[:1] if len(floats) == 1 and batch else (),
    )

    def defined(name: str, claim: Array) -> str:
        target.state.restore()
        return convention(lambda at: outputs_of(called(at)[1])[0], tensors, name, claim)

    def recast(dtype: type[np.floating[Any]]) -> Target:
        return target.computing(dtype, within_domain(run_wide))

    target.convention = defined
    return target


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (matches(value) and hasattr(value, "is_floating_point"))


class _TorchState:
    """Parameters, buffers, gradients and the random generator of a module."""

    def __init__(self, module: Any) -> None:
        import torch

        self._module = module
        self._saved = (
            {} if module is None else {n: v.clone() for n, v in module.state_dict().items()}
        )
        self._gradients = {} if module is None else {p: p.grad for p in module.parameters()}
        self._random = torch.random.get_rng_state()

    def restore(self, *, everything: bool = False, randomness: bool = True) -> None:
        """Put the remembered state back."""
        if self._module is not None:
            self._module.load_state_dict(self._saved)
            for parameter, gradient in self._gradients.items():
                parameter.grad = gradient
        self.rewind(everywhere=randomness)

    def rewind(self, *, everywhere: bool = True) -> None:
        """Put back the random generator, which torch's layers share."""
        import torch

        if everywhere:
            torch.random.set_rng_state(self._random)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Restore everything when the block ends, however it ends."""
        try:
            yield
        finally:
            self.restore(everything=True)
