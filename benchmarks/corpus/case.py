"""A case of the corpus, and the recipes that cases are cooked from.

A layer is written once, as a person would write it. A wrong layer is the same source with one
snippet replaced, so that every fault is visible as the difference it is.
"""

from __future__ import annotations

import inspect
import linecache
import sys
import textwrap
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """One target with a known answer.

    ``make(seed)`` builds a fresh ``(target, inputs)``; ``code`` holds the acceptable names of the
    bug, best first; ``tensor`` holds the wrong tensors, "x" being the first input. A ``silent``
    case is right and shows nothing, being constant there: UNDECIDED is the right answer.
    """

    name: str
    make: Callable[[int], tuple[Any, tuple[Any, ...]]]
    convention: str
    wrong: bool
    code: tuple[str, ...] = ()
    tensor: tuple[str, ...] = ()
    notes: str = ""
    silent: bool = False


@dataclass
class Recipe:
    """A right layer, its other sizes, and the ways in which it is broken."""

    name: str
    convention: str
    build: Callable[..., tuple[Any, tuple[Any, ...]]]
    parts: tuple[Any, ...]
    notes: str = ""
    sizes: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    faults: list[tuple[Case, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)

    def also(self, tag: str, notes: str = "", *, silent: bool = False, **sizes: Any) -> None:
        """Add the right layer at other sizes, dtypes or layouts."""
        self.sizes.append((tag, sizes, notes))
        if silent:
            self.silent.add(tag)

    def breaks(
        self,
        tag: str,
        old: str,
        new: str,
        code: str,
        tensor: str = "x",
        *,
        and_edit: dict[str, str] | None = None,
        notes: str = "",
        **sizes: Any,
    ) -> None:
        """Add a wrong layer: ``old`` replaced by ``new``; codes and tensors are space-separated."""
        edits = {old: new, **(and_edit or {})}
        name = f"{self.name}:{tag}"
        parts = self.parts

        def make(seed: int) -> tuple[Any, tuple[Any, ...]]:
            return self.build(_rng(name, seed), *edited(parts, edits, name), **sizes)

        case = Case(
            name, make, self.convention, True, tuple(code.split()), tuple(tensor.split()), notes
        )
        self.faults.append((case, edits, sizes))

    def cases(self) -> Iterator[Case]:
        """Every right and wrong case of this recipe."""
        for tag, sizes, notes in [("", {}, self.notes), *self.sizes]:
            name = f"{self.name}/{tag}" if tag else self.name

            def make(
                seed: int, name: str = name, sizes: dict[str, Any] = sizes
            ) -> tuple[Any, tuple[Any, ...]]:
                return self.build(_rng(name, seed), *self.parts, **sizes)

            silent = tag in self.silent
            yield Case(name, make, self.convention, False, notes=notes, silent=silent)
        for case, _, _ in self.faults:
            yield case


def recipe(name: str, convention: str, *parts: Any, notes: str = "") -> Callable[..., Recipe]:
    """Turn a function ``build(rng, *parts, **sizes) -> (target, inputs)`` into a Recipe."""
    return lambda build: Recipe(name, convention, build, parts, notes)


def edited(parts: tuple[Any, ...], edits: dict[str, str], name: str) -> list[Any]:
    """The parts with each snippet, which must occur exactly once among them, replaced."""
    sources = [textwrap.dedent(inspect.getsource(part)) for part in parts]
    whole = "\n\n".join(sources)
    for old, new in edits.items():
        if whole.count(old) != 1:
            raise ValueError(f"{name}: {old!r} occurs {whole.count(old)} times, expected once")
        whole = whole.replace(old, new)
    # A module of its own, so that inspect.getsource and pickle see the edited code.
    module = ModuleType(f"corpus_edited.{name}")
    module.__dict__.update(
        {k: v for k, v in vars(inspect.getmodule(parts[0])).items() if not k.startswith("__")}
    )
    module.__dict__["np"] = np  # an edit may be the first to need it
    module.__file__ = f"<{name}>"
    sys.modules[module.__name__] = module
    linecache.cache[module.__file__] = (len(whole), None, whole.splitlines(True), module.__file__)
    exec(compile(whole, module.__file__, "exec"), vars(module))
    return [vars(module)[part.__name__] for part in parts]


def _rng(name: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(name.encode()), seed])
