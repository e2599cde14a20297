"""Slips in the backward pass of an object, made by the mutation tester cosmic-ray.

A slip counts where the forward gives the same numbers to the last bit and central differences say
that a gradient became wrong. All slips of the functions are put into an order by a hash, and the
first that count are taken: nobody chooses them.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import multiprocessing
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.field.item import WRONG, Item

# Operators whose changes people make by mistake; others, such as ``*`` to ``<<``, nobody does.
OPERATORS = (
    "core/NumberReplacer",
    "core/ReplaceBinaryOperator_Add_Sub",
    "core/ReplaceBinaryOperator_Sub_Add",
    "core/ReplaceBinaryOperator_Mul_Div",
    "core/ReplaceBinaryOperator_Mul_Add",
    "core/ReplaceBinaryOperator_Div_Mul",
    "core/ReplaceBinaryOperator_Pow_Mul",
    "core/ReplaceComparisonOperator_Gt_Lt",
    "core/ReplaceComparisonOperator_GtE_LtE",
    "core/ReplaceComparisonOperator_Lt_Gt",
    "core/ReplaceComparisonOperator_LtE_GtE",
    "core/ReplaceComparisonOperator_Eq_NotEq",
    "core/ReplaceTrueWithFalse",
    "core/ReplaceUnaryOperator_Delete_USub",
    "core/ZeroIterationForLoop",
)

LIMIT_OF_SLIP = 30.0  # seconds: a loop that no longer ends
TRIED = 8  # for each slip that is wanted: most that do not count are crashes


@dataclass(frozen=True)
class Candidate:
    """A change of one place of a module's source; ``root`` is the folder of its package."""

    root: str
    file: str
    operator: str
    occurrence: int
    line: int

    def order(self, item: Item) -> str:
        """Return what the slips of an object are sorted by."""
        text = f"{item.name} {Path(self.file).name} {self.operator} {self.occurrence}"
        return hashlib.sha256(text.encode()).hexdigest()


def slips(item: Item, count: int, folder: Path) -> list[dict[str, Any]]:
    """Return the first slips that count, each with the folder that puts it in force."""
    before = _compared(item)
    found: list[dict[str, Any]] = []
    candidates = sorted(candidates_of(item), key=lambda c: c.order(item))
    for number, candidate in enumerate(candidates[: TRIED * count]):
        if len(found) == count:
            break
        overlay = folder / str(number)
        after = mutate(candidate)
        put(overlay, Path(candidate.root), Path(candidate.file), after)
        result = _compared(item, str(overlay))
        if result.get("truth") == WRONG and result["output"] == before.get("output"):
            found.append({
                "overlay": str(overlay), "file": Path(candidate.file).name,
                "operator": candidate.operator, "line": candidate.line, "ratio": result["ratio"],
                "text": after.splitlines()[candidate.line - 1].strip(),
            })  # fmt: skip
    return found


def _compared(item: Item, overlay: str = "") -> dict[str, Any]:
    """Compare in a fork of this process, which has not imported the package."""
    from benchmarks.field.worker import compared

    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)

    def work() -> None:
        if overlay:
            sys.path.insert(0, overlay)
        sender.send(compared(item))

    process = fork.Process(target=work)
    process.start()
    sender.close()
    try:
        found: dict[str, Any] = receiver.recv() if receiver.poll(LIMIT_OF_SLIP) else {}
    except EOFError:  # it raised
        found = {}
    process.kill()
    process.join()
    return found


def candidates_of(item: Item) -> Iterator[Candidate]:
    """Yield every slip of the operators in the functions of an object's backward pass."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator

    for (root, file), ranges in lines_of(item).items():
        tree = list(ast_nodes(get_ast(Path(file).read_text(encoding="utf-8"))))
        for name in OPERATORS:
            operator = get_operator(name)()
            places = [place for node in tree for place in operator.mutation_positions(node)]
            for occurrence, ((line, _), _) in enumerate(places):
                if any(first <= line <= last for first, last in ranges):
                    yield Candidate(root, file, name, occurrence, line)


def mutate(candidate: Candidate) -> str:
    """Return the module's source with the slip."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    source = Path(candidate.file).read_text(encoding="utf-8")
    changed = mutate_code(source, get_operator(candidate.operator)(), candidate.occurrence)
    if changed is None:
        raise ValueError(f"{candidate} changes nothing")
    return str(changed)


def lines_of(item: Item) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """Return roots and files of the functions of the backward pass, and first and last lines."""
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for path in item.backward:
        module, _, qualified = path.partition(":")
        root, file = map(str, _place(module))
        node: Any = ast.parse(Path(file).read_text(encoding="utf-8"))
        for name in filter(None, qualified.split(".")):
            named = [
                n for n in ast.walk(node) if getattr(n, "name", None) == name and n is not node
            ]
            if not named:
                raise ValueError(f"{item.name}: {module} has no {qualified!r}")
            node = named[-1]
        found.setdefault((root, file), []).append((node.body[0].lineno, node.end_lineno))
    return found


def _place(module: str) -> tuple[Path, Path]:
    """Return where a package lies and the source of a module, without importing what holds it."""
    top, *inner = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or spec.origin is None:
        raise ValueError(f"there is no package {top!r}")
    origin = Path(spec.origin).resolve()
    if origin.name != "__init__.py":
        return origin.parent, origin
    place = origin.parent.joinpath(*inner)
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return origin.parent.parent, file


def put(overlay: Path, root: Path, file: Path, source: str) -> None:
    """Lay a package out anew, as links to what is installed but for one changed file."""
    there, to = root, overlay
    for part in file.relative_to(root).parts:
        to.mkdir(parents=True, exist_ok=True)
        if there != root:
            for other in there.iterdir():
                if other.name not in (part, "__pycache__"):
                    os.symlink(other, to / other.name)
        there, to = there / part, to / part
    to.write_text(source, encoding="utf-8")
