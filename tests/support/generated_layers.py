"""Layers with parameters kept anywhere, and a fault in the gradient of any one of them.

A layer is a row of steps, each with one parameter: ``tanh(h @ W)``, ``h + b`` or ``h * s``. Where
a parameter and its gradient are kept is drawn for each by itself; so is the one that is wrong.
"""

from __future__ import annotations

import dataclasses
from collections import namedtuple

import numpy as np
from hypothesis import strategies as st

SAMPLES, WIDTHS = 4, (2, 3)
FAULTS = ("zero", "missing", "sign", "factor", "one entry")
NAMES = ("W", "b", "gamma", "alpha", "kernel", "U", "shift", "table")


@dataclasses.dataclass(frozen=True)
class Leaf:
    """A parameter: its name, the step it is used in, its shape, and where it is kept."""

    name: str
    step: str
    shape: tuple[int, ...]
    home: str


class Box:
    """An object that keeps what it is given."""


def object_of(kind, name, value):
    if kind == "dataclass":
        made = dataclasses.make_dataclass("Cell", [name, (f"d{name}", object, None)])
        return made(value)
    box = type("Slotted", (), {"__slots__": (name, f"d{name}")})() if kind == "slots" else Box()
    setattr(box, name, value)
    return box


def function_reading(kind, name, value):
    """Return a function that reads ``value`` from its closure, its defaults or its module."""
    sources = {
        "closure": f"def make({name}):\n    def read():\n        return {name}\n    return read",
        "default": f"def make(value):\n    def read({name}=value):\n        return {name}\n"
        "    return read",
        "global": f"def make(value):\n    return read\ndef read():\n    return {name}",
    }
    namespace = {"__name__": __name__, name: value} if kind == "global" else {"__name__": __name__}
    exec(sources[kind], namespace)
    return namespace["make"](value)


class Home:
    """Where one parameter of a layer is kept, and where its gradient is left."""

    def __init__(self, leaf):
        self.name, self.kind, self.label = leaf.name, leaf.home, leaf.name

    def place(self, layer, value):
        name, kind = self.name, self.kind
        if kind == "attribute":
            setattr(layer, name, value)
        elif kind == "late":
            self.value = value.tolist()
        elif kind == "private":
            setattr(layer, f"_{name}", value)
        elif kind == "class":
            setattr(type(layer), name, value)
        elif kind == "dict":
            layer.params[name] = value
            layer.grads.setdefault(name, None)
        elif kind == "list":
            self.position = len(layer.weights)
            layer.weights.append(value)
            layer.dweights.append(None)
        elif kind == "tuple":
            self.position = len(layer.filters)
            layer.filters, layer.dfilters = (*layer.filters, value), (*layer.dfilters, None)
        elif kind == "nested dict":
            layer.params.setdefault("inner", {})[name] = value
            layer.grads.setdefault("inner", {})
        elif kind == "named tuple":
            layer.theta = namedtuple("Theta", name)(value)
            layer.dtheta = namedtuple("Theta", name)(None)
        elif kind == "object in list":
            layer.blocks.append(object_of("object", name, value))
            self.position = len(layer.blocks) - 1
        elif kind in ("object", "dataclass", "slots"):
            setattr(layer, f"part_{name}", object_of(kind, name, value))
        elif kind == "object in object":
            layer.outer = Box()
            layer.outer.inner = object_of("object", name, value)
        else:
            self.read = function_reading(kind, name, value)

    def get(self, layer):
        name, kind = self.name, self.kind
        if kind in ("attribute", "class"):
            return getattr(layer, name)
        if kind == "late":
            if not hasattr(layer, name):
                setattr(layer, name, np.array(self.value))
            return getattr(layer, name)
        if kind == "private":
            return getattr(layer, f"_{name}")
        if kind == "dict":
            return layer.params[name]
        if kind == "list":
            return layer.weights[self.position]
        if kind == "tuple":
            return layer.filters[self.position]
        if kind == "nested dict":
            return layer.params["inner"][name]
        if kind == "named tuple":
            return layer.theta[0]
        if kind in ("closure", "default", "global"):
            return self.read()
        return getattr(self._object(layer), name)

    def leave(self, layer, gradient):
        name, kind = self.name, self.kind
        if kind == "dict":
            layer.grads[name] = gradient
        elif kind == "list":
            layer.dweights[self.position] = gradient
        elif kind == "tuple":
            changed = list(layer.dfilters)
            changed[self.position] = gradient
            layer.dfilters = tuple(changed)
        elif kind == "nested dict":
            layer.grads["inner"][name] = gradient
        elif kind == "named tuple":
            layer.dtheta = type(layer.dtheta)(gradient)
        elif kind in ("object", "dataclass", "slots", "object in object", "object in list"):
            setattr(self._object(layer), f"d{name}", gradient)
        else:
            setattr(layer, f"_d{name}" if kind == "private" else f"d{name}", gradient)

    def _object(self, layer):
        if self.kind == "object in object":
            return layer.outer.inner
        if self.kind == "object in list":
            return layer.blocks[self.position]
        return getattr(layer, f"part_{self.name}")


