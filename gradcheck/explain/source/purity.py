"""Which of the user's functions may be run changed: those that compute, and do nothing else.

A changed condition may reach what the user's own never did. So a function that could act on the
world, or that calls one which could, is left as it is.
"""

from __future__ import annotations

import builtins
import dis
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

# Modules whose functions only compute; of NumPy and SciPy all but the names below.
COMPUTING = {
    "abc", "builtins", "cmath", "collections", "contextlib", "copy", "dataclasses", "enum",
    "functools", "itertools", "jax", "jaxlib", "math", "numbers", "numpy", "operator", "random",
    "scipy", "time", "torch", "types", "typing", "warnings",
}  # fmt: skip

# Names of functions and methods that read, write, send, or end something.
ACTING_BUILTINS = {
    "__import__", "breakpoint", "compile", "delattr", "eval", "exec", "exit", "input", "open",
    "quit",
}  # fmt: skip
ACTING = {
    "__import__", "_exit", "abort", "commit", "dump", "execute", "exit", "fork", "fromfile", "hub",
    "kill", "load", "makedirs", "memmap", "mkdir", "open", "popen", "post", "rename", "rmdir",
    "rmtree", "save", "savefig", "savetxt", "savez", "savez_compressed", "send", "sendall",
    "shutdown", "system", "terminate", "to_csv", "to_pickle", "tofile", "touch", "unlink",
    "urlopen", "write", "write_bytes", "write_text", "writelines",
}  # fmt: skip


def only_computes(code: CodeType, namespace: dict[str, Any]) -> bool:
    """Whether a function can do nothing but compute.

    Parameters
    ----------
    code
        Of the function.
    namespace
        What its names stand for; the methods of its first argument are looked at too.
    """
    first = code.co_varnames[:1] if code.co_argcount else ()
    owners = [type(namespace[name]) for name in first if name in namespace]
    return all(
        _is_harmless(name, value, {code})
        for name in _names(code)
        for value in _meanings(name, namespace, owners)
    )


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that a function and those defined within it read, data's excepted."""
    of_itself = {i.argval for i in dis.get_instructions(code) if "ATTR" not in i.opname}
    yield from (n for n in code.co_names if n not in ACTING_BUILTINS - ACTING or n in of_itself)
    yield from code.co_freevars
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _meanings(name: str, namespace: dict[str, Any], owners: list[type]) -> Iterator[Any]:
    yield namespace.get(name, getattr(builtins, name, None))
    for owner in owners:
        yield getattr(owner, name, None)


def _is_harmless(name: str, value: Any, seen: set[CodeType]) -> bool:
    if name in ACTING | ACTING_BUILTINS:
        return False
    if isinstance(value, MethodType):
        value = value.__func__
    if isinstance(value, FunctionType):
        if value.__code__ in seen or _comes_from(value, COMPUTING):
            return True
        seen.add(value.__code__)
        return all(
            _is_harmless(other, value.__globals__.get(other), seen)
            for other in _names(value.__code__)
        )
    if isinstance(value, ModuleType):
        return value.__name__.partition(".")[0] in COMPUTING
    return not isinstance(value, BuiltinFunctionType) or _comes_from(value, COMPUTING | {""})


def _comes_from(function: Any, modules: set[str]) -> bool:
    return str(getattr(function, "__module__", None) or "").partition(".")[0] in modules
