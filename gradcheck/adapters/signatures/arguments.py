"""The inputs of a forward: which are differentiable, and fresh copies of them for every call."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck._types import Array, Tensors
from gradcheck.adapters.signatures.methods import input_names, is_positional, parameters_of
from gradcheck.adapters.signatures.name_tables import TRAINING_FLAGS, is_target, target_likeness
from gradcheck.adapters.signatures.pytree import is_plain, leaves, rebuild
from gradcheck.array_containers import is_array_container, numbers_of, with_numbers
from gradcheck.numerics import real_parts
from gradcheck.state import StateSnapshot
from gradcheck.values import TargetError, is_differentiable


@dataclass(frozen=True)
class Inputs:
    """The arguments of a forward, by name and in order.

    Attributes
    ----------
    values
        The arguments.
    whole
        Names of those that were given as whole numbers, though floats do as well: their
        gradients are checked, but not owed.
    containers
        Those that were given as containers of an array: so the forward sees them.
    """

    values: Mapping[str, Any]
    whole: frozenset[str] = frozenset()
    containers: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, forward: Callable[..., Any], arguments: Sequence[Any]) -> Inputs:
        """Name the arguments of ``forward``; nested lists of floats become arrays.

        A flag that says whether the network is training is set where it was not given: the
        backward is that of training.
        """
        names = input_names(forward, len(arguments))
        given = dict(zip(names, map(_as_array, arguments), strict=True))
        containers = {
            name: value
            for name, value in zip(names, arguments, strict=True)
            if is_array_container(value) and given[name] is not value
        }
        return cls(given | _training_flags(forward, len(arguments)), containers=containers)

    @cached_property
    def leaves(self) -> dict[str, dict[str, Any]]:
        """The differentiable arrays in every argument, by argument and by their own names."""
        return leaves(self.values)

    @property
    def names(self) -> list[str]:
        """All names, in the forward's order."""
        return list(self.values)

    @property
    def tensors(self) -> dict[str, Array]:
        """The differentiable inputs, those in containers by the names of their leaves."""
        return {
            leaf: np.asarray(value) for own in self.leaves.values() for leaf, value in own.items()
        }

    @property
    def others(self) -> list[Any]:
        """The arguments that are neither arrays nor containers of them: they may keep some."""
        return [value for name, value in self.values.items() if not self.leaves[name]]

    @property
    def batch(self) -> int:
        """Number of samples: the length of the first array of two axes or more, else 0."""
        arrays = [v for v in self.values.values() if isinstance(v, np.ndarray) and v.ndim >= 1]
        return arrays[0].shape[0] if arrays and arrays[0].ndim >= 2 else 0

    @property
    def batch_tensors(self) -> tuple[str, ...]:
        """The first input, where it alone counts the samples, so that they can be left out."""
        arrays = [name for name, v in self.values.items() if isinstance(v, np.ndarray) and v.ndim]
        alone = self.batch > 0 and not any(
            isinstance(value, Sequence) and len(value) == self.batch
            for value in self.values.values()
        )
        alone = alone and all(np.shape(self.values[name])[0] != self.batch for name in arrays[1:])
        return tuple(name for name in arrays[:1] if alone and name in self.tensors)

    @property
    def alike(self) -> list[str]:
        """Arrays of one shape among which no name tells whose a single gradient is; first one not.

        Where all but one are surelier called as targets are, it is that one's.
        """
        arrays = {name: v for name, v in self.values.items() if is_differentiable(v)}
        ordered = sorted(arrays, key=target_likeness)
        if len(ordered) < 2 or target_likeness(ordered[0]) < target_likeness(ordered[1]):
            return []
        first = np.shape(arrays[ordered[0]])
        return [name for name in ordered[1:] if np.shape(arrays[name]) == first]

    def promoted(self, forward: Callable[..., Any], snapshot: StateSnapshot) -> Inputs:
        """Return the inputs with whole numbers as floats, where ``forward`` takes them so.

        Indices stay what they are: no array takes a float for one. Targets stay too.
        """
        arrays = [n for n, v in self.values.items() if isinstance(v, np.ndarray) and v.ndim > 0]
        inputs = self._with_floats(arrays, forward, snapshot)
        if inputs.tensors:
            return inputs
        # where nothing else is differentiable, plain numbers may be the point
        plain = (n for n, v in self.values.items() if _is_whole(v))
        return inputs._with_floats(plain, forward, snapshot)

    def _with_floats(
        self, names: Iterable[str], forward: Callable[..., Any], snapshot: StateSnapshot
    ) -> Inputs:
        inputs = self
        for name in names:
            value = np.asarray(self.values[name])
            if value.dtype.kind in "iu" and not is_target(name):
                values = {**inputs.values, name: value.astype(np.float64)[()]}
                floats = replace(inputs, values=values, whole=inputs.whole | {name})
                with snapshot.guarded(), np.errstate(all="ignore"):
                    try:
                        forward(*floats.arguments(floats.tensors))
                    except Exception:  # noqa: BLE001 (whatever it raises: it wants whole numbers)
                        continue
                inputs = floats
        return inputs

    def with_flags(self, forward: Callable[..., Any]) -> Iterator[Inputs]:
        """Yield the inputs, then with each flag set that ``forward`` takes and has off.

        A forward may remember what its backward needs only if it is told to: ``save=True``.
        """
        yield self
        rest = (parameters_of(forward) or ())[len(self.values) :]
        for count, parameter in enumerate(rest, 1):
            if not is_positional(parameter) or parameter.default is parameter.empty:
                return
            if parameter.default is False:
                before = {p.name: p.default for p in rest[: count - 1]}
                yield replace(self, values={**self.values, **before, parameter.name: True})

    def arguments(self, tensors: Tensors) -> list[Any]:
        """Return fresh arguments with the differentiable ones taken from ``tensors``.

        Order and layout of an array are kept, and a read-only array stays read-only.
        """
        fresh = {
            name: rebuild(original, tensors, self.leaves[name])
            for name, original in self.values.items()
        }
        for name, container in self.containers.items():
            fresh[name] = with_numbers(container, fresh[name])
        return list(fresh.values())

    def handed(self, arguments: Sequence[Any]) -> dict[str, Array]:
        """Return the very arrays in ``arguments``, by the names of the tensors."""
        given = leaves(dict(zip(self.names, map(numbers_of, arguments), strict=True)))
        return {leaf: np.asarray(value) for own in given.values() for leaf, value in own.items()}

    def owed(self, returned: Iterable[str]) -> set[str]:
        """Return the tensors in containers of which some gradient is returned: all are owed."""
        named = set(returned)
        return {
            leaf
            for name, own in self.leaves.items()
            if not is_differentiable(self.values[name]) and named & own.keys()
            for leaf in own
        }

    def cast(self, dtype: type[np.floating[Any]]) -> Inputs:
        """Return the inputs with the differentiable ones in ``dtype``."""
        cast = {name: real_parts.cast(value, dtype) for name, value in self.tensors.items()}
        arguments = zip(self.names, self.arguments(cast), strict=True)
        bare = {name: cast[name] for name, value in self.values.items() if is_differentiable(value)}
        return replace(self, values=dict(arguments) | bare, whole=frozenset())


