"""What to write where code is not recognised: lines that work for the very thing that was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.signatures.gradient_alignment import input_names, required_names
from gradcheck.adapters.signatures.methods import backward_of, forward_of
from gradcheck.adapters.signatures.name_tables import TRAIN_NAMES
from gradcheck.target import is_differentiable

TRIED = (
    "Tried: an object with forward and backward, a list of such layers, a network and its loss, a "
    "pair of functions (forward, backward) or (f, grad), a function returning (loss, gradient) or "
    "(y, backprop), a gradcheck.Target"
)


def unrecognised(thing: Any, arguments: Sequence[Any]) -> str:
    """Return what is missing in ``thing``, what was tried, and three lines that would work."""
    kind = type(thing).__name__
    if isinstance(thing, np.ndarray | int | float | str | dict | None):
        article = "an" if kind[0] in "aeiou" else "a"
        return (
            f"the first argument is {article} {kind}, not something that can be checked: it is the "
            f"layer, loss or function, and its inputs follow. {TRIED}. Any of these will do:\n"
            "    gradcheck.check(layer, x)               # layer.forward(x), layer.backward(grad)\n"
            "    gradcheck.check((f, f_gradient), x)     # two functions\n"
            "    gradcheck.check(loss_and_gradients, x)  # one that returns (loss, gradients)"
        )
    if isinstance(thing, list | tuple):
        return f"{_odd_one_out(thing)}. {TRIED}"
    forward, backward = forward_of(thing), backward_of(thing)
    train = next((name for name in TRAIN_NAMES if callable(getattr(thing, name, None))), None)
    if backward is None and train is not None and not callable(thing):
        return f"{kind} has no method that returns or stores gradients. {TRIED}. {_step(train)}"
    missing = "backward" if forward is not None else "forward" if backward is not None else ""
    method = getattr(forward or backward, "__name__", "")
    found = f"{kind} has {method} but no {missing}" if missing else f"a {kind} has neither"
    names = input_names(forward, len(arguments)) if forward is not None else ["x"]
    inputs = dict(zip(names, arguments, strict=False))
    call = f"it.{method}({', '.join(required_names(backward) or ['v'])})" if backward else "..."
    return f"{found}. {TRIED}. {lines(kind, inputs, f'it.{method}' if forward else '...', call)}"


def _odd_one_out(things: Sequence[Any]) -> str:
    """Say which member keeps a list from being a network."""
    kind = type(things).__name__
    for position, item in enumerate(things):
        if backward_of(item) is None or forward_of(item) is None:
            return (
                f"a {kind} of layers needs a forward and a backward in each, and item {position}, "
                f"of type {type(item).__name__}, has not both"
            )
    return f"the {kind} is empty: there is nothing to check"


def lines(name: str, inputs: Mapping[str, Any], forward: str, backward: str) -> str:
    """Return three lines that check a forward and a backward by hand.

    Parameters
    ----------
    name
        What to call the target.
    inputs
        Arguments of the forward by name.
    forward, backward
        The forward and a call of the backward, as code.
    """
    floats = [key for key, value in inputs.items() if is_differentiable(value)] or ["x"]
    values = ", ".join(f"t[{key!r}]" if key in floats else key for key in inputs or ["x"])
    tensors = ", ".join(f"{key!r}: {key}" for key in floats)
    return (
        "Three lines make it checkable (v is the gradient with respect to the output):\n"
        f"    target = gradcheck.Target({name!r}, {{{tensors}}},\n"
        f"        forward=lambda t: {forward}({values}),\n"
        f"        vjp=lambda t, v: {{{floats[0]!r}: {backward}}})"
    )


def _step(train: str) -> str:
    return (
        "A step that only updates is checked by what it changes:\n"
        f"    gradcheck.check_update(lambda: net.{train}(X, y), net.params,\n"
        "        loss=lambda: your_loss(net.predict(X), y),\n"
        "        learning_rate=0.1)  # that of the step"
    )


def returned_no_gradient(function: Callable[..., Any], raw: Any, arguments: Sequence[Any]) -> str:
    """Return what a function gave instead of (loss, gradients), and what would work."""
    name = getattr(function, "__name__", type(function).__name__)
    label = "f" if name == "<lambda>" else name
    taken = ", ".join(input_names(function, max(1, len(arguments))))
    return (
        f"{name} returned {_shape_of(raw)}, with no gradient beside it. {TRIED}. Say where the "
        "gradient is, in one of these ways:\n"
        f"    gradcheck.check(({label}, {label}_backward), {taken})"
        f"  # {label}_backward(grad_output, {taken}) -> gradients\n"
        f"    gradcheck.check(({label}, {label}_gradient), {taken})"
        f"  # {label}_gradient({taken}), where {label} is one number\n"
        f"    gradcheck.check(lambda {taken}: (loss, gradients), {taken})"
    )


def _shape_of(raw: Any) -> str:
    if isinstance(raw, np.ndarray):
        return f"an array of shape {raw.shape}"
    if isinstance(raw, tuple | list):
        return f"{len(raw)} values ({', '.join(type(part).__name__ for part in raw)})"
    return f"a {type(raw).__name__}"


def kinds_of(values: Mapping[str, Any]) -> str:
    """Say of arguments what they are: dtypes of arrays, types of other things."""
    return ", ".join(
        f"{name}: {value.dtype} array"
        if isinstance(value, np.ndarray)
        else f"{name}: {type(value).__name__}"
        for name, value in values.items()
    )
