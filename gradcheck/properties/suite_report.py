"""What a run of a suite found: one result per property, as a table, a dict or JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gradcheck.properties.property import BAD, Result, Status
from gradcheck.report.wording import wrapped
from gradcheck.report.write_whole import write_whole
from gradcheck_arguments import Count, NonNegativeInt, checked

LABEL = 10
GAP = "  "


def status_width(statuses: Iterable[str]) -> int:
    """Return the columns that the status takes in a row."""
    return max((len(in_words(status)) for status in statuses), default=0)


def in_words(status: str) -> str:
    """Return a status in words."""
    return status.replace("_", " ")


def row(result: Result, widths: tuple[int, int], width: int | None = None) -> list[str]:
    """Return the lines of one result in the table, on one line where no screen has a ``width``.

    The ``widths`` are those of the status and of the name.
    """
    status, name = widths
    first = f"{in_words(result.status):<{status}}{GAP}{result.name:<{name}}".rstrip()
    detail = result.headline or f"{result.examples} input{'s' * (result.examples != 1)}"
    start = status + len(GAP) + name + len(GAP)
    if width is None or start + len(detail) <= width:
        return [f"{first:<{start}}{detail}"]
    # Where the sentence does not fit beside the name, it goes below.
    indent = " " * (status + len(GAP))
    return [first, *wrapped(detail, indent, indent, width)]


def failure_lines(
    headline: str, parts: Mapping[str, str], code: str, width: int | None = None
) -> Iterator[str]:
    """Yield the lines of a failure, all but its code wrapped to ``width``."""
    yield from wrapped(headline, "", "", width)
    for label, text in parts.items():
        yield from wrapped(text, f"{GAP}{label:<{LABEL}}", " " * (len(GAP) + LABEL), width)
    if code:
        # The code is to be pasted: it is not wrapped.
        yield f"{GAP}example"
        yield from (f"{GAP * 2}{line}".rstrip() for line in code.splitlines())


SCHEMA_VERSION = 1


@dataclass(frozen=True)
class SuiteReport:
    """The outcome of a suite on one function.

    Attributes
    ----------
    suite, subject
        Names of the suite and of the function under test.
    results
        One `Result` per property that was asked for, in the suite's order.
    detected
        What was found out about the function by asking it, such as whether it takes an axis.
    examples, seed
        How many inputs were drawn per property, and from which seed.
    rerun
        The Python call that tries the same inputs once more.
    interrupted
        Whether Ctrl-C ended the run before every property was tried.
    """

    suite: str
    subject: str
    results: tuple[Result, ...]
    detected: dict[str, str] = field(default_factory=dict)
    examples: int = 0
    seed: int = 0
    rerun: str = ""
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing failed and something passed: an empty run has shown nothing."""
        statuses = {result.status for result in self.results}
        return not self.interrupted and not statuses & BAD and Status.PASSED in statuses

    def __bool__(self) -> bool:
        """Return `ok`."""
        return self.ok

    def __repr__(self) -> str:
        failed = any(result.status in BAD for result in self.results)
        verdict = "FAIL" if failed else "PASS" if self.ok else "UNDECIDED"
        return f"<SuiteReport {verdict}  {self.summary()}>"

    def __getitem__(self, name: str) -> Result:
        return {result.name: result for result in self.results}[name]

    def raise_if_failed(self) -> None:
        """Raise AssertionError carrying the whole report unless it is ok."""
        if not self.ok:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        widths = (
            status_width(result.status for result in self.results),
            max((len(result.name) for result in self.results), default=0),
        )
        lines = [self.summary()]
        for first, others in self.failures():
            lines.append(f"{first.name}: {first.message}")
            lines += [f"  same for  {', '.join(others)}"] if others else []
            lines.append("")
        lines += self.found()
        lines += [f"  {line}" for result in self.results for line in row(result, widths)]
        return "\n".join(lines if self.ok else [*lines, "", f"rerun: {self.rerun}"])

    def failures(self) -> list[tuple[Result, list[str]]]:
        """Return one failure of each cause with the names of the others it explains."""
        causes: dict[str, list[Result]] = {}
        for result in self.results:
            if result.status in BAD:
                causes.setdefault(result.parts.get("cause", result.headline), []).append(result)
        return [(first, [other.name for other in others]) for first, *others in causes.values()]

    @checked
    def found(self, width: Count | None = None) -> Iterator[str]:
        """Yield lines that tell what was found out about the function and what was tried."""
        tried = f"{self.examples} per property, seed {self.seed}"
        for key, value in {**self.detected, "inputs": tried}.items():
            yield from wrapped(value, f"  {key}: ", "    ", width)

    def summary(self) -> str:
        """Return one line: the suite, the function and the counts."""
        counts = Counter(result.status for result in self.results)
        listed = ", ".join(
            f"{counts[status]} {in_words(status)}" for status in Status if counts[status]
        )
        ended = "; interrupted" if self.interrupted else ""
        return f"{self.suite} properties of {self.subject}: {listed or 'none ran'}{ended}"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "schema_version": SCHEMA_VERSION,
            "suite": self.suite,
            "subject": self.subject,
            "ok": self.ok,
            "interrupted": self.interrupted,
            "detected": self.detected,
            "examples": self.examples,
            "seed": self.seed,
            "results": [asdict(result) for result in self.results],
        }

    @checked
    def to_json(self, *, indent: NonNegativeInt | None = 2) -> str:
        """Return the report as JSON."""
        return json.dumps(self.to_dict(), indent=indent)

    @checked
    def save(self, path: str | Path) -> None:
        """Write the report to a file: as JSON where the name ends so, else as text."""
        target = Path(path)
        text = self.to_json() if target.suffix == ".json" else str(self)
        write_whole(target, f"{text}\n".encode())
