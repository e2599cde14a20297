"""A change of the user's own code that was seen to make gradients right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.report.edit import Edit

if TYPE_CHECKING:
    from gradcheck.explain.source.mutations import Mutation


@dataclass(frozen=True)
class Repair:
    """A change that was seen to correct gradients, as plain data.

    Attributes
    ----------
    code, message, cost
        The bug that it corrects, by its name and in words, and the description length.
    edit, instruction
        The statement that is changed; what to do, where it is no change of one statement.
    tensors
        Those whose gradients it makes right.
    of_forward
        Whether it changes what the forward computes, so that the backward is right for it.
    rivals
        Changes of other lines, as short, that were verified as well.
    restored
        Required promises of the contract that are broken without it and kept with it.
    """

    code: str
    message: str
    cost: float
    edit: Edit
    tensors: tuple[str, ...]
    of_forward: bool = False
    instruction: str = ""
    rivals: int = 0
    restored: frozenset[str] = frozenset()

    @classmethod
    def by(
        cls, mutation: Mutation, tensors: tuple[str, ...], *, of_forward: bool = False
    ) -> Repair:
        """Return a change of the code that was tried."""
        code, message, cost = mutation.code, mutation.message, mutation.cost
        return cls(code, message, cost, mutation.edit, tensors, of_forward, mutation.instruction)

    @property
    def line(self) -> str:
        """The line to change, and how."""
        at, edit = self.edit.place, self.edit
        if self.instruction:
            return f"{at}: {self.instruction}"
        if not edit.before:
            return f"before {at}: put `{edit.after}`"
        if not edit.after:
            return f"{at}: take out `{edit.before}`"
        return f"{at}: `{edit.before}` -> `{edit.after}`"


@dataclass(frozen=True)
class Repairs:
    """What a search for changes found.

    Attributes
    ----------
    found
        The changes that together correct most.
    untried
        How many were not tried for want of time.
    note
        Why nothing was looked for, where that is so.
    places
        Where the mistake is if it is in one place, as file and line, where no change was found.
    """

    found: tuple[Repair, ...] = ()
    untried: int = 0
    note: str = ""
    places: tuple[str, ...] = ()
