"""The inputs of a forward: which are differentiable, and fresh copies of them for every call."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.binding import input_names
from gradcheck.target import Array, TargetError, Tensors, is_differentiable


@dataclass(frozen=True)
class Inputs:
    """The arguments of a forward, by name and in order."""

    values: Mapping[str, Any]

    @classmethod
    def of(cls, forward: Callable[..., Any], arguments: Sequence[Any]) -> Inputs:
        """Name the arguments of ``forward``; nested lists of floats become arrays."""
        names = input_names(forward, len(arguments))
        return cls(dict(zip(names, map(_as_array, arguments), strict=True)))

    @property
    def names(self) -> list[str]:
        """All names, in the forward's order."""
        return list(self.values)

    @property
    def tensors(self) -> dict[str, Array]:
        """The differentiable inputs."""
        return {
            name: np.asarray(value)
            for name, value in self.values.items()
            if is_differentiable(value)
        }

    @property
    def batch(self) -> int:
        """Number of samples: the length of the first array of two axes or more, else 0."""
        arrays = [v for v in self.values.values() if isinstance(v, np.ndarray) and v.ndim >= 1]
        return arrays[0].shape[0] if arrays and arrays[0].ndim >= 2 else 0

    @property
    def batch_tensors(self) -> tuple[str, ...]:
        """The first input, where it alone counts the samples, so that they can be left out."""
        arrays = [name for name, v in self.values.items() if np.ndim(v) >= 1]
        alone = self.batch > 0 and all(
            np.shape(self.values[name])[0] != self.batch for name in arrays[1:]
        )
        return tuple(name for name in arrays[:1] if alone and name in self.tensors)

    def arguments(self, tensors: Tensors) -> list[Any]:
        """Return fresh arguments with the differentiable ones taken from ``tensors``.

        Order and layout of an array are kept, and a read-only array stays read-only.
        """
        return [
            _like(original, tensors[name]) if name in tensors else copy.deepcopy(original)
            for name, original in self.values.items()
        ]

    def cast(self, dtype: type[np.floating[Any]]) -> Inputs:
        """Return the inputs with the differentiable ones in ``dtype``."""
        return Inputs(
            {
                name: np.asarray(value).astype(dtype) if is_differentiable(value) else value
                for name, value in self.values.items()
            }
        )


def _like(original: Any, value: Array) -> Any:
    if isinstance(original, float) and not isinstance(original, np.generic):
        return float(value)
    if not isinstance(original, np.ndarray):
        return value[()]
    fresh = np.array(value, order="K")
    fresh.flags.writeable = original.flags.writeable
    return fresh


def _as_array(value: Any) -> Any:
    """Turn (nested) lists of floats into an array; leave everything else as it is."""
    if isinstance(value, list | tuple):
        try:
            array = np.asarray(value)
        except ValueError:  # ragged: not one array, left to the forward
            return value
        return array if array.dtype.kind == "f" else value
    if isinstance(value, np.ndarray) and value.dtype.kind == "c":
        raise TargetError(
            f"a complex input of dtype {value.dtype} was given; gradients are checked for real "
            "tensors: pass real and imaginary part as two inputs"
        )
    return value
