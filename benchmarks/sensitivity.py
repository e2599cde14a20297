"""What changes nothing: every hypothesis, rule, experiment and mutation dropped, thresholds moved.

``python -m benchmarks.sensitivity [--kinds ...] [--corpora ...] [--factor 1.2] [--minutes N]``

One run of every case tells its answer, its seconds and the functions that it runs; an item takes
part in the cases that run a function which reads it. Then all items that take part in a case are
changed at once. Where the answer stays, none of them changes it; where it does not, the first
``k`` of them are changed for the smallest ``k`` that shows it, which takes a few runs, and the
``k``-th is changed alone. What was seen to matter often enough is changed no more, so that soon
nearly all cases are answered once. Two changes that undo each other are missed; they are drawn in
another order, and thresholds in both directions.
"""

from __future__ import annotations

import argparse
import csv
import pickle
import random
import re
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.ablation.corpora import Answer, Case, corpora
from benchmarks.ablation.items import Item, Key, constants, entries
from benchmarks.ablation.trial import KILLED, answers

TABLE = Path(__file__).parent / "ablation" / "table.csv"
HEAD = ("kind", "item", "moved", "takes part in", "tried in", "verdicts", "first names",
        "other names", "lines", "with others", "example")  # fmt: skip
PARTS = {"verdict": "verdicts", "first": "first names", "others": "other names", "lines": "lines"}
# Where the line is searched for, and the cases in which it is, which takes most of the time.
SOURCE = "gradcheck/explain/source/"
WITH_LINES = ("repairs", "mutants")
# Cases are answered together as long as they take no more seconds than these.
TOGETHER = 2.0
# So many are answered together as long as their seconds are not known.
AT_ONCE = 16


@dataclass
class Known:
    """A case, the answer that it gets, in how many seconds, and which functions run."""

    corpus: str
    case: Case
    answer: Answer
    seconds: float
    ran: frozenset[Key]


@dataclass
class Row:
    """What is known of an item."""

    item: Item
    part: int = 0
    tried: set[str] = field(default_factory=set)
    changed: Counter[str] = field(default_factory=Counter)
    example: str = ""

    @property
    def shown(self) -> int:
        """How many cases showed a change."""
        return self.changed["cases"]

    def cells(self) -> tuple[str, ...]:
        """Return its line of the table."""
        counts = (self.part, len(self.tried), *(self.changed[p] for p in (*PARTS, "together")))
        return (self.item.kind, self.item.name, self.item.shown, *map(str, counts), self.example)


def known(
    corpus: str, cases: Iterable[Case], cache: dict[str, tuple[Answer, float, frozenset[Key]]],
    most: float, stop: float,
) -> Iterator[Known]:  # fmt: skip
    """Yield what is answered now, without the cases that take more seconds than ``most``."""
    waiting = list(cases)
    while missing := [c for c in waiting if f"{corpus} {c.name}" not in cache][:AT_ONCE]:
        if time.monotonic() > stop:
            break
        for case, result in zip(missing, answers((), missing, most), strict=True):
            cache[f"{corpus} {case.name}"] = result
            if result[0] == KILLED:  # those behind it are asked again
                break
    for case in waiting:
        answer, seconds, ran = cache.get(f"{corpus} {case.name}", (KILLED, 0.0, frozenset()))
        if answer != KILLED and seconds <= most:
            yield Known(corpus, case, answer, seconds, ran)


class Search:
    """Changes all items that may still change nothing, and finds those that do not."""

    def __init__(self, items: Sequence[Item], until: int, rng: random.Random):
        self.rows = {item.name: Row(item) for item in items}
        self.until = until
        self.rng = rng
        self.began = time.monotonic()

    def of(self, cases: Sequence[Known], stop: float) -> None:
        """Try the items in all cases, the fast ones first."""
        for row in self.rows.values():
            row.part += sum(bool(row.item.readers & c.ran) for c in cases)
        waiting = sorted(cases, key=lambda c: c.seconds)
        while waiting and time.monotonic() < stop:
            chunk, seconds = [], 0.0
            while waiting and (not chunk or seconds + waiting[0].seconds <= TOGETHER):
                seconds += waiting[0].seconds
                chunk.append(waiting.pop(0))
            while chunk and time.monotonic() < stop:
                chunk = self._chunk(chunk)

    def _chunk(self, chunk: list[Known]) -> list[Known]:
        """Try all items on some cases; return the cases after the first that shows a change."""
        ran = frozenset().union(*(c.ran for c in chunk))
        items = [r.item for r in self._open() if r.item.readers & ran]
        if not items:
            return []
        trial = answers(items, [c.case for c in chunk], sum(c.seconds for c in chunk))
        for place, (case, (answer, _, _)) in enumerate(zip(chunk, trial, strict=True)):
            if answer != case.answer:
                trial.close()
                self._one(case)
                return chunk[place + 1 :]
            self._tried(case, items)
        return []

    def _open(self) -> list[Row]:
        return [r for r in self.rows.values() if r.shown < self.until]

    def _tried(self, case: Known, items: Iterable[Item]) -> None:
        for item in items:
            if item.readers & case.ran:
                self.rows[item.name].tried.add(case.case.name)

    def _one(self, case: Known) -> None:
        """Find the items that change a case, one after the other."""
        items = [r.item for r in self._open() if r.item.readers & case.ran]
        self.rng.shuffle(items)
        self._tried(case, items)
        # some answers depend on what was answered before them in the same process
        case.answer = self._answer(case, [])
        low = 0
        while low < len(items) and (last := self._answer(case, items)) != case.answer:
            none, high = case.answer, len(items)
            while high - low > 1:
                middle = (low + high) // 2
                answer = self._answer(case, items[:middle])
                # the first `low` change nothing, the first `high` do
                low, high = (middle, high) if answer == case.answer else (low, middle)
                last = last if answer == case.answer else answer
            item = items.pop(low)
            row = self.rows[item.name]
            alone = self._answer(case, [item])
            parts = none.changes(alone)
            row.changed.update(parts or ["together"])
            row.changed["cases"] += 1
            if not row.example or parts:
                told = alone if parts else last
                part = none.changes(told)[0]
                row.example = f"{case.case.name}: {getattr(none, part)} -> {getattr(told, part)}"
            print(f"{time.monotonic() - self.began:5.0f} s  {item.kind} {item.name} "
                  f"{item.shown}: {' '.join(parts) or 'with others'}; {row.example}",
                  flush=True)  # fmt: skip

    def _answer(self, case: Known, items: Sequence[Item]) -> Answer:
        ((answer, _, _),) = answers(items, [case.case], case.seconds)
        return answer


