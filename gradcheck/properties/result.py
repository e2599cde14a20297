"""How one property came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """How a property came out.

    ``ERRORED`` means that the function raised, which is not a wrong answer but no answer.
    """

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    EXPECTED = "expected"
    UNEXPECTEDLY_PASSED = "unexpectedly_passed"
    SKIPPED = "skipped"


BAD = frozenset({Status.FAILED, Status.ERRORED, Status.UNEXPECTEDLY_PASSED})


@dataclass(frozen=True)
class Result:
    """The outcome of one property.

    Attributes
    ----------
    name, status
        Which property, and how it came out.
    message
        All about a failure, or the reason for a skip; empty when it passed.
    counterexample
        Python code that shows the failure when pasted; empty when there is none.
    examples
        How many inputs were tried.
    parts
        The pieces of that by their labels, such as ``"got"`` and ``"cause"``.
    """

    name: str
    status: Status
    message: str = ""
    counterexample: str = ""
    examples: int = 0
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]
