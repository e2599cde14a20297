"""How often what a report says first is right, by the certainty that it states.

``python -m benchmarks.calibration [--mutants N] [--seed S] [--cases FOLDER] [--every K] [--list]
[--save FILE] [--load FILE ...] [--write FILE]``

The layers are split in halves by their names. The constants in ``gradcheck/explain/certainty.py``
are those of the first half; the second serves for nothing but this table.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import inspect
import io
import json
import re
import runpy
import textwrap
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import gradcheck
from benchmarks.corpus import Case, cases
from benchmarks.engine import OvertimeError, guard
from benchmarks.mutants import mutants, recipes_of_corpus
from gradcheck.explain.certainty import kind_of
from gradcheck.report.data import Explanation, Support

SECONDS = 60  # for one layer

BINS = ((0.99, "over 99 %"), (0.9, "90 to 99 %"), (0.75, "75 to 90 %"), (0.5, "50 to 75 %"),
        (0.25, "25 to 50 %"), (0.0, "up to 25 %"))  # fmt: skip

# The line to change, where one is named: with the change in quotes, or put before it.
LINE = re.compile(r"(?:before|# at) <[^>]*>:(?P<near>\d+)|>:(?P<at>\d+): (?:`|take out|write|move)")

CODE = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


@dataclass(frozen=True)
class Answer:
    """What a report says first of a wrong layer, how surely, and whether it is right."""

    source: str
    name: str
    first: Explanation
    right: bool
    sums: float
    note: str = ""

    @property
    def half(self) -> int:
        """0 for the half that constants are taken from, 1 for the other."""
        return zlib.crc32(self.name.encode()) % 2


def answer_of(report: Any, source: str, name: str, judge: Callable[[Explanation], bool],
            note: str = "") -> Answer | None:  # fmt: skip
    """Return what a report says first, None where it finds nothing wrong."""
    if str(report.verdict) != "FAIL" or not report.explanations:
        return None
    first = report.explanations[0]
    return Answer(source, name, first, judge(first), largest_sum(report.explanations), note)


def largest_sum(explanations: Sequence[Explanation]) -> float:
    """Return the largest sum of the certainties of one tensor's alternatives."""
    by_tensor: dict[str, dict[object, float]] = {}
    for position, e in enumerate(explanations):
        number = ("alone", position) if e.support.alternative is None else e.support.alternative
        for name in e.tensors:
            alternatives = by_tensor.setdefault(name, {})
            alternatives[number] = max(alternatives.get(number, 0.0), e.confidence)
    return max((sum(alternatives.values()) for alternatives in by_tensor.values()), default=0.0)


def quietly(action: Callable[[], Any]) -> Any:
    """Run for a limited time without output; None where it fails."""
    try:
        with guard(SECONDS), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return action()
    except (Exception, SystemExit, OvertimeError):
        return None


def of_corpus(every: int) -> Iterator[Answer]:
    """Judge by the names that the corpus accepts, or by the line that was broken."""
    lines = broken_lines()
    for case in chosen([case for case in cases() if case.wrong], every):
        report = quietly(lambda case=case: _checked(case))
        if report is not None:

            def judge(e: Explanation, case: Any = case) -> bool:
                return e.code in case.code or line_of(e) in lines.get(case.name, ())

            answer = answer_of(report, "corpus", case.name, judge)
            if answer is not None:
                yield answer


def chosen(wrong: Sequence[Case], every: int) -> list[Case]:
    """Return one of so many cases, in an order that has to do with nothing."""
    return sorted(wrong, key=lambda case: zlib.crc32(case.name.encode()))[::every]


def line_of(explanation: Explanation) -> int | None:
    """Return the line that is to be changed, None where none is named."""
    found = LINE.search(explanation.fix)
    return int(found["at"] or found["near"]) if found is not None else None


def broken_lines() -> dict[str, set[int]]:
    """Return, by case of the corpus, the lines that differ from the right layer."""
    found: dict[str, set[int]] = {}
    for recipe in recipes_of_corpus():
        right = "\n\n".join(textwrap.dedent(inspect.getsource(part)) for part in recipe.parts)
        for case, edits, _ in recipe.faults:
            wrong = right
            for old, new in edits.items():
                wrong = wrong.replace(old, new)
            match = difflib.SequenceMatcher(None, right.splitlines(), wrong.splitlines(), False)
            found[case.name] = {
                line + 1
                for kind, _, _, start, end in match.get_opcodes()
                if kind != "equal"
                for line in (range(start, end) if end > start else (start - 1, start))
            }
    return found


def of_mutants(count: int, seed: int) -> Iterator[Answer]:
    """Judge by the line that was changed, where one is named, else by the names it may go by."""
    for mutant in mutants(count, seed):

        def judge(e: Explanation, mutant: Any = mutant) -> bool:
            line = line_of(e)
            return e.code in mutant.case.code if line is None else line == mutant.line

        report = quietly(lambda mutant=mutant: _checked(mutant.case))
        if report is not None:
            note = f"{mutant.before}  =>  {mutant.after}"
            answer = answer_of(report, "mutants", mutant.case.name, judge, note)
            if answer is not None:
                yield answer


def _checked(case: Any) -> Any:
    target, inputs = case.make(0)
    return gradcheck.check(target, *inputs)


