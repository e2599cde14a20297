"""The corpus's own way to run a target, independent of the checker: claimed and numerical."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

Arrays = dict[str, Any]
GRAD_NAMES = ("d{}", "grad_{}", "{}_grad", "d_{}")


def run(case_convention: str, target: Any, inputs: tuple[Any, ...]) -> tuple[Any, Callable]:
    """The output, and a function from a cotangent to the claimed gradients by tensor name."""
    kind = case_convention.split("/")[0]
    if kind == "pair":
        forward, backward = target
        y, cache = forward(*inputs)
        return y, lambda v: dict(
            zip(input_names(forward, inputs), _many(backward(v, cache)), strict=False)
        )
    if kind == "scalar pair":
        f, grad = target
        return f(*inputs), lambda v: {"x": v * np.asarray(grad(*inputs))}
    if kind == "loss and grad":
        loss, *grads = target(*inputs)
        grads = grads[0] if len(grads) == 1 else grads
        names = input_names(target, inputs)
        return loss, lambda v: {k: v * g for k, g in zip(names, _many(grads), strict=False)}
    if kind == "callback":
        y, backprop = target(*inputs)
        return y, lambda v: _with_params(
            dict(zip(names_of(inputs), _many(backprop(v)), strict=False)), target
        )
    if kind == "loss object":
        loss = (getattr(target, "forward", None) or target)(*inputs)
        return loss, lambda v: {"x": v * target.backward()}
    if kind == "network" and hasattr(target, "loss"):
        x, labels = inputs
        loss = target.loss.forward(target.forward(x), labels)
        return loss, lambda v: _object_grads(target, inputs[:1], v * target.loss.backward())
    forward = getattr(target, "forward", None) or target
    return forward(*inputs), lambda v: _object_grads(target, inputs, v)


def _object_grads(target: Any, inputs: tuple[Any, ...], v: Any) -> Arrays:
    returned = target.backward(v)
    claimed = dict(
        zip(input_names(getattr(target, "forward", target), inputs), _many(returned), strict=False)
    )
    return _with_params(claimed, target)


def _with_params(claimed: Arrays, target: Any) -> Arrays:
    for name, (_, _, gradient) in parameters(target).items():
        claimed[name] = gradient()
    return {k: g for k, g in claimed.items() if g is not None}


def input_names(forward: Callable, inputs: tuple[Any, ...]) -> list[str]:
    names = list(inspect.signature(forward).parameters)[: len(inputs)]
    if len(names) < len(inputs):
        return names_of(inputs)
    return ["x", *names[1:]]


def names_of(inputs: tuple[Any, ...]) -> list[str]:
    return ["x", *(f"x{i}" for i in range(1, len(inputs)))]


def _many(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, tuple | list) else [value]


def parameters(target: Any, prefix: str = "") -> dict[str, tuple[Callable, Callable, Callable]]:
    """Each parameter's name with (get, set, get its gradient)."""
    found: dict[str, tuple[Callable, Callable, Callable]] = {}
    for i, layer in enumerate(getattr(target, "layers", [])):
        found |= parameters(layer, f"{prefix}layers.{i}.")
    if found:
        return found
    params = getattr(target, "params", getattr(target, "parameters", None))
    grads = getattr(target, "grads", getattr(target, "gradients", None))
    if params is not None and grads is not None and not callable(params):
        keys = params if isinstance(params, dict) else range(len(params))
        for key in keys:
            name = f"{prefix}{key}" if isinstance(params, dict) else f"{prefix}params[{key}]"
            found[name] = _item(target, key)
        return found
    attributes = vars(target) if hasattr(target, "__dict__") else {}
    for key in [k for k in attributes if k != "x"]:  # a cached input is no parameter
        for pattern in GRAD_NAMES:
            if hasattr(target, pattern.format(key)):
                found[prefix + key] = _attribute(target, key, pattern.format(key))
    return found


def _item(target: Any, key: Any) -> tuple[Callable, Callable, Callable]:
    def params() -> Any:
        return getattr(target, "params", getattr(target, "parameters", None))

    def put(value: Any) -> None:
        params()[key][...] = value

    def gradient() -> Any:
        return getattr(target, "grads", getattr(target, "gradients", None))[key]

    return lambda: params()[key], put, gradient


def _attribute(target: Any, key: str, grad: str) -> tuple[Callable, Callable, Callable]:
    def put(value: Any) -> None:
        if isinstance(getattr(target, key), np.ndarray):
            getattr(target, key)[...] = value
        else:
            setattr(target, key, float(value))

    return lambda: getattr(target, key), put, lambda: getattr(target, grad)


class Probe:
    """A case at one seed: its claimed gradients, and phi(t) along any change of a tensor."""

    def __init__(self, case: Any, seed: int = 0):
        self.convention = case.convention
        self.forwards = 0
        self.pristine = case.make(seed)
        y, pull = run(self.convention, *self.fresh())
        self.y = np.asarray(y)
        rng = np.random.default_rng(seed + 1)
        v = rng.uniform(0.5, 1.5, self.y.shape) * rng.choice([-1, 1], self.y.shape)
        fixed = self.convention.split("/")[0] in ("scalar pair", "loss and grad", "loss object")
        fixed = fixed or (self.convention.startswith("network") and self.y.ndim == 0)
        self.v = np.ones(()) if fixed else v.astype(self.y.dtype)
        self.analytic = {k: np.asarray(g) for k, g in pull(self.v.copy()).items()}

    def fresh(self) -> tuple[Any, tuple[Any, ...]]:
        return copy.deepcopy(self.pristine)

    def value(self, name: str) -> np.ndarray:
        target, inputs = self.pristine
        index = self._input_index(name)
        return np.asarray(inputs[index] if index is not None else parameters(target)[name][0]())

    def phi(self, name: str, value: np.ndarray) -> float:
        """<v, y> with one tensor replaced."""
        y = np.asarray(self.output({name: value}), dtype=np.float64)
        return float(np.sum(y * self.v))

    def output(self, values: Arrays) -> Any:
        """The output with some tensors replaced."""
        self.forwards += 1
        return run(self.convention, *self._with(values))[0]

    def pull(self, values: Arrays, v: Any) -> Arrays:
        """The claimed gradients with some tensors replaced, for the cotangent ``v``."""
        self.forwards += 1
        return run(self.convention, *self._with(values))[1](v)

    def _with(self, values: Arrays) -> tuple[Any, tuple[Any, ...]]:
        target, inputs = self.fresh()
        for name, value in values.items():
            index = self._input_index(name)
            if index is None:
                parameters(target)[name][1](value)
            else:
                inputs = (*inputs[:index], value.copy(), *inputs[index + 1 :])
        return target, inputs

    def _input_index(self, name: str) -> int | None:
        target, inputs = self.pristine
        if name == "x":
            return 0
        kind = self.convention.split("/")[0]
        callee = {"pair": lambda: target[0], "scalar pair": lambda: target[0]}.get(
            kind, lambda: getattr(target, "forward", target)
        )()
        for names in (input_names(callee, inputs), names_of(inputs)):
            if name in names and name not in parameters(target):
                return names.index(name)
        return None
