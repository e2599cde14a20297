"""Lines of a notebook, told by the cell that they are in and not by the file that runs it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from gradcheck.report.data import Explanation


def told_by_cell(explanations: Iterable[Explanation]) -> tuple[Explanation, ...]:
    """Return explanations whose lines of notebooks are told as ``cell [3], line 4``.

    IPython runs each cell as a file of a made-up name, and knows by its number which it was.
    """
    cells = {Path(file).name: f"cell [{number}]" for file, number in _numbers().items()}
    if not cells:
        return tuple(explanations)
    place = re.compile(rf"({'|'.join(map(re.escape, cells))}):(\d+)")

    def told(text: str) -> str:
        return place.sub(lambda found: f"{cells[found[1]]}, line {found[2]}", text)

    return tuple(
        replace(
            e,
            message=told(e.message),
            fix=told(e.fix),
            evidence=told(e.evidence),
            places=tuple(map(told, e.places)),
            edits=tuple(replace(edit, file=cells.get(edit.file, edit.file)) for edit in e.edits),
        )
        for e in explanations
    )


def _numbers() -> dict[str, int]:
    """Return the number of each cell that was run, by the file that it was run as."""
    current = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    return dict(getattr(getattr(current(), "compile", None), "_filename_map", {}))