def _training_flags(forward: Callable[..., Any], given: int) -> dict[str, Any]:
    """Return the training flags among the arguments after those given."""
    flags: dict[str, Any] = {}
    for parameter in (parameters_of(forward) or [])[given:]:
        if parameter.name.lower() not in TRAINING_FLAGS or not is_positional(parameter):
            break
        flags[parameter.name] = TRAINING_FLAGS[parameter.name.lower()]
    return flags


def _is_whole(value: Any) -> bool:
    """Whether ``value`` is a whole number, or (nested) lists of nothing else."""
    if isinstance(value, list | tuple):
        return bool(value) and all(map(_is_whole, value))
    return isinstance(value, int) and not isinstance(value, bool)


def _as_array(value: Any) -> Any:
    """Turn (nested) lists of floats and containers of numbers into arrays; leave all else.

    Raises
    ------
    TargetError
        If the numbers are of a kind that no gradient is defined for here.
    """
    if is_array_container(value):
        numbers = numbers_of(value)
        return numbers if numbers.dtype.kind in "fiu" else value
    if isinstance(value, list | tuple) and is_plain(value):
        try:
            array = np.asarray(value)
        except ValueError:  # ragged: not one array, left to the forward
            return value
        return array if array.dtype.kind in "fc" else value
    if isinstance(value, np.matrix):
        raise TargetError(
            f"an input of type {type(value).__name__} was given, whose operators mean other things "
            "than an array's: pass np.asarray(x)"
        )
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        raise TargetError(
            "an input of dtype object was given: pass one array of numbers, such as "
            "np.array(rows, dtype=float), or a list of arrays"
        )
    return copy.copy(value) if isinstance(value, list) else value
