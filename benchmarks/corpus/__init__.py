"""Layers as users write them, right and wrong, on which the checker is measured.

Plain NumPy, in every convention that the checker promises to understand. ``cases()`` lists
them; ``python -m benchmarks.corpus`` verifies every label with central differences.
"""

from __future__ import annotations

import importlib
import pkgutil

from benchmarks.corpus.case import Case, Recipe

__all__ = ["Case", "cases"]


def cases() -> list[Case]:
    """Every case, in a fixed order: by module, then as written."""
    found: list[Case] = []
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__, f"{__name__}.")):
        if module.endswith("__main__"):
            continue
        members = vars(importlib.import_module(module)).values()
        for member in members:
            if isinstance(member, Recipe):
                found.extend(member.cases())
    return found
