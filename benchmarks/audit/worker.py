"""The audit of one library, in the process that imports it: JSON of what was found."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.audit.classify import Disagreement, disagreements
from benchmarks.audit.libraries import load
from benchmarks.audit.measure import Reading, measure
from benchmarks.audit.slices import slices
from benchmarks.engine import OvertimeError, guard

CURVE = 6  # points that a report shows of one disagreement


@dataclass
class Found:
    """One disagreement, in plain numbers: ``curve`` holds points, gradients, truths and errors."""

    operator: str
    form: str
    dtype: str
    kind: str
    confirmed: bool
    points: int
    worst: tuple[float, float, float, float]
    curve: list[tuple[float, float, float, float]]


@dataclass
class Audit:
    """What was asked of one library, and what disagreed."""

    library: str
    version: str
    offered: int = 0
    operators: int = 0
    slices: int = 0
    readings: dict[str, int] = field(default_factory=dict)
    undecided: dict[str, int] = field(default_factory=dict)
    found: list[Found] = field(default_factory=list)
    ours: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)


def audit(name: str, dtypes: Sequence[str], pattern: str = "", seconds: int = 60) -> Audit:
    """Audit the operators of a library whose names match a pattern, each for so long at most."""
    library = load(name)
    result = Audit(name, library.version)
    wanted = [dtype for dtype in dtypes if dtype in library.dtypes]
    for operator, function in library.operators():
        if not re.search(pattern, operator):
            continue
        result.offered += 1
        try:
            with guard(seconds):
                found = slices(library, operator, function)
                result.operators += bool(found)
                for each in found:
                    # the other dtypes are compared with float64, which is measured in any case
                    readings = measure(library, each, list(dict.fromkeys(["float64", *wanted])))
                    result.slices += 1
                    _note(result, operator, str(each.form), readings, wanted)
        except OvertimeError:
            result.late.append(operator)
    return result


def _note(
    result: Audit,
    operator: str,
    form: str,
    readings: dict[str, list[Reading]],
    wanted: Sequence[str],
) -> None:
    for dtype in wanted:
        decided = sum(r.decided for r in readings[dtype])
        result.readings[dtype] = result.readings.get(dtype, 0) + decided
        undecided = len(readings[dtype]) - decided
        result.undecided[dtype] = result.undecided.get(dtype, 0) + undecided
    for dtype, each in disagreements(readings):
        if dtype in wanted:
            result.found.append(_plain(operator, form, dtype, each))
    result.ours += [
        f"{operator} {form} at {r.x!r}: {r.numbers.measured} ± {r.numbers.bound:.1e}, "
        f"but the formula's is {r.numbers.exact}"
        for r in readings["float64"]
        if r.engine_contradicts
    ]


def _plain(operator: str, form: str, dtype: str, each: Disagreement) -> Found:
    step = max(1, len(each.readings) // CURVE)
    return Found(
        operator, form, dtype, str(each.kind), each.confirmed, len(each.readings),
        _row(each.worst), [_row(r) for r in each.readings[::step][:CURVE]],
    )  # fmt: skip


def _row(r: Reading) -> tuple[float, float, float, float]:
    near = min(max(r.claimed, r.truth.low), r.truth.high) if r.claimed == r.claimed else r.truth.low
    return (r.x, r.claimed, near, r.error)


def main(name: str, dtypes: str, pattern: str, seconds: str) -> None:
    """Print the audit of one library as JSON: what the parent process reads."""
    with redirect_stdout(sys.stderr):  # some functions of a library print
        result: dict[str, Any] = asdict(audit(name, dtypes.split(","), pattern, int(seconds)))
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
