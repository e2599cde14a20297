"""Complex arrays as two real ones each: what is measured and judged is real.

A complex tensor ``z`` becomes the tensors ``z.real`` and ``z.imag``, a complex output two outputs,
its cotangent v = v.real + i v.imag stands for the pair. The gradient of a real number L by z is
dL/d(z.real) + i dL/d(z.imag), twice Wirtinger's derivative by the conjugate of z, and the pullback
of a holomorphic f is conj(f'(z)) v: Kreutz-Delgado, "The Complex Gradient Operator and the
CR-Calculus", arXiv:0906.4835.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors

REAL, IMAGINARY = ".real", ".imag"


def is_complex(value: Any) -> bool:
    """Whether ``value`` is an array or number of complex dtype."""
    return bool(np.asarray(value).dtype.kind == "c")


def cast(value: Array, dtype: type[np.floating[Any]]) -> Array:
    """Return an array in ``dtype``, a complex one in that of twice its size."""
    return value.astype(np.result_type(dtype, np.complex64) if is_complex(value) else dtype)


def part_names(name: str) -> tuple[str, str]:
    """Return what the two parts of a complex tensor are called."""
    return name + REAL, name + IMAGINARY


def whole_names(parts: Iterable[str]) -> list[str]:
    """Return the names of the complex tensors whose two parts are among these."""
    known = set(parts)
    names = (part.removesuffix(REAL) for part in parts if part.endswith(REAL))
    return [name for name in names if known.issuperset(part_names(name))]


def with_other_parts(names: Iterable[str]) -> set[str]:
    """Return names of tensors with those of the other parts of complex ones."""
    wholes = {name.removesuffix(REAL).removesuffix(IMAGINARY) for name in names}
    return {*names, *(part for whole in wholes for part in part_names(whole))}


def by_part(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return what is known by tensor, of a complex one for both of its parts."""
    chosen = set(names)
    return {
        part: value
        for name, value in values.items()
        for part in (part_names(name) if name in chosen else (name,))
    }


def split(tensors: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return tensors, or their gradients, with two real parts for each of those named."""
    found: dict[str, Any] = {}
    chosen = set(names)
    for name, value in tensors.items():
        if name in chosen:
            whole = np.asarray(value)
            imaginary = whole.imag if is_complex(whole) else np.zeros_like(whole)
            found |= zip(part_names(name), (whole.real, imaginary), strict=True)
        else:
            found[name] = value
    return found


def joined(tensors: Tensors, names: Iterable[str]) -> dict[str, Array]:
    """Return tensors with one complex array for the two parts of each of those named."""
    parts = {part: name for name in names for part in part_names(name)}
    found: dict[str, Array] = {}
    for part, value in tensors.items():
        name = parts.get(part, part)
        if name not in found:
            real = name == part
            found[name] = value if real else complex_of(*(tensors[p] for p in part_names(name)))
    return found


def complex_of(real: Array, imaginary: Array) -> Array:
    """Return one complex array of its parts, of their precision."""
    whole = np.empty(np.shape(real), np.result_type(real, imaginary, np.complex64))
    whole.real, whole.imag = real, imaginary
    return whole


def per_part(values: Iterable[Any], outputs: Outputs) -> tuple[Any, ...]:
    """Return what is known of the outputs, twice for each that is complex."""
    pairs = zip(values, outputs, strict=True)
    return tuple(value for value, y in pairs for _ in range(1 + is_complex(y)))


def split_outputs(outputs: Outputs) -> Outputs:
    """Return the outputs with two real ones for each that is complex."""
    return tuple(
        part
        for output in outputs
        for part in ((output.real.copy(), output.imag.copy()) if is_complex(output) else (output,))
    )


def joined_cotangents(cotangents: Outputs, outputs: Outputs) -> Outputs:
    """Return a cotangent for each of the outputs, complex where that is."""
    parts = iter(cotangents)
    return tuple(
        complex_of(next(parts), next(parts)) if is_complex(output) else next(parts)
        for output in outputs
    )


def imaginary_parts(outputs: Outputs) -> tuple[bool, ...]:
    """Say which of the outputs, when they are split, are imaginary parts."""
    return tuple(part for y in outputs for part in ((False, True) if is_complex(y) else (False,)))


def all_complex(imaginary: tuple[bool, ...]) -> bool:
    """Whether all outputs are parts of complex ones, given which are imaginary parts."""
    return 2 * sum(imaginary) == len(imaginary) > 0
