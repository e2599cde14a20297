"""The pages of the bug catalogue: their heads and index, the code on them, and the pictures.

Run as a script, it writes the index and the head of every page as the catalogue has them, checks
the page's own code, draws the report and writes down what it shows::

    python -m scripts.bug_pages [code ...]
"""

from __future__ import annotations

import linecache
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from gradcheck.explain.catalogue import Bug
from gradcheck.report.report import Report

FOLDER = Path(__file__).parents[1] / "docs" / "bugs"

# With 256 well-spread colours a picture looks the same, at a third of the size.
PALETTE = Image.Quantize.MAXCOVERAGE

INDEX = """# The bugs that gradcheck knows by name

`report.explanations` names each bug by one of these codes. Every page says what causes it, shows
code that has it, what the error looks like, the line to change, how the bug is recognised, and what
it is easily confused with. The code on the pages is run by a test: `check` names the bug of every
page, and passes the corrected code.
{sections}
The pictures are drawn from the reports of that code by `python -m scripts.bug_pages`.
"""

# The sections of the index by the bug that each begins with, in the catalogue's order.
SECTIONS = {
    Bug.SIGN_FLIPPED: "One number too much",
    Bug.TRANSPOSED: "Sums and products",
    Bug.ZERO_GRADIENT: "The chain rule",
    Bug.MASK_NOT_APPLIED: "Branches and masks",
    Bug.SWAPPED: "Places",
    Bug.STALE_CACHE: "Between calls",
    Bug.PRECISION_LOST: "Numbers",
    Bug.UNEXPLAINED: "The rest",
    Bug.NOT_LINEAR: "Linear operators",
    Bug.BATCH_INDEPENDENT: "Promises that you may require",
}

# What the reader of a section has to know.
PREFACES = {
    Bug.BATCH_INDEPENDENT: "Reported as facts; a fault only with "
    '`check(..., contract={"batch_independent": "require"})`.\n\n'
}


@dataclass(frozen=True)
class Page:
    """A page of the catalogue.

    Attributes
    ----------
    code
        Name of the bug.
    wrong
        Source that has the bug; it ends in ``report = gradcheck.check(...)``.
    right
        The same source, changed as the page says.
    """

    code: str
    wrong: str
    right: str

    @property
    def path(self) -> Path:
        """Where the page is."""
        return FOLDER / f"{self.code}.md"

    @property
    def picture(self) -> Path:
        """Where the picture belongs."""
        return FOLDER / "pictures" / f"{self.code}.png"


def pages() -> Iterator[Page]:
    """Yield the pages in alphabetical order."""
    for path in sorted(FOLDER.glob("*.md")):
        if path.stem != "README":
            text = path.read_text()
            wrong = _fenced(text, "python")
            yield Page(path.stem, wrong, patched(wrong, _fenced(text, "diff")))


def index() -> str:
    """Return the index of the pages."""
    rows = ""
    for bug in Bug:
        if bug in SECTIONS:
            head = "| code | what is wrong |\n| --- | --- |\n"
            rows += f"\n## {SECTIONS[bug]}\n\n{PREFACES.get(bug, '')}{head}"
        rows += f"| [`{bug}`]({bug}.md) | {bug.summary} |\n"
    return INDEX.format(sections=rows)


def with_head(text: str, code: str) -> str:
    """Return a page with its name and first sentence as in the catalogue."""
    _, _, rest = text.partition("\n\n")[2].partition("\n\n")
    return f"# `{code}`\n\n{Bug(code).summary}\n\n{rest}"


def run(source: str, file: str = "page.py") -> Report:
    """Execute a page's source, as if it were a file, and return its report."""
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(source, file, "exec"), names)
    report: Report = names["report"]
    return report


def patched(source: str, diff: str) -> str:
    """Replace every run of ``-`` lines, which must occur once, by the ``+`` lines after it.

    Raises
    ------
    ValueError
        If the lines to be replaced are not in ``source``, or more than once.
    """
    for removed, added in re.findall(r"((?:^-.*\n?)+)((?:^\+.*\n?)*)", diff, re.MULTILINE):
        old, new = _unmarked(removed), _unmarked(added)
        if source.count(old) != 1:
            raise ValueError(f"occurs {source.count(old)} times, expected once:\n{old}")
        source = source.replace(old, new)
    return source


def _fenced(text: str, language: str) -> str:
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    if len(blocks) != 1:
        raise ValueError(f"{len(blocks)} blocks of {language} on the page, expected one:\n{text}")
    return str(blocks[0])


def _unmarked(lines: str) -> str:
    return "".join(f"{line[1:]}\n" for line in lines.splitlines())


def illustrate(page: Page, report: Report) -> None:
    """Draw the report of the wrong code, and write its summary on the page."""
    page.picture.parent.mkdir(exist_ok=True)
    report.save(page.picture)
    picture = Image.open(page.picture).convert("RGB").quantize(method=PALETTE)
    picture.save(page.picture, optimize=True)
    text = page.path.read_text()
    page.path.write_text(
        text.replace(f"```text\n{shown(page)}```", f"```text\n{summary(report)}```")
    )


def shown(page: Page) -> str:
    """Return what the page shows of the report."""
    return _fenced(page.path.read_text(), "text")


def summary(report: Report) -> str:
    """Return what a page is to show of a report: all that comes before the page's name."""
    head = str(report).partition("\n\n")[0]
    return head.partition("\npage ")[0] + "\n"


def main() -> None:
    """Illustrate all pages, or those whose codes are given."""
    (FOLDER / "README.md").write_text(index())
    for bug in Bug:
        path = FOLDER / f"{bug}.md"
        path.write_text(with_head(path.read_text(), bug))
    chosen = [page for page in pages() if page.code in sys.argv[1:] or len(sys.argv) == 1]
    for page in chosen:
        report = run(page.wrong, "layer.py")
        illustrate(page, report)
        print(page.code, report.verdict, [e.code for e in report.explanations])


if __name__ == "__main__":
    main()
