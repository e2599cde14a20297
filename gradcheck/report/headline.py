"""The summary of a report: what is wrong, what to change, where, and how that is known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.report.data import Explanation, TensorReport, Verdict
from gradcheck.report.entries import extent
from gradcheck.report.wording import (
    confidence_words,
    elide,
    error_number,
    joined,
    listed,
    printable,
)

if TYPE_CHECKING:
    from gradcheck.report.outcome import Outcome

Line = tuple[str, str]

# What to do about a parameter whose gradient was not seen.
UNSEEN = (
    "return the gradient, or leave it where it is found (self.dW, grads['W']); pass "
    "params={'W': W} for what is trained elsewhere, and tensors=['x'] to leave this out on purpose"
)

# Names of targets can be whole constructor calls.
LONGEST_TARGET = 48


@dataclass(frozen=True)
class Summary:
    """A report in words.

    Attributes
    ----------
    verdict
        The report's.
    title
        What follows the verdict: the target and its fault in one line.
    lines
        Labelled sentences, the most useful first.
    """

    verdict: Verdict
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Attribution:
    """An explanation, with the report in which it stands and the path to it through the parts."""

    path: str
    report: Outcome
    explanation: Explanation

    @property
    def place(self) -> str:
        """The part and the tensor that show the bug."""
        return joined(self.path, self.explanation.tensor)

    def shows(self, tensor: TensorReport) -> bool:
        """Whether the tensor's error is explained: its own bug, or one of the layer as a whole."""
        return not self.explanation.tensors or tensor.name in self.explanation.tensors


def summarize(report: Outcome) -> Summary:
    """Put ``report`` into words, in the order in which they help."""
    parts = {Verdict.FAIL: _failed, Verdict.UNDECIDED: _undecided, Verdict.PASS: _passed}
    title, lines = parts[report.verdict](report)
    kept = tuple(line for line in lines if line[1])
    return Summary(report.verdict, f"{target_name(report)}: {title}", kept)


def target_name(report: Outcome) -> str:
    """Return the target's name, short enough for a headline."""
    return elide(printable(report.target), LONGEST_TARGET)


def deciding_parts(report: Outcome, path: str = "") -> Iterator[tuple[str, Outcome]]:
    """Yield the innermost parts that share the report's verdict; itself where none does."""
    deciding = {
        name: part
        for name, part in report.parts.items()
        if part.judged and part.verdict is report.verdict
    }
    for name, part in deciding.items():
        yield from deciding_parts(part, joined(path, name))
    if not deciding:
        yield path, report


def walk(report: Outcome, path: str = "") -> Iterator[tuple[str, Outcome]]:
    """Yield the report and all its parts, outermost first, each with its path."""
    yield path, report
    for name, part in report.parts.items():
        yield from walk(part, joined(path, name))


def attributions(report: Outcome) -> list[Attribution]:
    """Return all explanations: of the parts that decide the verdict, then of the whole alone."""
    found = [
        Attribution(path, part, explanation)
        for path, part in deciding_parts(report)
        for explanation in part.explanations
    ]
    codes = {attribution.explanation.code for attribution in found}
    own = [Attribution("", report, e) for e in report.explanations if e.code not in codes]
    return found + own


def tensors_not_passed(report: Outcome) -> list[tuple[str, TensorReport]]:
    """Return the tensors that did not pass, in the order of their explanations."""
    explained = attributions(report)
    found = [
        (path, tensor)
        for path, part in deciding_parts(report)
        for tensor in part.tensors.values()
        if tensor.verdict is not Verdict.PASS
    ]

    def turn(item: tuple[str, TensorReport]) -> int:
        path, tensor = item
        turns = (
            turn
            for turn, found in enumerate(explained)
            if found.path == path and tensor.name in found.explanation.tensors
        )
        return next(turns, len(explained))

    return sorted(found, key=turn)


def _failed(report: Outcome) -> tuple[str, list[Line]]:
    found = attributions(report)
    if not found:
        return _unexplained(report)
    first, *others = found
    explanation = first.explanation
    place = f" in {first.place}" if first.place else ""
    shown = [t for t in _with_verdict(first.report, Verdict.FAIL) if first.shows(t)]
    sure = confidence_words(explanation.confidence)
    lines = [
        ("what", explanation.message),
        ("change", explanation.fix),
        ("where", _where(first.path, first.report, shown, layer=not explanation.tensors)),
        ("why", explanation.evidence),
    ]
    lines += [_other(first, other) for other in others]
    unexplained = [
        _extended(tensor, path)
        for path, part in deciding_parts(report)
        for tensor in _with_verdict(part, Verdict.FAIL)
        if not any(a.path == path and a.shows(tensor) for a in found)
    ]
    if unexplained:
        lines.append(("also", f"wrong and unexplained: {'; '.join(unexplained)}"))
    lines.append(("page", explanation.page))
    more = sum(label == "also" for label, _ in lines)
    return f"{explanation.code}{place}  ({sure})" + (f", and {more} more" if more else ""), lines