IN_FUNCTIONS = ("closure", "default", "global")
LATE = "late"  # made by the first forward
ONCE = ("named tuple", "object in object")  # of these a layer has one at most
HOMES = (
    *("attribute", "private", "class", "dict", "list", "tuple", "nested dict", "named tuple"),
    *("object", "dataclass", "slots", "object in object", "object in list", *IN_FUNCTIONS),
    LATE,
)


@dataclasses.dataclass(frozen=True)
class Plan:
    """A layer to be made: its parameters, and which gradient is wrong, and how.

    ``wrong`` is the position of a parameter, -1 for the input, None where all is right.
    """

    leaves: tuple[Leaf, ...]
    wrong: int | None
    fault: str
    seed: int
    used: bool

    @property
    def wrong_name(self):
        return "x" if self.wrong == -1 else self.leaves[self.wrong].name

    def values(self):
        rng = np.random.default_rng(self.seed)
        return [rng.uniform(0.3, 0.9, leaf.shape) * signs(rng, leaf) for leaf in self.leaves]

    def x(self):
        return np.random.default_rng([self.seed, 1]).uniform(-0.9, 0.9, (SAMPLES, WIDTHS[0]))

    def spoiled(self, position, gradient):
        """Return the gradient as the layer hands it out; None where it does not."""
        if position != self.wrong:
            return gradient
        if self.fault == "missing":
            return None
        factors = {"zero": 0.0, "sign": -1.0, "factor": 1.25, "one entry": 1.0}
        factor = np.full(gradient.shape, factors[self.fault])
        if self.fault == "one entry":
            factor.flat[0] = 1.5
        return gradient * factor


def signs(rng, leaf):
    return rng.choice((-1.0, 1.0), leaf.shape) if leaf.step == "matmul" else 1.0


@st.composite
def plans(draw, homes=HOMES, faults=FAULTS, *, right=False):
    """Draw a layer with a fault in one gradient; none where ``right``."""
    names = draw(st.permutations(NAMES))
    width, leaves, homes = WIDTHS[0], [], list(homes)
    for name in names[: draw(st.integers(1, 4))]:
        step = draw(st.sampled_from(("matmul", "bias", "scale")))
        following = draw(st.sampled_from(WIDTHS)) if step == "matmul" else width
        shape = (width, following) if step == "matmul" else (width,)
        width = following
        home = draw(st.sampled_from(homes))
        homes = [other for other in homes if other != home or home not in ONCE]
        leaves.append(Leaf(name, step, shape, home))
    wrong = None if right else draw(st.integers(-1, len(leaves) - 1))
    fault = draw(st.sampled_from([f for f in faults if wrong != -1 or f != "missing"]))
    return Plan(tuple(leaves), wrong, fault, draw(st.integers(0, 99)), draw(st.booleans()))


def forward_steps(plan, values, x, tanh=np.tanh):
    """Return what goes into every step, and the output."""
    entering, h = [], x
    for leaf, value in zip(plan.leaves, values, strict=True):
        entering.append(h)
        h = {
            "matmul": lambda h, v: tanh(h @ v),
            "bias": lambda h, v: h + v,
            "scale": lambda h, v: h * v,
        }[leaf.step](h, value)
    return entering, h


def backward_steps(plan, values, entering, gradient, tanh=np.tanh):
    """Return the gradients of all parameters, and of the input."""
    found = []
    for leaf, value, h in reversed(list(zip(plan.leaves, values, entering, strict=True))):
        if leaf.step == "matmul":
            gradient = gradient * (1 - tanh(h @ value) ** 2)
            found.append(h.T @ gradient)
            gradient = gradient @ value.T
        elif leaf.step == "bias":
            found.append(gradient.sum(axis=0))
        else:
            found.append((gradient * h).sum(axis=0))
            gradient = gradient * value
    return found[::-1], gradient


def layer_of(plan):
    """Return an object with forward and backward."""
    homes = [Home(leaf) for leaf in plan.leaves]

    class Generated:
        def __init__(self):
            self.params, self.grads = {}, {}
            self.weights, self.dweights = [], []
            self.filters, self.dfilters = (), ()
            self.blocks = []
            for home, value in zip(homes, plan.values(), strict=True):
                home.place(self, value)

        def forward(self, x):
            self.entering, y = forward_steps(plan, [home.get(self) for home in homes], x)
            return y

        def backward(self, gradient):
            values = [home.get(self) for home in homes]
            found, dx = backward_steps(plan, values, self.entering, gradient)
            for position, (home, own) in enumerate(zip(homes, found, strict=True)):
                spoiled = plan.spoiled(position, own)
                if spoiled is not None:
                    home.leave(self, spoiled)
            return plan.spoiled(-1, dx)

    layer = Generated()
    if plan.used:
        layer.backward(np.ones_like(layer.forward(plan.x() / 2)))
    return layer, homes
