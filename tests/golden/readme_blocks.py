"""The README, block by block: what language a block is in, and the commands of a shell's."""

import re
import shlex
from dataclasses import dataclass

from tests.support import ROOT

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of the README.

    Attributes
    ----------
    kind
        ``"python"``, ``"pytest"`` (Python with a test), ``"report"`` or ``"shell"``.
    text
        What stands in it.
    """

    kind: str
    text: str

    @property
    def commands(self):
        """The commands of a block of the shell, as lists of words, without comments."""
        parts = (part for line in self.text.splitlines() for part in line.split("&&"))
        return [words for part in parts if (words := shlex.split(part, comments=True))]


def blocks():
    """Return all blocks in order."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [Block(_kind(*found), found[1]) for found in FENCED.findall(text)]


def _kind(language, text):
    if language == "python":
        return "pytest" if "def test_" in text else "python"
    return "report" if re.match(r"PASS|FAIL|UNDECIDED", text) else "shell"
