"""Detection, naming and false alarms of ``gradcheck.check`` on the corpus.

``python -m benchmarks.engine [--limit N] [--only PART] [--rivals [EVERY]] [--confusion] [--list]``
"""

from __future__ import annotations

import argparse
import signal
import statistics
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

import gradcheck
from benchmarks.corpus import Case, cases

GUARD = 60  # seconds for one case


class OvertimeError(BaseException):
    """A case took longer than the guard allows; not an Exception, so that nothing swallows it."""


@dataclass(frozen=True)
class Outcome:
    """What the checker said about one case."""

    case: Case
    verdict: str  # "pass", "fail", "undecided" or "crash"
    seconds: float
    named: tuple[str, ...] = ()
    forwards: tuple[int, ...] = ()
    error: str = ""

    @property
    def rank(self) -> int | None:
        """Place of the first acceptable code among the explanations, from 0."""
        return next((i for i, code in enumerate(self.named) if code in self.case.code), None)


@contextmanager
def guard(seconds: int) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise OvertimeError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def examine(case: Case, seed: int) -> Outcome:
    started = time.perf_counter()
    try:
        target, inputs = case.make(seed)
        with guard(GUARD), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            report = gradcheck.check(target, *inputs)
    except (Exception, OvertimeError) as error:
        spent = time.perf_counter() - started
        return Outcome(case, "crash", spent, error=f"{type(error).__name__}: {error}"[:160])
    return Outcome(
        case,
        str(report.verdict.value).lower(),
        time.perf_counter() - started,
        tuple(dict.fromkeys(e.code for e in report.explanations)),
        tuple(t.forwards for t in report.tensors.values()),
    )


def share(part: int, whole: int) -> str:
    return f"{part:4d} of {whole:4d} ({100 * part / whole:5.1f} %)" if whole else "none"


def print_summary(outcomes: list[Outcome]) -> None:
    wrong = [o for o in outcomes if o.case.wrong]
    right = [o for o in outcomes if not o.case.wrong and not o.case.silent]
    silent = [o for o in outcomes if o.case.silent]
    found = [o for o in wrong if o.verdict == "fail"]
    first = [o for o in found if o.rank == 0]
    three = [o for o in found if o.rank is not None and o.rank < 3]

    def count(group: list[Outcome], verdict: str) -> str:
        return share(sum(o.verdict == verdict for o in group), len(group))

    print(f"wrong layers found        {share(len(found), len(wrong))}")
    print(f"  passed (missed)         {count(wrong, 'pass')}")
    print(f"  undecided               {count(wrong, 'undecided')}")
    print(f"  crashed                 {count(wrong, 'crash')}")
    print(f"right layers passed       {count(right, 'pass')}")
    print(f"  false alarms            {count(right, 'fail')}")
    print(f"  undecided               {count(right, 'undecided')}")
    print(f"  crashed                 {count(right, 'crash')}")
    print(f"nothing to see, undecided {count(silent, 'undecided')}")
    print(f"right name first          {share(len(first), len(found))} of those found")
    print(f"right name in first three {share(len(three), len(found))} of those found")
    forwards = [n for o in outcomes if o.verdict == "pass" for n in o.forwards]
    if forwards:
        print(f"forwards per tensor, passing: median {statistics.median(forwards):g}, ", end="")
        print(f"max {max(forwards)}")
    seconds = [o.seconds for o in outcomes]
    slowest = max(outcomes, key=lambda o: o.seconds)
    print(f"seconds: {sum(seconds):.1f} in all, median {statistics.median(seconds):.3f}, ", end="")
    print(f"max {slowest.seconds:.1f} ({slowest.case.name})")


def print_table(title: str, outcomes: list[Outcome], key: Callable[[Case], str]) -> None:
    """Wrong layers by class or convention: how many, found, named first and among three."""
    columns = ("n", "found", "first", "three")
    table: dict[str, Counter[str]] = {}
    for o in outcomes:
        row = table.setdefault(key(o.case), Counter())
        found = o.verdict == "fail"
        row["n"] += 1
        row["found"] += found
        row["first"] += found and o.rank == 0
        row["three"] += found and o.rank is not None and o.rank < 3
    print(f"\n{title:32s}" + "".join(f"{c:>7s}" for c in columns))
    for name in sorted(table, key=lambda k: (-table[k]["n"], k)):
        print(f"{name:32s}" + "".join(f"{table[name][c]:7d}" for c in columns))


def print_confusion(outcomes: list[Outcome]) -> None:
    """Expected code against the code named first, for the wrong layers that were found."""
    table: dict[str, Counter[str]] = {}
    for o in outcomes:
        if o.case.wrong and o.verdict == "fail":
            # any acceptable code is as good as the best one
            first = o.case.code[0] if o.rank == 0 else (o.named or ("(none)",))[0]
            table.setdefault(o.case.code[0], Counter())[first] += 1
    print(f"\n{'expected':32s}{'first':>7s}   named first instead")
    for code in sorted(table, key=lambda c: (-table[c].total(), c)):
        right = table[code].pop(code, 0)
        whole = right + table[code].total()
        others = ", ".join(f"{name} {count}" for name, count in table[code].most_common())
        print(f"{code:32s}{f'{100 * right / whole:.0f} %':>7s}   {others}")


def print_faults(outcomes: list[Outcome]) -> None:
    """Every case that did not come out as it should, a line each."""
    print()
    for o in outcomes:
        expected = "fail" if o.case.wrong else "undecided" if o.case.silent else "pass"
        if o.verdict != expected:
            kind = "wrong" if o.case.wrong else "right"
            print(f"{o.verdict.upper():9s} {kind} | {o.case.name} | {o.error or o.named[:3]}")
        elif o.case.wrong and o.rank != 0:
            print(f"NAMED     {o.named[:3]} | {o.case.name} | expected {o.case.code}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=int, help="this many cases, spread over the corpus")
    parser.add_argument("--only", default="", help="cases whose name or code contains this")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--rivals",
        type=int,
        nargs="?",
        const=1,
        help="other tools' rules on the same cases, or on one of this many",
    )
    parser.add_argument("--confusion", action="store_true", help="expected against named first")
    parser.add_argument("--list", action="store_true", help="a line for each case that went amiss")
    options = parser.parse_args(arguments)

    chosen = [c for c in cases() if options.only in " ".join((c.name, *c.code))]
    if options.limit and options.limit < len(chosen):
        places = np.linspace(0, len(chosen) - 1, options.limit).round().astype(int)
        chosen = [chosen[i] for i in places]
    if not chosen:
        parser.error(f"no case contains {options.only!r}")
    outcomes = []
    for case in chosen:
        outcomes.append(examine(case, options.seed))
        if outcomes[-1].verdict == "crash":
            print(f"CRASH {case.name}: {outcomes[-1].error}")
    print_summary(outcomes)
    wrong = [o for o in outcomes if o.case.wrong]
    print_table("class of fault", wrong, lambda case: case.code[0])
    print_table("convention", wrong, lambda case: case.convention)
    if options.confusion:
        print_confusion(outcomes)
    if options.list:
        print_faults(outcomes)
    if options.rivals:
        from benchmarks.corpus.rivals import print_rivals

        print_rivals(chosen[:: options.rivals], options.seed, guard)


if __name__ == "__main__":
    main()
