"""Wrong layers by single random slips in the backward of right ones.

The slips are those of a mutation tester: an operator, a number, an index, a name, a statement. They
are made on the syntax tree by code of their own, which shares nothing with the search for a line to
change. A mutant counts where its forward is the right layer's and a difference quotient says that a
gradient is wrong; its label is the line that was changed and the names such a slip may go by.
"""

from __future__ import annotations

import ast
import copy
import inspect
import linecache
import re
import sys
import textwrap
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks import layers_to_break
from benchmarks.corpus import case as of_case
from benchmarks.corpus import cases as of_corpus
from benchmarks.corpus.__main__ import breaches, wrong_tensors
from benchmarks.corpus.case import Case, Recipe
from benchmarks.corpus.drive import parameters, run

# What states a measurement is right of whatever slip leads to it.
FACTS = ("not_finite", "wrong_shape", "zero_gradient")

ANY_FORMULA = ("derivative_at_wrong_point", "path_missing", "unexplained", "region_dependent")

# What a slip of a kind may be called; a line that is told is judged by the line instead.
NAMES = {
    "sign": ("sign_flipped", "path_missing", "additive_term", "slope_wrong", *ANY_FORMULA),
    "operator": ("constant_factor", "factor_batch_size", "factor_two", *ANY_FORMULA),
    "factor": (
        "constant_factor", "factor_batch_size", "factor_two", "upstream_ignored",
        "activation_derivative_missing", "mask_not_applied", *ANY_FORMULA,
    ),
    "term": (
        "path_missing", "jacobian_diagonal_only", "additive_term", "activation_derivative_missing",
        *ANY_FORMULA,
    ),
    "number": ("constant_factor", "factor_two", "slope_wrong", "wrong_index", *ANY_FORMULA),
    "accumulate": ("overwritten_not_accumulated", "last_sample_only", "path_missing"),
    "comparison": ("wrong_mask", "sign_dependent", "slope_wrong", "region_dependent"),
    "transpose": ("transposed", "wrong_shape"),
    "in place": ("cotangent_mutated", "input_mutated", "parameters_mutated"),
    "axis": (
        "wrong_axis", "wrong_shape", "summed_to_scalar", "broadcast_not_reduced", "samples_mixed",
        "path_missing",
    ),
    "name": ("derivative_at_wrong_point", "path_missing", "swapped", *ANY_FORMULA),
    "statement": (
        "path_missing", "zero_gradient", "additive_term", "overwritten_not_accumulated",
        "last_sample_only", "activation_derivative_missing", *ANY_FORMULA,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A wrong layer, the line that was changed, and what it was before.

    ``source`` is all of it, and ``remake`` makes a case of another source.
    """

    case: Case
    line: int
    kind: str
    before: str
    after: str
    source: str
    remake: Callable[[str], Case]

    def repaired(self, fix: str) -> Case | None:
        """Return the layer with the change that ``fix`` tells; None where it tells none."""
        source = applied(self.source, fix)
        return None if source is None else self.remake(source)


TRUE = ast.Constant(True)

Slip = tuple[str, Callable[[], None], Callable[[], None]]


def mutants(count: int, seed: int = 0) -> Iterator[Mutant]:
    """Yield so many wrong layers, in turn of layers outside the corpus and of its right ones."""
    rng = np.random.default_rng(seed)
    own = [m for m in vars(layers_to_break).values() if isinstance(m, Recipe)]
    others = recipes_of_corpus()
    seen: set[tuple[str, int, str]] = set()
    found, tried = 0, 0
    while found < count and tried < 40 * count:
        tried += 1
        pool = own if tried % 2 else others
        recipe = pool[int(rng.integers(len(pool)))]
        mutant = _mutant(recipe, rng)
        if mutant is None or (key := (recipe.name, mutant.line, mutant.after)) in seen:
            continue
        seen.add(key)
        if _is_wrong(recipe, mutant):
            found += 1
            yield mutant


def recipes_of_corpus() -> list[Recipe]:
    """Return the right layers of the corpus, each with the ways in which it is broken."""
    of_corpus()  # imports its modules
    found = [
        member
        for name, module in sorted(sys.modules.items())
        if name.startswith("benchmarks.corpus.")
        for member in vars(module).values()
        if isinstance(member, Recipe)
    ]
    return list({id(recipe): recipe for recipe in found}.values())


def _mutant(recipe: Recipe, rng: np.random.Generator) -> Mutant | None:
    """Return the layer with one slip, drawn evenly among its kinds; None where there is none."""
    parts = [part for part in recipe.parts if inspect.isfunction(part) or inspect.isclass(part)]
    if len(parts) != len(recipe.parts):
        return None
    whole = ast.parse("\n\n".join(textwrap.dedent(inspect.getsource(p)) for p in parts))
    source = ast.unparse(whole)
    tree = ast.parse(source)
    slips: dict[str, list[Slip]] = {}
    for kind, do, undo in _slips(tree):
        slips.setdefault(kind, []).append((kind, do, undo))
    if not slips:
        return None
    kind = sorted(slips)[int(rng.integers(len(slips)))]
    _, do, _ = slips[kind][int(rng.integers(len(slips[kind])))]
    do()
    try:
        changed = ast.unparse(ast.fix_missing_locations(tree))
        compile(changed, "<mutant>", "exec")
    except (SyntaxError, ValueError):
        return None
    lines = source.splitlines(), changed.splitlines()
    places = [i for i, (a, b) in enumerate(zip(*lines, strict=False), 1) if a != b]
    if not places:
        return None
    first = places[0]

    def remake(text: str) -> Case:
        name = f"{recipe.name}:{kind} {zlib.crc32(text.encode()):08x}"

        def make(case_seed: int) -> tuple[Any, tuple[Any, ...]]:
            module = _module(name, text, parts[0])
            rng = np.random.default_rng([zlib.crc32(recipe.name.encode()), case_seed])
            return recipe.build(rng, *(vars(module)[part.__name__] for part in parts))

        return Case(name, make, recipe.convention, True, (*NAMES[kind], *FACTS), ("x",))

    before, after = (text[first - 1].strip() for text in lines)
    return Mutant(remake(changed), first, kind, before, after, changed, remake)


CHANGE = re.compile(r"^<[^>]*>:(\d+): `(.*)` -> `(.*)`$", re.S)
REMOVAL = re.compile(r"^<[^>]*>:(\d+): take out `(.*)`$", re.S)
ADDITION = re.compile(r"^before <[^>]*>:(\d+): put `(.*)`$", re.S)


def applied(source: str, fix: str) -> str | None:
    """Return a source with the change of one line that is told; None where none is."""
    lines = source.splitlines()
    for pattern in (CHANGE, REMOVAL, ADDITION):
        found = pattern.match(fix)
        if found is None:
            continue
        at, *parts = found.groups()
        line = lines[int(at) - 1]
        margin = line[: len(line) - len(line.lstrip())]
        if pattern is ADDITION:
            lines.insert(int(at) - 1, margin + parts[0])
        elif line.count(parts[0]) != 1:
            return None
        else:
            new = parts[1] if pattern is CHANGE else "pass"
            lines[int(at) - 1] = line.replace(parts[0], new)
        return "\n".join(lines)
    return None


def _module(name: str, source: str, like: Any) -> ModuleType:
    """Return a module made from source, which ``inspect`` can see."""
    module = ModuleType(f"mutant.{zlib.crc32(name.encode()):08x}")
    known = vars(inspect.getmodule(like))
    module.__dict__.update({k: v for k, v in known.items() if not k.startswith("__")})
    module.__file__ = f"<{name}>"
    sys.modules[module.__name__] = module
    linecache.cache[module.__file__] = (len(source), None, source.splitlines(True), module.__file__)
    exec(compile(source, module.__file__, "exec"), vars(module))
    return module


def _is_wrong(recipe: Recipe, mutant: Mutant) -> bool:
    """Whether the forward is the same, and a gradient wrong or an array of the caller's changed."""
    right = Case(recipe.name, lambda s: recipe.build(of_case._rng(recipe.name, s), *recipe.parts),
                 recipe.convention, False)  # fmt: skip
    try:
        with np.errstate(all="ignore"):
            if not _same_forward(right, mutant.case):
                return False
            in_place = mutant.kind == "in place" and bool(breaches(mutant.case))
            return in_place or bool(wrong_tensors(mutant.case))
    except Exception:
        return False


def _same_forward(right: Case, wrong: Case) -> bool:
    """Whether two layers compute the same, also with other parameters: one of zeros hides much."""
    outputs = []
    for case in (right, wrong):
        target, inputs = case.make(0)
        outputs.append([np.copy(run(case.convention, target, inputs)[0])])
        target, inputs = case.make(0)
        rng = np.random.default_rng(1)
        for get, put, _ in parameters(target).values():
            value = np.asarray(get(), dtype=float)
            put(value * rng.uniform(0.5, 1.5, value.shape) + rng.uniform(0.01, 0.1, value.shape))
        outputs[-1].append(np.copy(run(case.convention, target, inputs)[0]))
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(*outputs, strict=True))


def _slips(tree: ast.Module) -> Iterator[Slip]:
    """Yield every slip as its kind, the change and its undoing."""
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        if function.name == "__init__":
            continue
        locals_ = sorted({n.id for n in ast.walk(function)
                          if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)})  # fmt: skip
        for node in ast.walk(function):
            for child, put in _places(node):
                for kind, new in _instead(child, node, locals_):
                    yield kind, lambda put=put, new=new: put(new), lambda put=put, c=child: put(c)


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, Callable[[Any], None]]]:
    for label, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield value, lambda new, label=label: setattr(node, label, new)
        elif isinstance(value, list) and label not in ("decorator_list", "targets"):
            for i, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield item, lambda new, i=i, v=value: v.__setitem__(i, new)


