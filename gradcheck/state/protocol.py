"""What a target needs of a state: to be put back as it was."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, runtime_checkable


@runtime_checkable
class State(Protocol):
    """Everything a layer remembers between calls, so that each probe starts from the same point."""

    def restore(self, *, everything: bool = False, randomness: bool = True) -> None:
        """Put the remembered state back, the global generators where ``randomness`` is True."""

    def rewind(self, *, everywhere: bool = True) -> None:
        """Put back the random generators and nothing else."""

    def guarded(self) -> AbstractContextManager[None]:
        """Restore everything when the block ends, however it ends."""


class Stateless:
    """The state of a pure function: none."""

    def restore(self, *, everything: bool = False, randomness: bool = True) -> None:
        """Do nothing."""

    def rewind(self, *, everywhere: bool = True) -> None:
        """Do nothing."""

    def guarded(self) -> AbstractContextManager[None]:
        """Guard nothing."""
        return nullcontext()