def save(rows: Iterable[Row], known: set[str], path: Path) -> None:
    """Write the table; lines of items that were not met now are kept as long as there are such."""
    path.parent.mkdir(exist_ok=True)
    lines: dict[tuple[str, ...], tuple[str, ...]] = {}
    if path.exists():
        with path.open(newline="") as file:
            kept = [tuple(line) for line in csv.reader(file)][1:]
        lines = {line[:3]: line for line in kept if line[1] in known}
    for row in rows:
        cells = row.cells()
        if row.part or (row.item.kind != "name" and cells[:3] not in lines):
            lines[cells[:3]] = cells
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows(sorted(lines.values(), key=lambda line: line[:3]))


def summary(rows: Sequence[Row]) -> list[str]:
    """Return how many items of each kind change something, and the names of those that do not."""
    lines = [f"{'kind':12s}{'items':>7s}{'matter':>8s}{'nothing':>9s}{'not reached':>13s}"]
    for kind in dict.fromkeys(r.item.kind for r in rows):
        of = [r for r in rows if r.item.kind == kind]
        matter, unseen = sum(r.shown > 0 for r in of), sum(not r.tried for r in of)
        lines.append(f"{kind:12s}{len(of):7d}{matter:8d}{len(of) - matter - unseen:9d}{unseen:13d}")
    for row in rows:
        if row.tried and not row.shown:
            lines.append(f"nothing in {len(row.tried):4d} cases: {row.item.kind} {row.item.name} "
                         f"{row.item.shown}")  # fmt: skip
    return lines


def directions(seed: int, sign: int) -> Callable[[str], int]:
    """Return whether a threshold is moved up or down; ``sign`` turns all of them round."""
    return lambda name: sign if (zlib.crc32(name.encode()) + seed) % 2 else -sign


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--corpora", nargs="+", default=["layers", "repairs", "runs", "models"])
    parser.add_argument("--kinds", nargs="+", help="only these kinds of items")
    parser.add_argument("--only", default="", help="only items whose name matches this")
    parser.add_argument("--shared", type=Path, help="a folder of scripts and logs, as a corpus")
    parser.add_argument("--mutants", type=int, default=100, help="so many of that corpus")
    parser.add_argument("--factor", type=float, default=1.2, help="by which thresholds are moved")
    parser.add_argument("--until", type=int, default=1, help="cases that show that an item matters")
    parser.add_argument("--every", type=int, default=1, help="of so many cases one is answered")
    parser.add_argument("--most", type=float, default=20, help="seconds of the slowest case")
    parser.add_argument("--minutes", type=float, default=60, help="for everything")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="what is answered now, from an earlier call")
    parser.add_argument("--table", type=Path, default=TABLE)
    options = parser.parse_args(arguments)

    stop = time.monotonic() + 60 * options.minutes
    cache = {}
    if options.cache and options.cache.exists():
        cache = pickle.loads(options.cache.read_bytes())
    named = corpora(options.shared, options.mutants)
    there: list[Known] = []
    for corpus in options.corpora:
        chosen = (c for c in named[corpus]()
                  if (zlib.crc32(c.name.encode()) + options.seed) % options.every == 0)  # fmt: skip
        answered = list(known(corpus, chosen, cache, options.most, stop))
        there += answered
        print(f"{corpus}: {len(answered)} cases, {sum(k.seconds for k in answered):.0f} s",
              flush=True)  # fmt: skip
        if options.cache:
            options.cache.write_bytes(pickle.dumps(cache))
    print("\n".join(summary(measure(there, options, stop))))


def measure(there: Sequence[Known], options: argparse.Namespace, stop: float) -> list[Row]:
    """Change everything that is asked for, and write the table after each round."""
    rows: list[Row] = []
    for sign in (1, -1):
        moved = constants(options.factor, directions(options.seed, sign))
        matters = {row.item.name for row in rows if row.shown}
        everything = [*entries(), *moved]
        items = [
            item
            for item in everything
            if re.search(options.only, item.name)
            and (not options.kinds or item.kind in options.kinds)
            and (sign == 1 or (item.kind == "threshold" and item.name not in matters))
        ]
        for of_lines in (False, True):
            chosen = [item for item in items if of_lines == _is_of_lines(item)]
            search = Search(chosen, options.until, random.Random(options.seed))
            search.of([k for k in there if of_lines or k.corpus not in WITH_LINES], stop)
            rows += search.rows.values()
            save(rows, {item.name for item in everything}, options.table)
    return rows


def _is_of_lines(item: Item) -> bool:
    """Whether it takes part in the search for the line only."""
    return any(SOURCE in file for file, _, _ in item.readers)


if __name__ == "__main__":
    main()
