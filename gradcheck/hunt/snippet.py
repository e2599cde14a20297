"""A failing example as Python code that can be pasted and run."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import numpy as np

from gradcheck.hunt.example import Example

# Entries of an array that are still printed.
MOST_ENTRIES = 1000


def code(layer: Any, example: Example, *, made: bool) -> str:
    """Return code that checks ``layer`` at ``example``."""
    names = [f"x{i or ''}" for i in range(len(example.inputs))]
    given = ", ".join(names)
    source, expression = _expression(layer, given, made=made)
    lines = ["import numpy as np", "import gradcheck", *source, ""]
    lines += [f"{n} = {_literal(v)}" for n, v in zip(names, example.inputs, strict=True)]
    lines += [f"layer = {expression}"]
    if example.calls:
        lines.insert(2, "from gradcheck.hunt import use")
        lines.append(f"use(layer, {given}, times={example.calls})")
    return "\n".join([*lines, f"gradcheck.assert_gradients(layer, {given})"])


def _expression(layer: Any, given: str, *, made: bool) -> tuple[list[str], str]:
    """Return the imports, and the expression that stands for the layer."""
    if isinstance(layer, tuple) and all(hasattr(part, "__name__") for part in layer):
        imports = [line for part in layer for line in _import_of(part)]
        return imports, f"({', '.join(part.__name__ for part in layer)})"
    if inspect.ismethod(layer):
        owner = type(layer.__self__)
        return _import_of(owner), f"{owner.__name__}(...).{layer.__name__}  # made as yours was"
    if hasattr(layer, "__name__"):
        from gradcheck.adapters.signatures.gradient_alignment import required_names

        arguments = given if made and required_names(layer) else ""
        return _import_of(layer), f"{layer.__name__}({arguments})" if made else layer.__name__
    name = type(layer).__name__
    return _import_of(type(layer)), f"{name}(...)  # made as yours was"


def _import_of(thing: Any) -> list[str]:
    module, name = getattr(thing, "__module__", ""), getattr(thing, "__name__", "")
    found = getattr(sys.modules.get(module), name, None) if name.isidentifier() else None
    importable = found is thing and module not in ("__main__", "builtins")
    return [f"from {module} import {name}"] if importable else []


def _literal(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    dtype = "" if value.dtype == np.float64 else f", dtype=np.{value.dtype}"
    if value.size == 0:
        return f"np.empty({value.shape}{dtype})"
    if value.size > 1 and (value == value.flat[0]).all():
        return f"np.full({value.shape}, {_number(value.flat[0].item())}{dtype})"
    if value.size > MOST_ENTRIES:
        return f"report.minimal[...]  # of shape {value.shape}, too large to be printed"
    return f"np.array({_number(value.tolist())}{dtype})"


def _number(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_number, value))}]"
    if isinstance(value, float) and not np.isfinite(value):
        return "np.nan" if np.isnan(value) else f"{'-' * (value < 0)}np.inf"
    return repr(value)
