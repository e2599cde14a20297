"""thinc: models whose call returns the output and a callback for the backward pass."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.discovery.accessors import Accessor
from gradcheck.adapters.discovery.coverage import Coverage
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.state import StateSnapshot
from gradcheck.target import ForwardRun, Target, TargetError, as_outputs, is_differentiable

Parameters = dict[str, tuple[Any, str]]  # what to call it: the node that owns it, its name there


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a model, or a method of one such as ``model.begin_update``."""
    owner = getattr(thing, "__self__", thing)
    return any(kind.__module__ == "thinc.model" for kind in type(owner).__mro__)


def adapt(thing: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of a model; its claims are what the callback returns and accumulates.

    Parameters
    ----------
    thing
        A ``thinc.api.Model``, initialized, or its ``begin_update``.
    arguments
        The input: an array, a list or tuple of arrays, a ``Ragged`` or a ``Padded``.
    params
        Names of the parameters to check, or a dict with these as keys; None for all.

    Raises
    ------
    TargetError
        If there is not exactly one input.
    """
    model = getattr(thing, "__self__", thing)
    if len(arguments) != 1:
        raise TargetError(
            f"the model {model.name} takes one input, but {len(arguments)} were given; "
            "several go into a list or tuple: check(model, (x, y))"
        )
    parameters = parameters_of(model)
    if params is not None:
        parameters = {name: place for name, place in parameters.items() if name in params}
    return _target(model, parameters, arguments[0], asked=params is not None)


def parameters_of(model: Any) -> Parameters:
    """Return the parameters of all nodes; their names are unique and say which node it is."""
    nodes = [node for node in model.walk() if any(map(node.has_param, node.param_names))]
    alike = Counter(node.name for node in nodes)
    prefixes = [
        f"{node.name}[{position}]." if alike[node.name] > 1 else f"{node.name}."
        for position, node in enumerate(nodes)
    ]
    return {
        f"{prefix}{name}" if len(nodes) > 1 else name: (node, name)
        for prefix, node in zip(prefixes, nodes, strict=True)
        for name in node.param_names
        if node.has_param(name)
    }


def _target(model: Any, parameters: Parameters, given: Any, *, asked: bool) -> Target:
    arrays = list(_arrays(given))
    names = ["X"] if len(arrays) == 1 else [f"X[{place}]" for place in range(len(arrays))]
    tensors = {n: a for n, a in zip(names, arrays, strict=True) if is_differentiable(a)}
    own = {name: np.array(node.get_param(key)) for name, (node, key) in parameters.items()}
    batch = len(given) if isinstance(given, np.ndarray) and given.ndim >= 2 else 0

    def run(at: Tensors) -> ForwardRun:
        for name, (node, key) in parameters.items():
            node.set_param(key, np.array(at[name]))
            node.set_grad(key, np.zeros_like(at[name]))  # gradients add up
        handed = Inputs(dict(zip(names, arrays, strict=True))).arguments(at)
        raw, backprop = model.begin_update(_filled(given, iter(handed)))

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            gradient = backprop(_filled(raw, iter(cotangents)))
            claimed = zip(names, _arrays(gradient), strict=False)
            stored = {name: node.get_grad(key) for name, (node, key) in parameters.items()}
            return {name: value for name, value in claimed if name in tensors} | stored

        inputs = {n: np.asarray(a) for n, a in zip(names, handed, strict=True) if n in tensors}
        weights = {name: node.get_param(key) for name, (node, key) in parameters.items()}
        return ForwardRun(as_outputs(tuple(_arrays(raw))), pullback, inputs | weights)

    def recast(dtype: type[np.floating[Any]]) -> Target | None:
        twin, twins = model.copy(), {}
        for name, (node, key) in parameters_of(twin).items():
            if name in parameters:
                node.set_param(key, own[name].astype(dtype))
                twins[name] = (node, key)
        wide = [a.astype(dtype) if is_differentiable(a) else a for a in arrays]
        outputs, _ = twin.begin_update(_filled(given, iter(wide)))
        kept = all(output.dtype == dtype for output in _arrays(outputs))  # not by every kernel
        return _target(twin, twins, _filled(given, iter(wide)), asked=asked) if kept else None

    return Target.from_run(
        model.name,
        tensors | own,
        run,
        recast=recast,
        roles=dict.fromkeys(own, "parameter"),
        state=StateSnapshot([model, given]),
        batch=batch,
        batch_tensors=("X",) if batch and "X" in tensors else (),
        uncovered=Coverage(
            (model,),
            lambda: [Accessor([n.get_param(k)], 0, True) for n, k in parameters.values()],
            tuple(arrays),
            asked=asked,
        ),
    )


def _arrays(value: Any) -> Iterator[Array]:
    """Yield the arrays that a model takes or returns, whatever holds them."""
    if isinstance(value, list | tuple):
        for part in value:
            yield from _arrays(part)
    else:
        yield np.asarray(value if isinstance(value, np.ndarray) else value.data)


def _filled(like: Any, arrays: Iterator[Array]) -> Any:
    """Return what ``like`` is, holding other arrays."""
    if isinstance(like, list | tuple):
        return type(like)(_filled(part, arrays) for part in like)
    if isinstance(like, np.ndarray):
        return next(arrays)
    held = copy.copy(like)  # a Ragged or a Padded
    held.data = next(arrays)
    return held
