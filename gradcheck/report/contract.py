"""The contract and the notes of a report, as labelled sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gradcheck.report.headline import Line, walk
from gradcheck.report.wording import joined, listed, plural, printable

if TYPE_CHECKING:
    from gradcheck.report.data import PromiseReport
    from gradcheck.report.outcome import Outcome


def contract_lines(report: Outcome) -> list[Line]:
    """Return what is owed: broken and open promises first, then facts that do not hold.

    Of a report that did not pass, also what was kept, so that it need not be looked at.
    """
    found = [(path, promise) for path, part in walk(report) for promise in part.contract.values()]
    required = [(path, promise) for path, promise in found if promise.required]
    facts = [(path, promise) for path, promise in found if not promise.required]
    lines = _evidence("BROKEN", (item for item in required if item[1].holds is False))
    lines += _evidence("open", (item for item in required if item[1].holds is None))
    lines += _evidence("fact", (item for item in facts if item[1].holds is False))
    if not report.ok:
        own = [promise for promise in report.contract.values() if promise.holds]
        lines += _names("kept", [promise.name for promise in own if promise.required])
        lines += _names("holds", [promise.name for promise in own if not promise.required])
    return lines


def note_lines(report: Outcome) -> list[Line]:
    """Return the notes, each once with all that it is said of, and how to get the same again."""
    said: dict[str, list[str]] = {}
    for path, part in walk(report):
        for note in part.notes:
            said.setdefault(note, []).append(path)
        for tensor in part.tensors.values():
            for note in tensor.notes:
                said.setdefault(note, []).append(joined(path, tensor.name))
    notes = [("note", _said_of(names, note)) for note, names in said.items()]
    spent = f"{plural(report.forwards, 'forward')} spent on the gradients"
    return [
        *_unchecked(report),
        *notes,
        ("again", f"seed={report.seed} gives the same report; {spent}"),
    ]


def _unchecked(report: Outcome) -> list[Line]:
    """Name what is not checked, by the reason why."""
    reasons: dict[str, list[str]] = {}
    for path, part in walk(report):
        for array in part.unchecked:
            reasons.setdefault(array.reason, []).append(joined(path, array.name))
    return [
        ("note", f"not checked: {', '.join(map(printable, dict.fromkeys(names)))}: {reason}")
        for reason, names in reasons.items()
    ]


def _evidence(label: str, promises: Iterable[tuple[str, PromiseReport]]) -> list[Line]:
    """Say each finding once, with the parts in which it was made."""
    said: dict[str, list[str]] = {}
    for path, promise in promises:
        name = promise.name if promise.required else f"{promise.name} does not hold"
        said.setdefault(f"{name}: {promise.evidence}", []).append(path)
    return [(label, _said_of(paths, finding)) for finding, paths in said.items()]


def _said_of(names: list[str], sentence: str) -> str:
    """Put the names before the sentence; what is said of the whole needs none."""
    return sentence if "" in names else f"{listed(list(dict.fromkeys(names)))}: {sentence}"


def _names(label: str, names: list[str]) -> list[Line]:
    return [(label, ", ".join(names))] if names else []
