"""Which tensor each of the gradients that a backward returned belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.signatures.name_tables import (
    INPUT_GRADIENTS,
    gradient_keys,
    plain,
    target_likeness,
)
from gradcheck.adapters.signatures.pytree import is_container, is_plain, items, leaves, spread
from gradcheck.values import TargetError, is_differentiable

Order = Sequence[str]


def align_gradients(
    result: Any, inputs: Mapping[str, Any], parameters: Mapping[str, Any], first: str = ""
) -> dict[str, Any]:
    """Give the gradients that a backward returned the names of their tensors.

    Parameters
    ----------
    result
        What the backward returned: an array, a tuple or list, a dict, or None; gradients of a
        container of arrays are in a container like it.
    inputs
        All inputs of the forward by name, in order, differentiable or not.
    parameters
        The parameters by name, in order, should the backward return their gradients too.
    first
        The tensor that a single gradient is of; empty: the likeliest of its shape.

    Raises
    ------
    TargetError
        If there are more or fewer gradients than tensors.
    """
    return _Alignment(inputs, parameters, first).align(result)


class _Alignment:
    def __init__(
        self, inputs: Mapping[str, Any], parameters: Mapping[str, Any], first: str
    ) -> None:
        self.inputs = inputs
        self.first = [first] if first else []
        self.own = leaves(inputs)
        self.differentiable = [name for name, own in self.own.items() if own]
        self.leaves = {leaf: value for own in self.own.values() for leaf, value in own.items()}
        self.parameters = dict(parameters)

    def align(self, result: Any) -> dict[str, Any]:
        """Return the gradients by tensor."""
        if result is None:
            return {}
        if isinstance(result, Mapping):
            return self._mapping(result)
        whole = self._whole(result)
        if whole is not None:
            return whole
        if self._is_one(result):
            return self._single(np.asarray(result))
        if not isinstance(result, tuple | list):
            return self._single(result)
        given = [part for part in result if not _is_empty(part)]  # of a layer without parameters
        return self._single(given[0]) if len(given) == 1 < len(result) else self._sequence(given)

    def _whole(self, result: Any, *, strictly: bool = True) -> dict[str, Any] | None:
        """Match a container of gradients with an input that is such a container."""
        if not items(result):
            return None
        for name in self.differentiable:
            if is_container(self.inputs[name]):
                found = spread(result, self.inputs[name], self.own[name])
                if found and (_like(found, self.leaves) or not strictly):
                    return found
        return None

    def _is_one(self, result: Any) -> bool:
        """Whether a list of numbers is the gradient of one tensor, and not those of several."""
        if not (isinstance(result, tuple | list) and is_plain(result)):
            return False
        scalars = [name for name, value in self.leaves.items() if np.ndim(value) == 0]
        each = len(scalars) == len(result) and np.ndim(result[0]) == 0
        shape = _shape(result)
        return (
            not each
            and shape is not None
            and any(
                np.shape(value) == shape
                for value in (*self.leaves.values(), *self.parameters.values())
            )
        )

    def _single(self, gradient: Any) -> dict[str, Any]:
        """Match one gradient with the first tensor of its shape, a loss's targets last."""
        likely = sorted(self.leaves, key=target_likeness)
        names = [*self.first, *likely, *self.parameters]
        alike = (n for n in names if _shape(self.leaves.get(n)) == _shape(gradient))
        return {next(alike, names[0]): gradient} if names else {}

    def _mapping(self, result: Mapping[Any, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in self.differentiable:
            if not is_differentiable(self.inputs[name]):
                for candidate in (result, *_held(result, name)):
                    parts = spread(candidate, self.inputs[name], self.own[name])
                    found |= parts if parts is not None else {}
        flat = dict(_flat(result))
        for name in [*self.leaves, *self.parameters]:
            keys = (key for key in gradient_keys(name) if flat.get(key) is not None)
            key = next(keys, None) or _similar(name, flat)
            key = _own_name(name, flat) if key is None else key
            if name not in found and key is not None:
                found[name] = flat[key]
        first = next(iter(self.leaves), None)
        if first is not None and first not in found:
            key = next(
                (k for k in flat if isinstance(k, str) and plain(k) in INPUT_GRADIENTS), None
            )
            found |= {first: flat[key]} if key is not None else {}
        return found

    def _sequence(self, gradients: list[Any]) -> dict[str, Any]:
        readings = (self._read(order, gradients) for order in self._orders(len(gradients)))
        possible = (reading for reading in readings if reading is not None)
        fitting = max(possible, key=lambda reading: reading[0], default=None)
        if fitting is None:
            fitting = self._in_order(gradients)
        if fitting is not None:
            return fitting[1]
        whole = self._whole(gradients, strictly=False)
        if whole is not None:
            return whole
        raise TargetError(
            f"backward returned {len(gradients)} gradients for the inputs {list(self.inputs)}"
            f"{f' and the parameters {list(self.parameters)}' if self.parameters else ''}; "
            "return one gradient per input (None for an integer one)"
        )

    def _orders(self, count: int) -> Iterator[Order]:
        """Yield the orders in which ``count`` gradients may come, likeliest first."""
        inputs, parameters = list(self.inputs), list(self.parameters)
        orders = [
            *(inputs, self.differentiable, list(self.leaves)),
            *([*first, *parameters] for first in (inputs, self.differentiable)),
            *([*parameters, *first] for first in (inputs, self.differentiable)),
            parameters,
            *([*first, ""] for first in (inputs, self.differentiable)),
            *(["", *first] for first in (inputs, self.differentiable)),
        ]
        for order in orders:
            if len(order) == count:
                yield order

    def _read(self, order: Order, gradients: list[Any]) -> tuple[int, dict[str, Any]] | None:
        """Return how many gradients fit their tensors, and what is read then; "" stands for a rest.

        None where a gradient cannot be read at all in this order.
        """
        found: dict[str, Any] = {}
        fits = 0
        for name, gradient in zip(order, gradients, strict=True):
            if gradient is None:
                fits += not self.own.get(name, name in self.parameters)
                continue
            if name == "":
                parts = self._rest(gradient)
            elif name in self.inputs and not is_differentiable(self.inputs[name]):
                parts = spread(gradient, self.inputs[name], self.own[name])
                if parts is None and self.own[name]:
                    parts = _by_key(gradient, self.own[name])
                if not self.own[name]:
                    continue
            else:
                parts = None if items(gradient) and not _is_plain(gradient) else {name: gradient}
            if parts is None:
                return None
            found |= parts
            fits += _like(parts, self.leaves | self.parameters)
        return fits, found

    def _rest(self, gradient: Any) -> dict[str, Any] | None:
        """Match a container of gradients with all parameters."""
        if isinstance(gradient, Mapping):
            return _by_key(gradient, self.parameters)
        if not isinstance(gradient, tuple | list):
            return None
        parts = [part for _, part in items(gradient)]
        names = list(self.parameters)
        return dict(zip(names, parts, strict=True)) if len(parts) == len(names) else None

    def _in_order(self, gradients: list[Any]) -> tuple[int, dict[str, Any]] | None:
        """Match gradients with the first tensors of their shapes, in order: the rest is data."""
        left = iter({**self.leaves, **self.parameters}.items())
        found = {}
        for gradient in gradients:
            name = next((n for n, v in left if np.shape(v) == _shape(gradient)), None)
            if name is None:
                return None
            found[name] = gradient
        return len(found), found


def _is_empty(part: Any) -> bool:
    return isinstance(part, Mapping | list | tuple) and not part


def _held(result: Mapping[Any, Any], name: str) -> list[Any]:
    """Return what a dict of gradients holds under the name of one tensor."""
    return [result[key] for key in gradient_keys(name) if result.get(key) is not None]


def _flat(result: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the items of a dict of gradients, with those of the dicts in it."""
    for key, value in result.items():
        if isinstance(value, Mapping):
            yield from _flat(value)
        else:
            yield key, value


def _by_key(gradient: Any, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    if not isinstance(gradient, Mapping):
        return None
    found = {}
    for name in wanted:
        key = next((k for k in gradient_keys(name) if k in gradient), None)
        key = _own_name(name, gradient) if key is None else key
        if key is not None:
            found[name] = gradient[key]
    return found or None


def _own_name(name: str, gradients: Mapping[Any, Any]) -> str | None:
    """Return the key of the gradient of a part's parameter, by its name without the part's."""
    part, _, own = name.rpartition(".")
    return next((key for key in gradient_keys(own) if key in gradients), None) if part else None


def _similar(name: str, found: Mapping[Any, Any]) -> Any:
    """Return the key that is a gradient's name but for case."""
    wanted = {key.lower() for key in gradient_keys(name)[1:]}
    return next((k for k in found if isinstance(k, str) and k.lower() in wanted), None)


def _like(parts: Mapping[str, Any], tensors: Mapping[str, Any]) -> bool:
    return all(_shape(tensors.get(name)) == _shape(part) for name, part in parts.items())


def _is_plain(gradient: Any) -> bool:
    """Whether nested lists are one array of numbers."""
    return _shape(gradient) is not None


def _shape(gradient: Any) -> tuple[int, ...] | None:
    try:
        return tuple(np.shape(gradient))
    except ValueError:  # ragged
        return None
