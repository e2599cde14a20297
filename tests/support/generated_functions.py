"""Functions of the same steps: parameters are arguments in containers, or read from outside."""

from __future__ import annotations

import dataclasses
from collections import namedtuple

from tests.support.generated_layers import (
    IN_FUNCTIONS,
    backward_steps,
    forward_steps,
    function_reading,
)

CONTAINERS = ("dict", "list", "tuple", "named tuple", "dataclass", "nested")


def container(kind, names, values):
    """Return the values in a container, as an argument of a function."""
    if kind == "dict":
        return dict(zip(names, values, strict=True))
    if kind == "list":
        return list(values)
    if kind == "tuple":
        return tuple(values)
    if kind == "named tuple":
        return namedtuple("Parameters", names)(*values)
    if kind == "dataclass":
        return dataclasses.make_dataclass("Parameters", names)(*values)
    return {"first": {names[0]: values[0]}, "rest": list(values[1:])}


def contents(kind, names, held):
    """Return the values in such a container."""
    if kind == "dict":
        return [held[name] for name in names]
    if kind == "dataclass":
        return [getattr(held, name) for name in names]
    if kind == "nested":
        return [held["first"][names[0]], *held["rest"]]
    return list(held)


def pair_of(plan, kind):
    """Return forward and backward of a container of parameters and x, and the two."""
    names = [leaf.name for leaf in plan.leaves]

    def forward(p, x):
        values = contents(kind, names, p)
        entering, y = forward_steps(plan, values, x)
        return y, (p, entering)

    def backward(gradient, cache):
        p, entering = cache
        found, dx = backward_steps(plan, contents(kind, names, p), entering, gradient)
        spoiled = [plan.spoiled(position, own) for position, own in enumerate(found)]
        return container(kind, names, spoiled), plan.spoiled(-1, dx)

    return (forward, backward), container(kind, names, plan.values()), plan.x()


def closures_of(plan):
    """Return forward and backward that read their parameters from outside, and these by name."""
    params = {leaf.name: value for leaf, value in zip(plan.leaves, plan.values(), strict=True)}
    names = list(params)
    # a home of its own for every one, as far as a function has some
    kinds = {leaf.name: IN_FUNCTIONS[i % 3] for i, leaf in enumerate(plan.leaves)}
    read = {name: function_reading(kinds[name], name, params[name]) for name in names}

    def forward(x):
        entering, y = forward_steps(plan, [read[name]() for name in names], x)
        return y, entering

    def backward(gradient, cache):
        found, dx = backward_steps(plan, [read[name]() for name in names], cache, gradient)
        spoiled = {f"d{n}": plan.spoiled(i, found[i]) for i, n in enumerate(names)}
        return {"dx": plan.spoiled(-1, dx), **{k: v for k, v in spoiled.items() if v is not None}}

    return (forward, backward), params
