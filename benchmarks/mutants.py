"""Wrong layers by single random slips in the backward of right ones.

The slips are those of a mutation tester: an operator, a number, an index, a name, a statement. They
are made on the syntax tree by code of their own, which shares nothing with the search for a line to
change. A mutant counts where its forward is the right layer's and a difference quotient says that a
gradient is wrong; its label is the line that was changed and the names such a slip may go by.
"""

from __future__ import annotations

import ast
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
from benchmarks.slips import Slip, slips

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
    found: dict[str, list[Slip]] = {}
    for kind, do, undo in slips(tree):
        found.setdefault(kind, []).append((kind, do, undo))
    if not found:
        return None
    kind = sorted(found)[int(rng.integers(len(found)))]
    _, do, _ = found[kind][int(rng.integers(len(found[kind])))]
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
