"""The contract and the notes of a report, as labelled sentences."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.report.causes import walk
from gradcheck.report.data import PromiseStatus
from gradcheck.report.headline import Line
from gradcheck.report.wording import joined, listed, plural, printable

if TYPE_CHECKING:
    from gradcheck.report.outcome import Outcome

# What each word means, in the order in which they are shown; "passed" explains itself.
LEGEND = {
    PromiseStatus.FAILED: "a fault of the layer",
    PromiseStatus.NOT_MEASURED: "neither shown nor refuted",
    PromiseStatus.NOTED: "a fault only if the layer is meant to do otherwise",
}


@dataclass(frozen=True)
class Contract:
    """The promises of a report that a reader should know of.

    Attributes
    ----------
    lines
        A sentence for each, behind the word for how it came out: faults first.
    legend
        What the words mean, as far as they occur.
    """

    lines: tuple[Line, ...]
    legend: str


def contract_of(report: Outcome) -> Contract:
    """Return the promises that failed, could not be measured, or are noted.

    Of a report that did not pass, also those that passed, so that nobody looks for them.
    """
    promises = [(path, p) for path, part in walk(report) for p in part.contract.values()]
    lines: list[Line] = []
    for status in LEGEND:
        found = _gathered(
            (f"{promise.name}: {promise.measurement}", path)
            for path, promise in promises
            # what is not required and does not apply to the layer is no news
            if promise.status is status and (promise.required or promise.holds is False)
        )
        lines += [(str(status), _preceded(paths, sentence)) for sentence, paths in found.items()]
    words = legend({label for label, _ in lines})
    passed = [promise.name for promise in report.contract.values() if promise.holds]
    if passed and not report.ok:
        lines.append((str(PromiseStatus.PASSED), ", ".join(passed)))
    return Contract(tuple(lines), words)


def legend(words: Set[str]) -> str:
    """Return in brackets what these words mean, as far as they do not explain themselves."""
    meanings = [f"{word}: {meaning}" for word, meaning in LEGEND.items() if word in words]
    return f"({'; '.join(meanings)})" if meanings else ""


def note_lines(report: Outcome) -> list[Line]:
    """Return the notes, each once with all that it concerns, and how to get the same report."""
    parts = list(walk(report))
    unchecked = _gathered(
        (array.reason, joined(path, array.name)) for path, part in parts for array in part.unchecked
    )
    sentences = [
        f"not checked: {', '.join(map(printable, names))}: {reason}"
        for reason, names in unchecked.items()
    ]
    concerned: list[tuple[str, str]] = []
    for path, part in parts:
        concerned += [(note, path) for note in part.notes]
        for tensor in part.tensors.values():
            concerned += [(note, joined(path, tensor.name)) for note in tensor.notes]
    sentences += [_preceded(names, note) for note, names in _gathered(concerned).items()]
    cost = f"the gradients took {plural(report.forwards, 'forward call')}"
    rerun = ("rerun", f"seed={report.seed} gives the same report; {cost}")
    return [*(("note", sentence) for sentence in sentences), rerun]


def _gathered(found: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return every sentence once, with the names of all that it concerns."""
    names: dict[str, list[str]] = {}
    for sentence, name in found:
        if name not in names.setdefault(sentence, []):
            names[sentence].append(name)
    return names


def _preceded(names: list[str], sentence: str) -> str:
    """Put the names before the sentence; what concerns the whole needs none."""
    return sentence if "" in names else f"{listed(names)}: {sentence}"
