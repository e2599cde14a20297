"""Layers that take and leave all in attributes: ``layer.X = x; layer.forward(); layer.Y``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, permutations, product
from types import MethodType
from typing import Any

import numpy as np

from gradcheck.adapters.callable_target import Description, first_of
from gradcheck.adapters.conventions.layer import Methods, discovered
from gradcheck.adapters.discovery.attributes import attributes
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.error_hints import Mismatch
from gradcheck.adapters.signatures.methods import (
    Method,
    Names,
    gradient_methods,
    parameters_of,
)
from gradcheck.adapters.signatures.name_tables import OUTPUT_NAMES, is_cotangent
from gradcheck.adapters.signatures.readings import BY_NAME
from gradcheck.state import StateSnapshot, names_read
from gradcheck.values import TargetError, is_differentiable

FORM = "an object whose forward takes its input from an attribute"

# So many choices of attributes are tried: all of a layer that keeps six and takes one.
MOST_CHOICES = 40


def describe(thing: Any, arguments: Sequence[Any], params: Any = None) -> Description | Mismatch:
    """Describe an object whose methods take no arguments.

    Every attribute that the forward reads may be the input, every array that it leaves the output,
    every attribute that the backward reads the cotangent, and every array that it leaves, of the
    input's shape, its gradient; the numbers decide.

    Raises
    ------
    TargetError
        If there are none with which forward and backward go through.
    """
    names = next(iter(Names.all_of(thing)), None)
    if names is None or not arguments or not _take_nothing(thing, names):
        return Mismatch(FORM)
    snapshot = StateSnapshot([thing, *arguments])
    with snapshot.guarded():
        makers = [
            partial(_described, methods, arguments, snapshot, params)
            for methods in islice(_possible(thing, names, arguments, snapshot), MOST_CHOICES)
        ]
        snapshot.restore(everything=True)
        if not makers:
            raise TargetError(
                f"{type(thing).__name__}.{names.forward} takes no argument, and with its input in "
                "any attribute that it reads it leaves no output in another, or the backward no "
                f"gradient: let {names.forward} take the input, or return the output"
            )
        return first_of(makers)


def _described(
    methods: AttributeMethods, arguments: Sequence[Any], snapshot: StateSnapshot, params: Any
) -> Description:
    inputs = Inputs.of(methods.own_forward, arguments)
    found = discovered(methods, inputs, snapshot, params, BY_NAME)
    own = {n: p for n, p in found.parameters.items() if n not in methods.taken}
    return replace(found, parameters=own, owed=own)


def _take_nothing(thing: Any, names: Names) -> bool:
    """Whether both methods are known to take no argument: a decorator's ``*args`` may be any."""
    methods = (getattr(thing, name) for name in (names.forward, names.backward))
    return all(isinstance(m, MethodType) and parameters_of(m) == () for m in methods)


@dataclass(frozen=True, kw_only=True)
class AttributeMethods(Methods):
    """A forward and a backward that take nothing, as functions of input and cotangent.

    Attributes
    ----------
    given, output, cotangent, gradients
        The attributes that hold the inputs, the output, the cotangent, and the gradient of each
        input, ``""`` where it has none.
    further
        Methods beside the backward that leave gradients, such as those of the parameters alone.
    """

    given: tuple[str, ...]
    output: str
    cotangent: str
    gradients: tuple[str, ...]
    further: tuple[str, ...]

    @property
    def taken(self) -> tuple[str, ...]:
        """The attributes that are no parameters."""
        return (*self.given, self.output, self.cotangent, *self.gradients)

    @property
    def own_forward(self) -> Method:
        """Put the inputs in place, run the forward, and return the output."""

        def forward(*inputs: Any) -> Any:
            _run(self.owner, self.names.forward, dict(zip(self.given, inputs, strict=True)))
            return getattr(self.owner, self.output)

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        taken = [inspect.Parameter(name, kind) for name in self.given]
        setattr(forward, "__signature__", inspect.Signature(taken))  # noqa: B010
        return forward

    @property
    def own_backward(self) -> Method:
        """Put the cotangent in place and run all that leaves gradients."""

        def backward(grad_output: Any) -> Any:
            _run(self.owner, self.names.backward, {self.cotangent: grad_output})
            for name in self.further:
                getattr(self.owner, name)()
            return {
                name: getattr(self.owner, gradient)
                for name, gradient in zip(self.given, self.gradients, strict=True)
                if gradient
            }

        return backward


def _run(owner: Any, method: str, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(owner, name, value)
    getattr(owner, method)()


def _possible(
    owner: Any, names: Names, arguments: Sequence[Any], snapshot: StateSnapshot
) -> Iterator[AttributeMethods]:
    """Yield the choices of attributes with which forward and backward go through."""
    further = tuple(
        name
        for name in gradient_methods(owner)
        if name != names.backward and _take_nothing(owner, Names(name, names.backward))
    )
    values = list(Inputs.of(lambda *inputs: None, arguments).values.values())
    for given in permutations(_read(owner, names.forward), len(arguments)):
        inputs = dict(zip(given, values, strict=True))
        snapshot.restore(everything=True)
        left = _arrays_left(owner, names.forward, inputs)
        for output in sorted(left, key=lambda name: name.lower() not in OUTPUT_NAMES):
            for cotangent in _read(owner, names.backward):
                if cotangent in (*given, *left):
                    continue
                snapshot.restore(everything=True)  # no cotangent is to stay from the try before
                _run(owner, names.forward, inputs)
                taken = {cotangent: np.ones_like(getattr(owner, output))}
                for gradients in _gradients(owner, names.backward, taken, values):
                    yield AttributeMethods(
                        owner=owner, names=names, given=given, output=output,
                        cotangent=cotangent, gradients=gradients, further=further,
                    )  # fmt: skip


def _gradients(
    owner: Any, backward: str, taken: dict[str, Any], values: Sequence[Any]
) -> Iterator[tuple[str, ...]]:
    """Yield the arrays that a backward leaves, of the shape of each input where there is one."""
    left = _arrays_left(owner, backward, taken)
    alike = ([n for n in left if _alike(getattr(owner, n), v)] or [""] for v in values)
    return iter(product(*alike) if left else ())


def _arrays_left(owner: Any, method: str, values: dict[str, Any]) -> list[str]:
    """Return the other attributes that a method leaves new arrays in; none where it raises."""
    before = attributes(owner)
    try:
        _run(owner, method, values)
    except Exception:  # noqa: BLE001 (a user's code may raise anything)
        return []
    return [
        name
        for name, value in attributes(owner).items()
        if name not in values
        and isinstance(value, np.ndarray)
        and value.dtype.kind == "f"
        and value is not before.get(name)
    ]


def _alike(gradient: Any, value: Any) -> bool:
    return is_differentiable(value) and np.shape(gradient) == np.shape(value)


def _read(owner: Any, method: str) -> list[str]:
    """Return the attributes that a method may read: those that hold nothing yet first."""
    own = attributes(owner)
    code = getattr(owner, method).__func__.__code__
    read = [name for name in dict.fromkeys(names_read(code)) if not hasattr(type(owner), name)]

    def order(name: str) -> tuple[int, bool]:
        return 1 if name not in own else 2 * (own[name] is not None), not is_cotangent(name)

    return sorted(read, key=order)
