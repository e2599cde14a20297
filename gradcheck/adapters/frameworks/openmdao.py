"""OpenMDAO's components and problems, and objects that are written like components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.frameworks import openmdao_problem as problems
from gradcheck.adapters.frameworks import partials
from gradcheck.adapters.frameworks.component import (
    METHODS,
    Component,
    Declaration,
    methods_of,
)
from gradcheck.state import StateSnapshot
from gradcheck.target import Target
from gradcheck.values import TargetError

# Forward products are had one by one for all axes, of so many at most.
MOST_AXES = 256


@dataclass(frozen=True)
class ForwardProducts:
    """A component, of which the products in forward mode are to be checked."""

    component: Any


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a component, a problem, or written like a component."""
    if isinstance(thing, type):
        return False
    known = problems.is_problem(thing) or isinstance(thing, ForwardProducts)
    return known or methods_of(thing) is not None


def holds(argument: Any) -> bool:
    """Whether an argument makes what takes it a component: none does."""
    return False


def adapt(thing: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of all partials that are written by hand; of a problem, of its totals.

    Parameters
    ----------
    thing
        An ``ExplicitComponent``, an ``ImplicitComponent``, a ``Problem``; or an object with
        ``compute(inputs, outputs)`` and ``compute_partials(inputs, partials)``, or with the other
        methods of such components.
    arguments
        The inputs by name, in one dict; the outputs of an implicit component in a second one.
        OpenMDAO's own have values of theirs.
    params
        Not used: a component has no parameters.

    Raises
    ------
    TargetError
        If inputs are missing or unknown, or there is no partial to check.
    """
    if problems.is_problem(thing):
        return partials.target(problems.Totals(thing, _by_name(thing, arguments, most=1)[0]))
    if isinstance(thing, ForwardProducts):
        return partials.target(replace(_component(thing.component, arguments), mode="fwd"))
    return partials.target(_component(thing, arguments))


def parts(thing: Any, arguments: Sequence[Any]) -> list[tuple[str, Any, tuple[Any, ...]]]:
    """Return the components of a problem, each at the inputs that reach it.

    Of a component with products the forward ones, beside those in reverse.

    Returns
    -------
    list of (name, thing, inputs)
        Those with partials that somebody wrote.
    """
    if isinstance(thing, type):
        return []
    if not problems.is_problem(thing):
        forward = methods_of(thing) is not None and _has_both_modes(_component(thing, arguments))
        return [("fwd", ForwardProducts(thing), tuple(arguments))] if forward else []
    problems.run(thing, _by_name(thing, arguments, most=1)[0])
    return [
        (part.pathname, part, ())
        for part in problems.components(thing)
        if methods_of(part) is not None and partials.Partials(_component(part, ())).pairs
    ]


def _component(thing: Any, arguments: Sequence[Any]) -> Component:
    """Return how a component is called, and at which point."""
    methods = methods_of(thing)
    if methods is None:
        raise TargetError(f"{type(thing).__name__} has no partials that somebody wrote")
    inputs, outputs = _by_name(thing, arguments, most=1 + (methods == METHODS[1]))
    if problems.is_component(thing):
        return _in_mode(_of_openmdao(thing, methods, inputs, outputs))
    if not inputs or (methods == METHODS[1] and not outputs):
        raise TargetError(
            f"{type(thing).__name__}: the point is not known; give the inputs by name, as in "
            "check(component, {'x': x}), and the outputs of an implicit component after them"
        )
    return _in_mode(Component(thing, methods, inputs, outputs, state=StateSnapshot([thing])))


def _in_mode(component: Component) -> Component:
    """Return a component as it gives products: in reverse, where it does, else forward."""
    forward = replace(component, mode="fwd")
    return forward if component.has_products and not _gives(component) else component


def _has_both_modes(component: Component) -> bool:
    few = sum(value.size for value in component.point.values()) <= MOST_AXES
    is_reverse = component.has_products and component.mode == "rev"
    return is_reverse and few and _gives(replace(component, mode="fwd"))


def _gives(component: Component) -> bool:
    """Whether any product is more than zero."""
    with component.state.guarded():
        try:
            return any(map(np.any, partials.claimed(component, component.point).values()))
        except Exception:  # noqa: BLE001 (of a mode that it has not, it may raise anything)
            return False


def _of_openmdao(
    thing: Any, methods: Any, inputs: Mapping[str, Array], outputs: Mapping[str, Array]
) -> Component:
    """Return a component of OpenMDAO with the values and the declarations that it keeps."""
    problems.set_up(thing)
    kept = {name: np.array(value) for name, value in thing._outputs.items()}
    declared: dict[partials.Pair, Declaration] = {}
    approximated: dict[partials.Pair, str] = {}
    for key, info in thing._subjacs_info.items():
        of, wrt = (name.rpartition(".")[2] for name in key)
        if wrt in kept and methods == METHODS[0]:
            continue  # how an explicit output is in its own residual
        if info.get("method") in ("fd", "cs"):
            approximated[of, wrt] = str(info["method"])
        elif info["dependent"]:
            declared[of, wrt] = Declaration.of(info)
    return Component(
        thing,
        methods,
        _placed(thing, inputs, {name: np.array(value) for name, value in thing._inputs.items()}),
        _placed(thing, outputs, kept),
        declared,
        approximated,
        tuple(dict(part) for part in (thing._discrete_inputs, thing._discrete_outputs) if part),
        state=StateSnapshot([thing]),
    )


def _placed(thing: Any, given: Mapping[str, Array], known: Mapping[str, Array]) -> dict[str, Array]:
    """Return the values that are known, with those given in their places."""
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise TargetError(
            f"{type(thing).__name__} has no variable {', '.join(unknown)}; expected some of "
            f"{', '.join(sorted(known))}"
        )
    return {
        name: np.array(np.broadcast_to(given.get(name, value), value.shape), value.dtype)
        for name, value in known.items()
    }


def _by_name(thing: Any, arguments: Sequence[Any], *, most: int) -> list[dict[str, Array]]:
    """Return the values that were given by name, inputs and outputs.

    Raises
    ------
    TargetError
        If something else was given.
    """
    if len(arguments) > most or not all(isinstance(given, Mapping) for given in arguments):
        raise TargetError(
            f"{type(thing).__name__} has its inputs by name: give one dict, as in "
            f"check(component, {{'x': x}}){', and outputs in a second one' if most > 1 else ''}"
        )
    found = [{name: _floating(value) for name, value in given.items()} for given in arguments]
    return [*found, {}, {}][:2]


def _floating(value: Any) -> Array:
    array = np.asarray(value)
    return array if array.dtype.kind == "f" else array.astype(np.float64)