def of_folder(folder: Path) -> Iterator[Answer]:
    """Judge scripts by the codes that their docstring expects."""
    for file in sorted(folder.rglob("*.py")):
        words = re.split(r"^seen", file.read_text(), maxsplit=1, flags=re.M)[0]
        expected = words.partition("expected")[2]
        codes = set(CODE.findall(expected))
        if not codes and "PASS" not in expected:
            continue
        for number, report in enumerate(_reports(file)):
            judge = lambda e, codes=codes: e.code in codes  # noqa: E731
            answer = answer_of(report, "cases", f"{file.stem} {number}", judge)
            if answer is not None:
                yield answer


def _reports(file: Path) -> list[Any]:
    """Return the reports that a script makes."""
    seen: list[Any] = []

    def kept(function: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            seen.append(function(*arguments, **options))
            return seen[-1]

        return call

    own = {name: getattr(gradcheck, name) for name in ("check", "check_update")}
    try:
        for name, function in own.items():
            setattr(gradcheck, name, kept(function))
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            quietly(lambda: runpy.run_path(str(file), run_name="__main__"))
    finally:
        for name, function in own.items():
            setattr(gradcheck, name, function)
    return seen


def measured(options: argparse.Namespace) -> Iterator[Answer]:
    """Yield the answers that are asked for."""
    if options.every:
        yield from of_corpus(options.every)
    yield from of_mutants(options.mutants, options.seed)
    if options.cases:
        yield from of_folder(options.cases)


def saved(answers: Sequence[Answer]) -> str:
    """Return answers as JSON, a line each."""
    return "".join(json.dumps(asdict(answer)) + "\n" for answer in answers)


def loaded(text: str) -> list[Answer]:
    """Return what `saved` was given."""
    found = []
    for line in text.splitlines():
        content = json.loads(line)
        first = content.pop("first")
        support = Support(**first.pop("support"))
        found.append(Answer(first=Explanation(**first, support=support), **content))
    return found


def bin_of(confidence: float) -> str:
    return next(words for least, words in BINS if confidence > least or least == 0)


def share(answers: Sequence[Answer]) -> str:
    right = sum(t.right for t in answers)
    return f"{right} of {len(answers)}, {100 * right / len(answers):.0f} %" if answers else "-"


def table(
    answers: Sequence[Answer], title: str, key: Callable[[Answer], str], order: Sequence[str]
) -> str:
    """Return a Markdown table with a row for every value of ``key`` and a column a half."""
    columns = ("stated, on average", "right, first half", "right, second half")
    rows = [f"| {title} | {' | '.join(columns)} |", "| --- | --- | --- | --- |"]
    for value in order:
        group = [t for t in answers if key(t) == value]
        if group:
            stated = 100 * float(np.mean([t.first.confidence for t in group]))
            halves = [share([t for t in group if t.half == half]) for half in (0, 1)]
            rows.append(f"| {value} | {stated:.1f} % | {halves[0]} | {halves[1]} |")
    return "\n".join(rows)


def page(answers: Sequence[Answer]) -> str:
    """Return the tables."""
    kinds = sorted({kind_of(t.first.support) for t in answers})
    sources = sorted({t.source for t in answers})
    bins = [words for _, words in BINS]
    parts = [table(answers, "certainty stated", lambda t: bin_of(t.first.confidence), bins)]
    parts += [table(answers, "what it rests on", lambda t: kind_of(t.first.support), kinds)]
    parts += [table(answers, "layers", lambda t: t.source, sources)]
    most = max((t.sums for t in answers), default=0.0)
    parts += [f"Largest sum of the certainties of alternatives for one tensor: {most:.4f}."]
    return "\n\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=300, help="wrong layers by random slips")
    parser.add_argument("--seed", type=int, default=1, help="of the slips")
    parser.add_argument("--cases", type=Path, help="a folder of scripts with an expected answer")
    parser.add_argument("--every", type=int, default=1, help="one of so many of the corpus; 0 none")
    parser.add_argument("--list", action="store_true", help="what was wrong in the first half")
    parser.add_argument("--write", type=Path, help="put the tables into this page")
    parser.add_argument("--save", type=Path, help="add what is measured to this file")
    parser.add_argument("--load", type=Path, nargs="*", help="take it from these, measure nothing")
    options = parser.parse_args(arguments)
    if options.load:
        answers = [answer for file in options.load for answer in loaded(file.read_text())]
    else:
        answers = []
        for answer in measured(options):
            answers.append(answer)
            if options.save:  # as it comes: what is interrupted can be loaded
                with options.save.open("a") as file:
                    file.write(saved([answer]))
    print(page(answers))
    if options.list:
        for t in answers:
            if not t.right and t.half == 0:
                stated = f"{100 * t.first.confidence:.0f} %"
                print(f"{stated:>5s} {t.first.code} | {t.name} | {t.note} | {t.first.fix}")
    if options.write:
        before, start, rest = options.write.read_text().partition("<!-- tables -->\n")
        after = rest.partition("<!-- end of tables -->")[2]
        tables = f"{start}\n{page(answers)}\n\n<!-- end of tables -->"
        options.write.write_text(f"{before}{tables}{after}")


if __name__ == "__main__":
    main()
