"""What to write where code is not recognised: lines that work for the very thing that was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.signatures.methods import (
    backward_of,
    forward_of,
    input_names,
    is_layer,
    required_names,
)
from gradcheck.adapters.signatures.name_tables import BACKWARD_WORDS, TRAIN_NAMES, words_of
from gradcheck.array_containers import is_array_container
from gradcheck.values import is_differentiable


@dataclass(frozen=True)
class Mismatch:
    """Why a thing is not written in one convention.

    Attributes
    ----------
    form
        What is written in this convention.
    reason
        What the thing lacks; empty where it is nothing of the kind.
    remedy
        Lines that would work.
    """

    form: str
    reason: str = ""
    remedy: str = ""


def unrecognised(thing: Any, mismatches: Sequence[Mismatch]) -> str:
    """Return what is missing in ``thing``, what was tried, and three lines that would work."""
    kind = type(thing).__name__
    article = "an" if kind[0] in "aeiou" else "a"
    nothing_of_the_kind = Mismatch(
        "",
        f"the first argument is {article} {kind}, not something that can be checked: it is the "
        "layer, loss or function, and its inputs follow",
        "Any of these will do:\n"
        "    gradcheck.check(layer, x)               # layer.forward(x), layer.backward(grad)\n"
        "    gradcheck.check((f, f_gradient), x)     # two functions\n"
        "    gradcheck.check(loss_and_gradients, x)  # one that returns (loss, gradients)",
    )
    closest = next((m for m in reversed(mismatches) if m.reason), nothing_of_the_kind)
    forms = ", ".join(dict.fromkeys([*(m.form for m in mismatches), "a gradcheck.Target"]))
    return f"{closest.reason}. Tried: {forms}. {closest.remedy}".rstrip()


def half_a_layer(form: str, thing: Any, arguments: Sequence[Any]) -> Mismatch:
    """Say which method an object lacks."""
    if isinstance(thing, np.ndarray | int | float | str | dict | list | tuple | None):
        return Mismatch(form)
    kind = type(thing).__name__
    forward, backward = forward_of(thing), backward_of(thing)
    train = next((name for name in TRAIN_NAMES if callable(getattr(thing, name, None))), None)
    if backward is None and train is not None and not callable(thing):
        reason = f"{kind} has no method that returns or stores gradients"
        return Mismatch(form, reason, _step(train))
    method = getattr(forward or backward, "__name__", "")
    if forward is not None and backward is not None:  # compiled, or data
        found = f"a {kind} keeps its parameters where they cannot be set from outside"
    elif forward is not None or backward is not None:
        missing = "backward" if backward is None else "forward"
        found = f"{kind} has {method} but no {missing}"
    else:
        found = f"a {kind} has neither"
    names = input_names(forward, len(arguments)) if forward is not None else ["x"]
    inputs = dict(zip(names, arguments, strict=False))
    called = getattr(backward, "__name__", "")
    call = f"it.{called}({', '.join(required_names(backward) or ['v'])})" if backward else "..."
    return Mismatch(form, found, lines(kind, inputs, f"it.{method}" if forward else "...", call))


def odd_one_out(form: str, things: Any) -> Mismatch:
    """Say which member keeps a list from being a network."""
    if not isinstance(things, list | tuple) or (things and all(map(is_plain_function, things))):
        return Mismatch(form)
    kind = type(things).__name__
    for position, item in enumerate(things):
        if not is_layer(item):
            return Mismatch(
                form,
                f"a {kind} of layers needs a forward and a backward in each, and item {position}, "
                f"of type {type(item).__name__}, has not both",
            )
    return Mismatch(form, f"the {kind} is empty: there is nothing to check")


def is_plain_function(thing: Any) -> bool:
    """Whether ``thing`` is a function or method, and no layer."""
    return callable(thing) and hasattr(thing, "__code__") and not is_layer(thing)


def lines(name: str, inputs: Mapping[str, Any], forward: str, backward: str) -> str:
    """Return three lines that check by hand a forward and a call of a backward, both as code."""
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


def returned_no_gradient(
    form: str, function: Callable[..., Any], raw: Any, arguments: Sequence[Any]
) -> Mismatch:
    """Say what a function returned instead of (loss, gradients), and what would work."""
    name = getattr(function, "__name__", type(function).__name__)
    label = "f" if name == "<lambda>" else name
    taken = ", ".join(input_names(function, max(1, len(arguments))))
    if BACKWARD_WORDS.intersection(words_of(name)):
        owner = getattr(function, "__self__", None)
        whole = f"    gradcheck.check({_call_of(owner)}, {taken})  # the whole\n" if owner else ""
        return Mismatch(
            form,
            f"{name} returned {_shape_of(raw)}: gradients, and not what they are the gradients of",
            f"Give the function that they are the gradients of, too:\n{whole}"
            f"    gradcheck.check((loss, {label}), {taken})  # loss({taken}) -> a number",
        )
    return Mismatch(
        form,
        f"{name} returned {_shape_of(raw)}, with no gradient beside it",
        "Say where the gradient is, in one of these ways:\n"
        f"    gradcheck.check(({label}, {label}_backward), {taken})"
        f"  # {label}_backward(grad_output, {taken}) -> gradients\n"
        f"    gradcheck.check(({label}, {label}_gradient), {taken})"
        f"  # {label}_gradient({taken}), where {label} is one number\n"
        f"    gradcheck.check(lambda {taken}: (loss, gradients), {taken})",
    )


def _call_of(owner: Any) -> str:
    """Return what the user may call an object: its class, as a name."""
    return type(owner).__name__.lower()


def nothing_to_differentiate(name: str, inputs: Mapping[str, Any]) -> str:
    """Return the message for what has neither floating-point inputs nor parameters."""
    kinds = ", ".join(f"{key}: {_kind(value)}" for key, value in inputs.items())
    return (
        f"nothing to differentiate in {name}: no input is a floating-point array (integers are "
        "taken for indices) and no parameters with gradients were found; params={'W': W} names "
        f"arrays that are read from elsewhere. Inputs: {kinds or 'none, and they follow it'}"
    )


def _kind(value: Any) -> str:
    """Say what an input is, and what of a container cannot be differentiated."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array"
    kind = type(value).__name__
    return (
        f"{kind}, not all of floats: give its numbers alone" if is_array_container(value) else kind
    )


def _shape_of(raw: Any) -> str:
    if isinstance(raw, np.ndarray):
        return f"an array of shape {raw.shape}"
    if isinstance(raw, tuple | list):
        return f"{len(raw)} values ({', '.join(type(part).__name__ for part in raw)})"
    return f"a {type(raw).__name__}"
