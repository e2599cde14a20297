"""The blocks of a page of the documentation that are Python, under their headings."""

import re

from tests.support import ROOT

SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IMPORTED = re.compile(r"^(?:import|from) (\w+)", re.MULTILINE)


def blocks(page):
    """Yield the heading, the number below it and the text of every block of Python."""
    pieces = SECTION.split((ROOT / "docs" / page).read_text(encoding="utf-8"))
    for heading, text in zip(pieces[1::2], pieces[2::2], strict=True):
        for number, block in enumerate(FENCED.findall(text)):
            yield heading, number, block


def imports(block):
    """Return the packages that a block imports."""
    return set(IMPORTED.findall(block))


def run(block, file):
    """Run a block as a file of its own, and return the names that it leaves."""
    names = {"__name__": "page"}
    exec(compile(block, file, "exec"), names)
    return names
