"""What can be left out or moved: entries of tables, and thresholds.

A table is named in one line of `TABLES`; thresholds and lists of names are found: they are the
constants of the modules. A change is made for good, in a process that ends with the trial.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import diagnostics
import gradcheck
from gradcheck.explain.source.mutations.rewrite import Rewrite
from gradcheck.explain.source.mutations.rewrite_table import rewritten

# Kind of the entries, module and name of the table.
TABLES = (
    ("hypothesis", "gradcheck.explain.hypotheses", "ALONG_DIRECTIONS"),
    ("hypothesis", "gradcheck.explain.hypotheses", "AT_EVERY_ENTRY"),
    ("hypothesis", "gradcheck.explain.hypotheses", "ON_THE_WAY_BACK"),
    ("mutation", "gradcheck.explain.source.mutations", "OPERATORS"),
    ("mutation", "gradcheck.explain.source.mutations.rewrite_table", "REWRITES"),
    ("promise", "gradcheck.checking.contract.promise", "_PROMISES"),
    ("rule", "diagnostics.rules", "RULES"),
    ("experiment", "diagnostics.experiments.checks", "CHECKS"),
)
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*$")
# What only shapes text and pictures, and what no corpus runs.
ASIDE = ("report", "cli", "demo", "properties", "hunt", "plots", "live", "pytest_plugin")

Key = tuple[str, int, str]  # file, first line and name of a function


@dataclasses.dataclass(frozen=True)
class Item:
    """A part, the functions that a case must run to depend on it, and the change."""

    kind: str
    name: str
    readers: frozenset[Key]
    change: Callable[[], None]
    shown: str = ""


def key(code: CodeType) -> Key:
    """Return what tells a function from all others."""
    return code.co_filename, code.co_firstlineno, code.co_name


@cache
def modules() -> list[ModuleType]:
    """Return all modules of both packages that can be imported here."""
    for package in (gradcheck, diagnostics):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not info.name.endswith("__main__") and "frameworks" not in info.name:
                importlib.import_module(info.name)
    names = sorted(n for n in sys.modules if n.split(".")[0] in ("gradcheck", "diagnostics"))
    return [sys.modules[name] for name in names]


def entries() -> Iterator[Item]:
    """Yield the entries of `TABLES`, each to be left out."""
    for kind, module, name in TABLES:
        table = getattr(importlib.import_module(module), name)
        for label, entry in table.items() if isinstance(table, Mapping) else enumerate(table):
            label = label if isinstance(label, str) else _label(entry)
            change, code = partial(_without, module, name, entry), _functions(entry)
            if isinstance(entry, Rewrite):  # these are sorted by their patterns already
                change, code = partial(object.__setattr__, entry, "when", _never), [rewritten]
            yield Item(kind, f"{name}: {label}", frozenset(key(f.__code__) for f in code), change)


def _never(*_: Any) -> bool:
    return False


def _functions(entry: Any) -> list[FunctionType]:
    """Return the functions that an entry is, or has among its fields."""
    fields = [entry]
    if dataclasses.is_dataclass(entry):
        fields = [getattr(entry, f.name) for f in dataclasses.fields(entry)]
    elif isinstance(entry, tuple):
        fields = list(entry)
    return [f for f in fields if isinstance(f, FunctionType)]


def _label(entry: Any) -> str:
    if isinstance(entry, Rewrite):
        return f"{entry.pattern} -> {entry.replacement} ({entry.cost})"
    functions = _functions(entry)
    named = functions[0] if functions else entry
    place = getattr(named, "__module__", "").rpartition(".")[2]
    return f"{place}.{getattr(named, '__name__', named)}"


def _without(home: str, name: str, entry: Any) -> None:
    """Leave an entry out of a table, wherever the table is known."""
    table = vars(sys.modules[home])[name]
    if isinstance(table, dict):
        for known in [k for k, v in table.items() if v is entry]:
            del table[known]
    elif isinstance(table, list):
        table[:] = [e for e in table if e is not entry]
    else:
        _rebind(home, name, type(table)(e for e in table if e is not entry))


def _less(home: str, name: str, entry: str) -> None:
    """Leave a string out of a table."""
    table = vars(sys.modules[home])[name]
    _rebind(home, name, type(table)(e for e in table if e != entry))


def _rebind(home: str, name: str, value: Any) -> None:
    """Give a constant another value, also where it was imported."""
    for members in _holders(home, name):
        members[name] = value


@cache
def _holders(home: str, name: str) -> list[dict[str, Any]]:
    """Return the names of all modules that have a constant: its own, and those that import it."""
    value = vars(sys.modules[home])[name]
    return [
        vars(module)
        for module in modules()
        if vars(module).get(name) is value
        and (module.__name__ == home or name not in _assigned(module))
    ]


def constants(factor: float, direction: Callable[[str], int]) -> Iterator[Item]:
    """Yield thresholds, each to be multiplied by a factor or divided, and names to be left out."""
    everything = modules()
    code = {m.__name__: list(_code(m)) for m in everything}
    for module in everything:
        if set(module.__name__.split(".")) & set(ASIDE):
            continue
        for name in _assigned(module):
            value = vars(module)[name]
            readers = frozenset(
                key(c)
                for other in everything
                for c in code[other.__name__]
                if name in c.co_names and _reads(other, name, value, module, c)
            )
            if readers:
                _holders(module.__name__, name)  # before anything is changed
                yield from _items((module.__name__, name), value, readers, factor, direction)


def _items(
    where: tuple[str, str],
    value: Any,
    readers: frozenset[Key],
    factor: float,
    direction: Callable[[str], int],
) -> Iterator[Item]:
    shown = ".".join(where)
    moved = move(value, factor ** direction(shown))
    if moved is not None and repr(moved) != repr(value):
        change = partial(_rebind, *where, moved)
        yield Item("threshold", shown, readers, change, f"{value!r} -> {moved!r}"[:60])
    elif type(value) in (tuple, frozenset, set) and len(value) > 1:
        for entry in sorted(value, key=repr) if isinstance(value, set | frozenset) else value:
            if isinstance(entry, str):
                yield Item("name", f"{shown}: {entry}", readers, partial(_less, *where, entry))


def move(value: Any, factor: float) -> Any:
    """Return a number, or all numbers of a container, times a factor; None where there are none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        step = max(1, round(abs(value * factor - value)))
        return max(min(value, 1), value + step if factor > 1 else value - step)
    if isinstance(value, float):
        return value * factor
    if isinstance(value, tuple | list) and type(value) in (tuple, list) and value:
        parts = [move(v, factor) for v in value]
        return None if None in parts else type(value)(parts)
    if type(value) is dict and value:
        parts = [move(v, factor) for v in value.values()]
        return None if None in parts else dict(zip(value, parts, strict=True))
    return None


