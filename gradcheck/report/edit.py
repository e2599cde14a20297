"""A change of the user's source, as it is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """A change of the user's source.

    Attributes
    ----------
    file, line
        Where it is: the file's name, ``"cell [3]"`` for the cell of a notebook, and the line in
        it.
    before, after
        The statement without and with the change; empty where one is put in or taken out.
    """

    file: str
    line: int
    before: str
    after: str

    @property
    def place(self) -> str:
        """File and line, as tools write them; of a notebook, cell and line."""
        between = ", line " if self.file.startswith("cell [") else ":"
        return f"{self.file}{between}{self.line}"