def _where(path: str, part: Outcome, wrong: list[TensorReport], *, layer: bool = False) -> str:
    """Name the wrong entries of the wrong tensors, and the right tensors."""
    places = ["the layer as a whole"] if layer else []
    places += [_extended(tensor) for tensor in wrong]
    right = [tensor.name for tensor in _with_verdict(part, Verdict.PASS)]
    if right:
        places.append(f"{listed(right)} {'is' if len(right) == 1 else 'are'} right")
    owner = f"{printable(path)}, {target_name(part)}: " if path else ""
    return owner + "; ".join(places)


def _extended(tensor: TensorReport, path: str = "") -> str:
    return ", ".join(part for part in (joined(path, tensor.name), extent(tensor)) if part)


def _other(first: Attribution, other: Attribution) -> Line:
    """A rival of the first explanation begins with "or", another bug with "also"."""
    same_place = (other.path, other.explanation.tensors) == (first.path, first.explanation.tensors)
    explanation = other.explanation
    number = explanation.support.alternative
    together = number is not None and number == first.explanation.support.alternative
    place = f" in {other.place}" if other.place and not same_place else ""
    sure = confidence_words(explanation.confidence)
    sentences = [f"{explanation.code}{place} ({sure})", explanation.message]
    text = ": ".join(sentence for sentence in sentences if sentence)
    change = f"\nchange: {explanation.fix}" if explanation.fix else ""
    return "or" if same_place and not together else "also", text + change


def _unexplained(report: Outcome) -> tuple[str, list[Line]]:
    """Describe a failure for which no explanation was sought or found."""
    path, part = next(deciding_parts(report))
    wrong = _with_verdict(part, Verdict.FAIL)
    if not wrong:
        broken = (p for p in part.contract.values() if p.required and p.verdict is Verdict.FAIL)
        first = next(broken)
        subject = f"{printable(path)} breaks" if path else "breaks"
        return f"{subject} the promise {first.name}", [("why", first.measurement)]
    worst = max(wrong, key=lambda tensor: tensor.relative_error)
    error, bound = error_number(worst.relative_error), error_number(worst.error_bound)
    count = "gradients of" if len(wrong) > 1 else "gradient of"
    return f"wrong {count} {listed([joined(path, tensor.name) for tensor in wrong])}", [
        ("what", worst.reason),
        ("change", "compare the backward with what the forward does at the entries named here"),
        ("where", _where(path, part, wrong)),
        (
            "why",
            f"the relative error of {joined(path, worst.name)} is {error}, the error bound of the "
            f"numerical gradient {bound}",
        ),
    ]


def _undecided(report: Outcome) -> tuple[str, list[Line]]:
    names: list[str] = []
    causes: dict[tuple[str, str], list[str]] = {}
    for path, part in deciding_parts(report):
        for tensor in _with_verdict(part, Verdict.UNDECIDED):
            names.append(joined(path, tensor.name))
            # by convention a reason may end in "; " and a way out
            reason, _, way_out = (tensor.reason or "no reason was given").partition("; ")
            causes.setdefault((reason, way_out or _way_out(tensor)), []).append(names[-1])
        for promise in part.contract.values():
            if promise.required and promise.verdict is Verdict.UNDECIDED:
                names.append(f"the promise {joined(path, promise.name)}")
                causes.setdefault((promise.measurement, ""), []).append(names[-1])
        for array in part.unchecked:
            if array.is_owed:
                names.append(joined(path, array.name))
                reason, _, way_out = array.reason.partition("; ")
                causes.setdefault((reason, way_out or UNSEEN), []).append(names[-1])
    if not names:
        way_out = "give float arrays as inputs or parameters: integers have no derivative"
        return "nothing was checked", [("why", "no tensor was judged"), ("change", way_out)]
    lines = [
        line
        for (reason, way_out), concerned in causes.items()
        for line in (("why", f"{listed(concerned)}: {reason}"), ("change", way_out))
    ]
    return f"{listed(names)} could not be judged", lines


def _way_out(tensor: TensorReport) -> str:
    if tensor.dtype in ("float16", "float32", "bfloat16"):
        return "check the layer in float64: the numerical derivative is more exact there"
    return "check at another input, with values of ordinary size"


def _passed(report: Outcome) -> tuple[str, list[Line]]:
    found = [tensor.resolution for tensor in measured(report)]
    if not found:
        return "right; there was no gradient to measure", []
    return f"right; a relative error above {max(found):.1g} would have been detected", []


def measured(report: Outcome) -> list[TensorReport]:
    """Return the tensors whose gradients were measured, those of the parts included."""
    tensors = (tensor for _, part in walk(report) for tensor in part.tensors.values())
    return [tensor for tensor in tensors if tensor.resolution < math.inf]


def _with_verdict(report: Outcome, verdict: Verdict) -> list[TensorReport]:
    return [tensor for tensor in report.tensors.values() if tensor.verdict is verdict]
