"""What a run of a suite found: one result per property, as a table, a dict or JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

SCHEMA_VERSION = 1


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
        The whole story of a failure, or the reason for a skip; empty when it passed.
    counterexample
        Python code that shows the failure when pasted; empty when there is none.
    examples
        How many inputs were tried.
    """

    name: str
    status: Status
    message: str = ""
    counterexample: str = ""
    examples: int = 0


@dataclass(frozen=True)
class SuiteReport:
    """The outcome of a suite on one function.

    Attributes
    ----------
    suite, subject
        Names of the suite and of the function under test.
    results
        One `Result` per property that was asked for, in the suite's order.
    facts
        What was found out about the function by asking it, such as whether it takes an axis.
    """

    suite: str
    subject: str
    results: tuple[Result, ...]
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing failed and something passed: an empty run has shown nothing."""
        statuses = {result.status for result in self.results}
        return not statuses & BAD and Status.PASSED in statuses

    def __getitem__(self, name: str) -> Result:
        return {result.name: result for result in self.results}[name]

    def raise_if_failed(self) -> None:
        """Raise AssertionError carrying the whole report unless it is ok."""
        if not self.ok:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        lines = [self.summary()]
        lines += [f"  {key}: {value}" for key, value in self.facts.items()]
        width = max((len(result.name) for result in self.results), default=0)
        status_width = max((len(result.status) for result in self.results), default=0)
        for result in self.results:
            first_line = result.message.partition("\n")[0]
            lines.append(
                f"  {result.name:<{width}}  {result.status:<{status_width}}  {first_line}".rstrip()
            )
        for result in self.results:
            if result.status in BAD:
                lines += ["", f"{result.name}: {result.message}"]
        return "\n".join(lines)

    def summary(self) -> str:
        """Return one line: the suite, the function and the counts."""
        counts = Counter(result.status for result in self.results)
        told = ", ".join(
            f"{counts[status]} {status.replace('_', ' ')}" for status in Status if counts[status]
        )
        return f"{self.suite} properties of {self.subject}: {told or 'none ran'}"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "schema_version": SCHEMA_VERSION,
            "suite": self.suite,
            "subject": self.subject,
            "ok": self.ok,
            "facts": self.facts,
            "results": [asdict(result) for result in self.results],
        }

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the report as JSON."""
        return json.dumps(self.to_dict(), indent=indent)
