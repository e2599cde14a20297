"""Measure on code that this project has not seen: ``python -m benchmarks.field``, about an hour.

Makes an environment with the packages of the list in a temporary folder, asks `check` about every
object as found and with slips of a mutation tester in its backward pass, and prints the table for
both halves of the list. Failures are shown for the half ``look`` alone, with ``--list``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.field.environment import interpreter
from benchmarks.field.item import HALVES, WRONG, Item, Package, half
from benchmarks.field.judge import BROKEN, Row, judge, names_of_slip
from benchmarks.field.packages import MODULES
from benchmarks.field.processes import run
from benchmarks.field.table import share, table
from benchmarks.field.truth import disagreement, lines_of_bug
from benchmarks.field.worker import package_of

SHOWN = 8  # lines of a report in the list of failures


@dataclass(frozen=True)
class Asked:
    """An object of the list, and where it stands."""

    source: str
    package: Package
    item: Item

    @property
    def half(self) -> str:
        """Return the half that it is in."""
        return half(self.package.name, self.item.name)


def main(argv: list[str] | None = None) -> int:
    options = _options(argv)
    sources = [str(Path(options.path).resolve())] if options.path else list(MODULES)
    asked = [Asked(s, p, item) for s in sources for p in [package_of(s)] for item in p.items]
    packages = {each.package.name: each.package for each in asked}
    python = sys.executable if options.path else interpreter(packages.values())
    halves = [options.half] if options.half else list(HALVES)
    if options.package and options.package not in packages:
        print(f"--package {options.package}: the list has {', '.join(packages)}")
        return 2
    asked = [each for each in asked if each.half in halves]
    asked = [each for each in asked if options.package in (None, each.package.name)]
    if options.verify:
        return _verify(python, asked, options.jobs)
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        answers = pool.map(
            lambda n: list(rows(python, asked[n], options.slips, Path(folder) / str(n))),
            range(len(asked)),
        )
        for number, (each, answer) in enumerate(zip(asked, answers, strict=True), 1):
            print(f"\r{number} of {len(asked)} objects", end="", file=sys.stderr, flush=True)
            found += answer
            if options.list and each.half == "look":
                _list(each, answer)
    print(file=sys.stderr)
    _print(found, halves)
    if options.json:
        shown = [asdict(row) | {"failures": row.failures} for row in found if row.half == "look"]
        Path(options.json).write_text(json.dumps({"look": shown}, indent=1))
    return 0


def rows(python: str, asked: Asked, slips: int, folder: Path) -> Iterator[Row]:
    """Yield the rows of one object: as found, and with slips where it is right."""
    item = asked.item
    about: dict[str, Any] = {
        "package": asked.package.name, "name": item.name, "half": asked.half, "kind": item.kind,
        "slip": "", "truth": item.truth, "names": item.names, "lines": (),
    }  # fmt: skip
    if item.truth == WRONG and item.line:
        about["lines"] = lines_of_bug(python, asked.source, item.name)
    as_found = judge(about, run(python, "check", asked.source, item.name))
    yield as_found
    if not as_found.recognised or item.truth == WRONG or not item.backward or not slips:
        return
    made = run(python, "slip", asked.source, item.name, str(slips), str(folder))
    for slip in made.get("slips", ()):
        told = about | {
            "slip": f"{slip['file']}:{slip['line']} {slip['operator']}: {slip['text']}",
            "truth": WRONG,
            "names": names_of_slip(slip["operator"], slip["ratio"]),
            "lines": ((slip["file"], slip["line"]),),
        }
        yield judge(told, run(python, "check", asked.source, item.name, overlay=slip["overlay"]))


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.field", description=__doc__)
    parser.add_argument("--half", choices=HALVES, help="one half of the list")
    parser.add_argument("--package", help="one package of the list")
    parser.add_argument("--path", metavar="FILE", help="a list of your own: a file with a PACKAGE")
    parser.add_argument("--slips", type=int, default=2, help="of each right object, at most")
    parser.add_argument("--jobs", type=int, default=1, help="objects at a time")
    parser.add_argument("--list", action="store_true", help="show what failed in the half `look`")
    parser.add_argument("--verify", action="store_true", help="the list's own truth, no checks")
    parser.add_argument("--json", metavar="OUT", help="the rows of the half `look`, to a file")
    return parser.parse_args(argv)


def _verify(python: str, asked: list[Asked], jobs: int) -> int:
    """Print where central differences do not agree with the list."""
    with ThreadPoolExecutor(jobs) as pool:
        answers = pool.map(lambda a: disagreement(python, a.source, a.item), asked)
        doubts = [(a, doubt) for a, doubt in zip(asked, answers, strict=True) if doubt]
    for each, doubt in doubts:
        print(f"{each.package.name} {each.item.name}: {doubt}")
    print(f"{len(asked)} objects, {len({a.package.name for a in asked})} packages, "
          f"{sum(a.item.truth == WRONG for a in asked)} of them wrong as published, "
          f"{len(doubts)} doubtful")  # fmt: skip
    return int(bool(doubts))


def _list(asked: Asked, answer: list[Row]) -> None:
    """Print what failed of one object."""
    for row in answer:
        if row.failures or row.why.startswith(BROKEN):
            print(f"\n== {row.package} {row.name}: {', '.join(row.failures) or BROKEN}")
            print(f"code {', '.join(asked.item.backward)}")
            print("\n".join(filter(None, [row.slip, row.why, *row.text.splitlines()[:SHOWN]])))
    sys.stdout.flush()


def _print(found: list[Row], halves: list[str]) -> None:
    print(table([row for row in found if row.kind == "gradient"], halves))
    if jacobians := [row for row in found if row.kind == "jacobian"]:
        print(f"\npairs with a Jacobian: recognised {share(r.recognised for r in jacobians)}, "
              f"right {share(r.passed for r in jacobians)}, "
              f"found {share(r.found for r in jacobians)}")  # fmt: skip
    if broken := sum(row.recognised is None for row in found):
        print(f"\nnot made, or not in time: {broken}")


if __name__ == "__main__":
    sys.exit(main())