@cache
def _tree(module: ModuleType) -> ast.Module:
    file = getattr(module, "__file__", None)
    return ast.parse(Path(file).read_text() if file else "")


@cache
def _assigned(module: ModuleType) -> tuple[str, ...]:
    """Return the constants that a module itself assigns."""
    found: list[str] = []
    for statement in _tree(module).body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = getattr(statement, "targets", None) or [statement.target]
            nodes = [n for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
            found += [n.id for n in nodes if isinstance(n.ctx, ast.Store)]
    return tuple(n for n in dict.fromkeys(found) if CONSTANT.match(n) and n in vars(module))


def _code(module: ModuleType) -> Iterator[CodeType]:
    """Yield the functions of a module, without the module itself and its classes' bodies."""
    file = str(getattr(module, "__file__", ""))
    waiting = [compile(_tree(module), file, "exec")]
    while waiting:
        code = waiting.pop()
        waiting += [c for c in code.co_consts if isinstance(c, CodeType)]
        if code.co_flags & inspect.CO_OPTIMIZED:
            yield code


def _reads(other: ModuleType, name: str, value: Any, home: ModuleType, code: CodeType) -> bool:
    """Whether a name in a function of one module is the constant of another."""
    if other is home:
        return True
    if name in vars(other):
        return vars(other)[name] is value and name not in _assigned(other)
    return any(vars(other).get(n) is home for n in code.co_names)
