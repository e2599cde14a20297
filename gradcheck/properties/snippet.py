"""A counterexample as Python code that can be pasted and run."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.properties.profile import Effort

# Entries of an array that are still printed.
MOST_ENTRIES = 1000


def snippet(
    suite: str, name: str, fn: Any, inputs: Mapping[str, Any], options: Mapping[str, Any]
) -> str:
    """Return code that asserts the property ``name`` of ``fn`` at ``inputs``."""
    known = {key: value for key, value in options.items() if value is not None}
    functions = [fn, *(value for value in known.values() if callable(value))]
    imports = sorted({line for function in functions if (line := import_of(function))})
    assignments = [_made_anew(fn)] if _name_of(fn) == "fn" else []
    assignments += [f"{key} = {literal(value)}" for key, value in inputs.items()]
    arguments = [f'"{suite}"', f'"{name}"', _name_of(fn), *(f"{key}={key}" for key in inputs)]
    if known:
        listed = ", ".join(f'"{key}": {literal(value)}' for key, value in known.items())
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


def rerun(
    suite: str,
    fn: Any,
    options: Mapping[str, Any],
    effort: Effort,
    only: Sequence[str] = (),
) -> str:
    """Return the call of `run_properties` that tries the same inputs again."""
    parts = [f'"{suite}"', _name_of(fn)]
    parts += [f"only={json.dumps(list(only))}"] if only else []
    parts += [f"examples={effort.examples}", f"seed={effort.seed}"]
    parts += [f"{key}={literal(value)}" for key, value in options.items() if value is not None]
    return f"run_properties({', '.join(parts)})"


def _home_of(fn: Any) -> tuple[str, str]:
    """Return the module that holds ``fn`` and the name it has there; empty where there is none."""
    module = getattr(fn, "__module__", "") or ""
    held = vars(sys.modules[module]) if module in sys.modules else {}
    name = getattr(fn, "__name__", "")
    if held.get(name) is fn:
        return module, name
    return module, next((key for key, value in held.items() if value is fn), "")


def _name_of(fn: Any) -> str:
    """Return the name by which the code calls ``fn``."""
    name = _home_of(fn)[1] or getattr(fn, "__name__", "")
    return name if name.isidentifier() else "fn"


def import_of(fn: Any) -> str:
    """Return the line that imports ``fn``, or the class of an object; empty where none can."""
    module, name = _home_of(fn)
    if name and module != "__main__":
        return f"from {module} import {name}"
    return "" if name or hasattr(fn, "__name__") else import_of(type(fn))


def _made_anew(fn: Any) -> str:
    """Return the assignment that makes what has no name of its own."""
    if hasattr(fn, "__name__") or isinstance(fn, tuple):
        return "fn = ...  # the function under test"
    return f"fn = {type(fn).__name__}()  # or however you made it"


def literal(value: Any) -> str:
    """Return the expression that makes ``value``."""
    if isinstance(value, np.ndarray):
        dtype = dtype_argument(value)
        if value.size == 0:
            return f"np.empty({value.shape}{dtype})"
        if value.size > MOST_ENTRIES:
            return f"...  # an array of shape {value.shape}, too large to be printed"
        return f"np.array({number(value.tolist())}{dtype})"
    return _name_of(value) if callable(value) else number(value)


def dtype_argument(value: np.ndarray[Any, Any]) -> str:
    """Return the argument that gives an array its dtype, where it is not the usual one."""
    return "" if value.dtype == np.float64 else f", dtype=np.{value.dtype}"


def number(value: Any) -> str:
    """Return a number, or numbers in lists and tuples, as they are written."""
    if isinstance(value, list | tuple):
        inner = ", ".join(number(item) for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
    if isinstance(value, float) and not np.isfinite(value):
        return "np.nan" if np.isnan(value) else f"{'-' * (value < 0)}np.inf"
    return repr(value)
