"""The user's own functions that a backward runs, as source that can be changed and run."""

from __future__ import annotations

import ast
import gc
import linecache
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

from gradcheck.explain.source.call_sites import CallSite

Definition = ast.FunctionDef | ast.Lambda

# By file, name and first line.
LiveFunctions = dict[tuple[str, str, int], list[FunctionType]]


@dataclass(eq=False)
class FunctionSource:
    """A function of the user's, as source that can be changed.

    Attributes
    ----------
    call
        Its last call.
    tree
        Its definition; a change of it is what a mutant runs.
    host
        The definition that has to be compiled anew, itself or one around it.
    functions
        The live functions of ``host``.
    """

    call: CallSite
    tree: Definition
    host: Definition
    functions: list[FunctionType]

    def compiled(self) -> CodeType:
        """Return the code of ``host`` as its tree is now; raises as `compile` does."""
        return _compiled(self.host, self.functions[0].__code__)


@dataclass(frozen=True)
class Mutant:
    """Functions with other code than their own; none of them is the program as it is."""

    codes: tuple[tuple[FunctionSource, CodeType], ...] = ()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the functions with the other code."""
        changed = [(function, code) for source, code in self.codes for function in source.functions]
        before = [function.__code__ for function, _ in changed]
        try:
            for function, code in changed:
                function.__code__ = code
            yield
        finally:
            for (function, _), own in zip(changed, before, strict=True):
                function.__code__ = own


def live_functions(modules: Collection[dict[str, Any]]) -> LiveFunctions:
    """Return all Python functions that there are of some modules, given by their globals.

    Only what refers to these is touched: a fork that counts references to all objects there are
    copies the memory of all.
    """
    found: LiveFunctions = defaultdict(list)
    for thing in gc.get_referrers(*modules):
        if type(thing) is FunctionType:  # what is asked for its class may warn, as proxies do
            code = thing.__code__
            found[code.co_filename, code.co_name, code.co_firstlineno].append(thing)
    return found


def sources_of(call: CallSite, live: LiveFunctions) -> Iterator[FunctionSource]:
    """Yield a function with its source, for every definition that may have to be compiled anew.

    The innermost comes first. One that is made anew in every forward is reached only by changing
    the one that makes it. There is none where the source is not at hand or is another's.

    Parameters
    ----------
    call
        The function.
    live
        All functions of its module, as `live_functions` finds them.
    """
    for around in _around(call.code):
        for host in reversed(around):
            named = live.get((call.code.co_filename, _name(host), _first_line(host)), [])
            functions = [f for f in named if _is_of(host, f.__code__)]
            if functions:
                yield FunctionSource(call, around[-1], host, functions)


def _around(code: CodeType) -> Iterator[list[Definition]]:
    """Yield the definitions that ``code`` may come from, each after those around it."""
    tree = _parsed(code.co_filename)
    queue: list[tuple[ast.AST, list[Definition]]] = [] if tree is None else [(tree, [])]
    while queue:
        node, path = queue.pop()
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            path = [*path, node]
            if (_name(node), _first_line(node)) == (code.co_name, code.co_firstlineno):
                yield path
        queue += [(child, path) for child in ast.iter_child_nodes(node)]


def _parsed(file: str) -> ast.Module | None:
    """Return the tree of a file, the same one as long as the file is the same."""
    linecache.checkcache(file)
    return _tree("".join(linecache.getlines(file)))


@lru_cache(maxsize=32)
def _tree(source: str) -> ast.Module | None:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    return tree if tree.body else None


def _first_line(node: Definition) -> int:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _name(node: Definition) -> str:
    return node.name if isinstance(node, ast.FunctionDef) else "<lambda>"


def _is_of(node: Definition, code: CodeType) -> bool:
    """Whether ``code`` is that of a definition: a file may have changed since it was read."""
    try:
        compiled = _compiled(node, code)
    except (SyntaxError, ValueError, TypeError, RecursionError):
        return False
    return (compiled.co_code, compiled.co_names, compiled.co_freevars) == (
        code.co_code,
        code.co_names,
        code.co_freevars,
    )


def _compiled(node: Definition, code: CodeType) -> CodeType:
    """Compile a definition as the code of a function like ``code``.

    It stands where the names that it shares with a function around it are known, and, for a
    method, within a class of its name, so that private names are spelled as they were. The imports
    are those of its file: methods of a module that is imported compile to other instructions.
    """
    bare: Any
    if isinstance(node, ast.FunctionDef):
        bare = ast.FunctionDef(node.name, node.args, node.body, [], None, None)
    else:
        bare = ast.Expr(node)
    ast.copy_location(bare, node)
    owner = code.co_qualname.split(".")[-2:-1]
    if owner and owner != ["<locals>"]:
        bare = _holding(f"class {owner[0]}: pass", bare)
    # a function that calls itself, or a method that names its class, finds them among the globals
    own = {getattr(bare, "name", "")} - {"", *code.co_freevars}
    around = [f" global {name}" for name in own]
    around += [f" {name} = None" for name in code.co_freevars if name != "__class__"]
    outer = _holding("\n".join(["def outer():", *around, " pass"]), bare)
    tree = _parsed(code.co_filename) or ast.Module([], [])
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    module = ast.Module([*imports, outer], [])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # a change may be as odd as a call of 1
        queue = [compile(module, code.co_filename, "exec", dont_inherit=True)]
    while queue:
        made = queue.pop(0)
        if (made.co_name, made.co_firstlineno) == (code.co_name, node.lineno):
            return made.replace(co_firstlineno=code.co_firstlineno)
        queue += [constant for constant in made.co_consts if isinstance(constant, CodeType)]
    raise ValueError(f"{code.co_name} is not among what was compiled")


def _holding(source: str, statement: ast.stmt) -> ast.stmt:
    """Return a definition with a statement in place of its last."""
    definition: Any = ast.parse(source).body[0]
    definition.body[-1] = statement
    return definition  # type: ignore[no-any-return]
