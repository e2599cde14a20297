"""A counterexample as Python code that can be pasted and run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

# Entries of an array that are still printed.
MOST_ENTRIES = 1000


def snippet(
    suite: str, name: str, fn: Any, inputs: Mapping[str, Any], options: Mapping[str, Any]
) -> str:
    """Return code that asserts the property ``name`` of ``fn`` at ``inputs``."""
    known = {key: value for key, value in options.items() if value is not None}
    functions = [fn, *(value for value in known.values() if callable(value))]
    imports = sorted({line for function in functions if (line := _import_of(function))})
    assignments = [f"{key} = {_literal(value)}" for key, value in inputs.items()]
    arguments = [f'"{suite}"', f'"{name}"', _name_of(fn), *(f"{key}={key}" for key in inputs)]
    if known:
        listed = ", ".join(f'"{key}": {_literal(value)}' for key, value in known.items())
        arguments.append(f"options={{{listed}}}")
    return "\n".join(
        [
            "import numpy as np",
            "from gradcheck.properties import assert_property",
            *imports,
            "",
            *assignments,
            f"assert_property({', '.join(arguments)})",
        ]
    )


def _name_of(fn: Any) -> str:
    name = getattr(fn, "__name__", "")
    return name if name.isidentifier() else "fn"


def _import_of(fn: Any) -> str:
    module, name = getattr(fn, "__module__", "") or "", _name_of(fn)
    if module == "__main__" or getattr(sys.modules.get(module), name, None) is not fn:
        return ""
    return f"from {module} import {name}"


def _literal(value: Any) -> str:
    if isinstance(value, np.ndarray):
        dtype = "" if value.dtype == np.float64 else f", dtype=np.{value.dtype}"
        if value.size == 0:
            return f"np.empty({value.shape}{dtype})"
        if value.size > MOST_ENTRIES:
            return f"...  # an array of shape {value.shape}, too large to be printed"
        return f"np.array({_number(value.tolist())}{dtype})"
    return _name_of(value) if callable(value) else _number(value)


def _number(value: Any) -> str:
    if isinstance(value, list | tuple):
        inner = ", ".join(_number(item) for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
    if isinstance(value, float) and not np.isfinite(value):
        return "np.nan" if np.isnan(value) else f"{'-' * (value < 0)}np.inf"
    return repr(value)
