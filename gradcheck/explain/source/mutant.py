"""The program with changed functions, for as long as a block runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType

from gradcheck.explain.source.function_source import FunctionSource


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
