"""A failing example as Python code that can be pasted and run."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from gradcheck.hunt.example import Example
from gradcheck.properties.snippet import dtype_argument, import_of, literal, number


def code(layer: Any, example: Example, *, made: bool) -> str:
    """Return code that checks ``layer`` at ``example``."""
    names = [f"x{i or ''}" for i in range(len(example.inputs))]
    given = ", ".join(names)
    source, expression = _expression(layer, given, made=made)
    lines = ["import numpy as np", "import gradcheck", *filter(None, source), ""]
    lines += [f"{n} = {_literal(v)}" for n, v in zip(names, example.inputs, strict=True)]
    lines += [f"layer = {expression}"]
    if example.calls:
        lines.insert(2, "from gradcheck.hunt import use")
        lines.append(f"use(layer, {given}, times={example.calls})")
    return "\n".join([*lines, f"gradcheck.assert_gradients(layer, {given})"])


def _expression(layer: Any, given: str, *, made: bool) -> tuple[list[str], str]:
    """Return the imports, and the expression that stands for the layer."""
    if isinstance(layer, tuple) and all(hasattr(part, "__name__") for part in layer):
        imports = [import_of(part) for part in layer]
        return imports, f"({', '.join(part.__name__ for part in layer)})"
    if inspect.ismethod(layer):
        owner = type(layer.__self__)
        return [import_of(owner)], f"{owner.__name__}(...).{layer.__name__}  # made as yours was"
    if hasattr(layer, "__name__"):
        from gradcheck.adapters.signatures.methods import required_names

        arguments = given if made and required_names(layer) else ""
        return [import_of(layer)], f"{layer.__name__}({arguments})" if made else layer.__name__
    name = type(layer).__name__
    return [import_of(type(layer))], f"{name}(...)  # made as yours was"


def _literal(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 1 and (value == value.flat[0]).all():
        return f"np.full({value.shape}, {number(value.flat[0].item())}{dtype_argument(value)})"
    return literal(value)