def _instead(node: ast.AST, parent: ast.AST, locals_: list[str]) -> Iterator[tuple[str, ast.AST]]:
    """Yield what a slip may have put in a node's place."""
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Add | ast.Sub):
            other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            yield "sign", ast.BinOp(node.left, other, node.right)
            yield "term", node.left
            yield "term", node.right
        if isinstance(node.op, ast.Mult | ast.Div):
            other = ast.Div() if isinstance(node.op, ast.Mult) else ast.Mult()
            yield "operator", ast.BinOp(node.left, other, node.right)
            yield "factor", node.left
            if isinstance(node.op, ast.Mult):
                yield "factor", node.right
        if isinstance(node.op, ast.MatMult):
            yield "transpose", ast.BinOp(node.left, node.op, ast.Attribute(node.right, "T"))
        if isinstance(node.op, ast.Pow):
            yield "factor", node.left
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
        left, target = node.value.left, node.targets[0]
        if isinstance(left, ast.Name) and isinstance(target, ast.Name):  # d = g * m, in place
            done = ast.AugAssign(ast.Name(left.id, ast.Store()), node.value.op, node.value.right)
            named = ast.Assign([ast.Name(target.id, ast.Store())], left)
            yield "in place", done if left.id == target.id else ast.If(TRUE, [done, named], [])
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", node.operand
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose", node.value
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        swap = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE}
        if type(node.ops[0]) in swap:
            yield (
                "comparison",
                ast.Compare(node.left, [swap[type(node.ops[0])]()], node.comparators),
            )
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        is_axis = isinstance(parent, ast.keyword) and parent.arg == "axis"
        values = [1 - node.value, None] if is_axis else [node.value + 1, node.value * 2]
        for value in values:
            if value != node.value:
                yield "axis" if is_axis else "number", ast.Constant(value)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for other in locals_:
            if other != node.id and node.id in locals_:
                yield "name", ast.Name(other, ast.Load())
    elif isinstance(node, ast.AugAssign):
        yield "accumulate", ast.Assign([_as_target(node.target)], node.value)
        flip = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
        if type(node.op) in flip:
            kind = "sign" if isinstance(node.op, ast.Add | ast.Sub) else "operator"
            yield kind, ast.AugAssign(node.target, flip[type(node.op)](), node.value)
        yield "statement", ast.Pass()


def _as_target(node: ast.expr) -> ast.expr:
    return copy.deepcopy(node)
