"""One input of a hunt, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gradcheck.report.report import Report


@dataclass(frozen=True)
class Example:
    """An input at which a layer is checked.

    Attributes
    ----------
    inputs
        What the forward is called with.
    family
        The kind of values it was drawn from, such as ``"ties"``.
    calls
        Times that the layer is used before it is checked.
    contract
        Whether the promises of the contract are checked as well.
    """

    inputs: tuple[Any, ...]
    family: str
    calls: int = 0
    contract: bool = False


class ExampleOutcome(StrEnum):
    """What came of an example: a verdict, or the layer would not have it."""

    PASS = "PASS"
    UNDECIDED = "UNDECIDED"
    FAIL = "FAIL"
    REFUSED = "REFUSED"


@dataclass(frozen=True)
class HuntTrial:
    """An example that was tried.

    Attributes
    ----------
    reason
        Why it is not PASS.
    resolution
        Smallest relative error of a gradient that would have been seen.
    error
        What the layer raised, where it refused.
    report
        Of the check along random directions, where it failed.
    """

    example: Example
    outcome: ExampleOutcome
    reason: str = ""
    resolution: float = 0.0
    error: Exception | None = None
    report: Report | None = None
