"""The summary of a report: what is wrong, what to change, where, and how that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.report.causes import Cause, causes, deciding_parts, measured, with_verdict
from gradcheck.report.data import TensorReport, Verdict
from gradcheck.report.entries import extent
from gradcheck.report.wording import (
    confidence_words,
    error_number,
    joined,
    listed,
    printable,
    signature,
)

if TYPE_CHECKING:
    from gradcheck.report.outcome import Outcome

Line = tuple[str, str]
# The words before the names of the tensors concerned, the names, and the words after them.
Title = tuple[str, list[str], str]

# What to do about a parameter whose gradient was not seen.
UNSEEN = (
    "return the gradient, or leave it where it is found (self.dW, grads['W']); pass "
    "params={'W': W} for what is trained elsewhere, and tensors=['x'] to leave this out on purpose"
)

# Names of targets can be whole constructor calls. In a full line they give way to the fault.
LONGEST_TARGET = 48
SHORTEST_TARGET = 24

# How many tensors a title names and how long each may be, for as long as it does not fit.
FEWER_NAMES = ((4, 40), (3, 40), (2, 30), (1, 30), (1, 16), (1, 8))

# In brief: the places of a cause, and the causes or reasons besides the first.
MOST_PLACES = 3
MOST_OTHERS = 3


@dataclass(frozen=True)
class Summary:
    """A report in words.

    Attributes
    ----------
    verdict, target
        The report's.
    before, names, after
        What is wrong in one line: the words before and after the tensors concerned.
    lines
        Labelled sentences, the most useful first.
    """

    verdict: Verdict
    target: str
    before: str
    names: tuple[str, ...]
    after: str
    lines: tuple[Line, ...]

    @property
    def found(self) -> str:
        """What is wrong, in one line."""
        return f"{self.before}{listed(self.names)}{self.after}"

    @property
    def title(self) -> str:
        """What follows the verdict: the target and its fault in one line."""
        return f"{signature(self.target, LONGEST_TARGET)}: {self.found}"

    def title_within(self, room: int) -> str:
        """Return the title, with fewer names and arguments where it is longer than ``room``."""
        for count, longest in FEWER_NAMES:
            found = f"{self.before}{listed(self.names, count, longest)}{self.after}"
            left = room - len(found) - len(": ")
            if left >= min(len(self.target), SHORTEST_TARGET):
                break
        return f"{signature(self.target, max(left, SHORTEST_TARGET))}: {found}"


def summarize(report: Outcome, *, brief: bool = False) -> Summary:
    """Put ``report`` into words, in the order in which they help.

    Parameters
    ----------
    report
        What to summarize.
    brief
        Whether to say in a line what repeats itself: count what is more of the same, and leave out
        what other causes rest on.
    """
    parts = {Verdict.FAIL: _failed, Verdict.UNDECIDED: _undecided, Verdict.PASS: _passed}
    (before, names, after), lines = parts[report.verdict](report, brief)
    kept = tuple(line for line in lines if line[1])
    return Summary(report.verdict, report.target, before, tuple(names), after, kept)


def _failed(report: Outcome, brief: bool) -> tuple[Title, list[Line]]:
    found = causes(report)
    if not found:
        return _unexplained(report, brief)
    first, *others = found
    explanation = first.explanation
    also = [_other(first, other, brief) for other in others]
    unexplained = [
        joined(path, tensor.name) if brief else _extended(tensor, path)
        for path, part in deciding_parts(report)
        for tensor in with_verdict(part, Verdict.FAIL)
        if not any(a.path == path and a.shows(tensor) for c in found for a in c.attributions)
    ]
    if unexplained:
        names = listed(unexplained) if brief else "; ".join(unexplained)
        also.insert(0 if brief else len(also), ("also", f"wrong and unexplained: {names}"))
    more = sum(label == "also" for label, _ in also)
    if brief and len(also) > MOST_OTHERS:
        left = len(also) - MOST_OTHERS
        also[MOST_OTHERS:] = [("more", f"{left} more {'cause' if left == 1 else 'causes'}")]
    lines = [
        ("what", explanation.message),
        ("change", explanation.fix),
        ("where", _where_it_shows(first, brief)),
        ("why", explanation.evidence),
        *also,
        ("page", explanation.page),
    ]
    sure = f"  ({confidence_words(explanation.confidence)})"
    after = sure + (f", and {more} more" if more else "")
    return (f"{explanation.code}{' in ' if first.places else ''}", first.places, after), lines


def _where_it_shows(cause: Cause, brief: bool) -> str:
    first, *others = cause.attributions
    shown = [t for t in with_verdict(first.report, Verdict.FAIL) if first.shows(t)]
    layer = not first.explanation.tensors
    text = _where(first.path, first.report, shown, brief, layer=layer)
    places = [place for other in others for place in other.places]
    same = f"; the same in {listed(places) if brief else ', '.join(places)}" if places else ""
    return text + same


def _where(
    path: str, part: Outcome, wrong: list[TensorReport], brief: bool, *, layer: bool = False
) -> str:
    """Name the wrong entries of the wrong tensors, and the right tensors."""
    places = ["the layer as a whole"] if layer else []
    places += [_extended(tensor) for tensor in wrong]
    left = len(places) - MOST_PLACES
    if brief and left > 0:
        places[MOST_PLACES:] = [f"{left} more"]
    right = [tensor.name for tensor in with_verdict(part, Verdict.PASS)]
    if right:
        places.append(f"{listed(right)} {'is' if len(right) == 1 else 'are'} right")
    owner = f"{printable(path)}, {signature(part.target, LONGEST_TARGET)}: " if path else ""
    return owner + "; ".join(places)


def _extended(tensor: TensorReport, path: str = "") -> str:
    return ", ".join(part for part in (joined(path, tensor.name), extent(tensor)) if part)


def _other(first: Cause, other: Cause, brief: bool) -> Line:
    """A rival of the first explanation begins with "or", another bug with "also"."""
    same_place = other.places == first.places
    explanation = other.explanation
    number = explanation.support.alternative
    together = number is not None and number == first.explanation.support.alternative
    label = "or" if same_place and not together else "also"
    names = listed(other.places, 4 if brief else len(other.places))
    place = f" in {names}" if names and not same_place else ""
    title = f"{explanation.code}{place} ({confidence_words(explanation.confidence)})"
    if brief:
        return label, f"{title}: {explanation.fix or explanation.message}"
    text = ": ".join(sentence for sentence in (title, explanation.message) if sentence)
    change = f"\nchange: {explanation.fix}" if explanation.fix else ""
    why = f"\nwhy: {explanation.evidence}" if explanation.evidence else ""
    return label, text + change + why


def _unexplained(report: Outcome, brief: bool) -> tuple[Title, list[Line]]:
    """Describe a failure for which no explanation was sought or found."""
    path, part = next(deciding_parts(report))
    wrong = with_verdict(part, Verdict.FAIL)
    if not wrong:
        broken = (p for p in part.contract.values() if p.required and p.verdict is Verdict.FAIL)
        first = next(broken)
        subject = f"{printable(path)} breaks" if path else "breaks"
        return (f"{subject} the promise {first.name}", [], ""), [("why", first.measurement)]
    worst = max(wrong, key=lambda tensor: tensor.relative_error)
    error, bound = error_number(worst.relative_error), error_number(worst.error_bound)
    count = "gradients of" if len(wrong) > 1 else "gradient of"
    return (f"wrong {count} ", [joined(path, tensor.name) for tensor in wrong], ""), [
        ("what", worst.reason),
        ("change", "compare the backward with what the forward does at the entries named here"),
        ("where", _where(path, part, wrong, brief)),
        (
            "why",
            f"the relative error of {joined(path, worst.name)} is {error}, the error bound of the "
            f"numerical gradient {bound}",
        ),
    ]


def _undecided(report: Outcome, brief: bool) -> tuple[Title, list[Line]]:
    names: list[str] = []
    reasons: dict[tuple[str, str], list[str]] = {}
    for path, part in deciding_parts(report):
        for tensor in with_verdict(part, Verdict.UNDECIDED):
            names.append(joined(path, tensor.name))
            # by convention a reason may end in "; " and a way out
            reason, _, way_out = (tensor.reason or "no reason was given").partition("; ")
            reasons.setdefault((reason, way_out or _way_out(tensor)), []).append(names[-1])
        for promise in part.contract.values():
            if promise.required and promise.verdict is Verdict.UNDECIDED:
                names.append(f"the promise {joined(path, promise.name)}")
                reasons.setdefault((promise.measurement, ""), []).append(names[-1])
        for array in part.unchecked:
            if array.is_owed:
                names.append(joined(path, array.name))
                reason, _, way_out = array.reason.partition("; ")
                reasons.setdefault((reason, way_out or UNSEEN), []).append(names[-1])
    if not names:
        way_out = "give float arrays as inputs or parameters: integers have no derivative"
        lines = [("why", "no tensor was judged"), ("change", way_out)]
        return ("nothing was checked", [], ""), lines
    told = list(reasons.items())[: MOST_OTHERS if brief else None]
    lines = [
        line
        for (reason, way_out), concerned in told
        for line in (("why", f"{listed(concerned)}: {reason}"), ("change", way_out))
    ]
    left = len(reasons) - len(told)
    if left:
        lines.append(("more", f"{left} more {'reason' if left == 1 else 'reasons'}"))
    return ("", names, " could not be judged"), lines


def _way_out(tensor: TensorReport) -> str:
    if tensor.dtype in ("float16", "float32", "bfloat16"):
        return "check the layer in float64: the numerical derivative is more exact there"
    return "check at another input, with values of ordinary size"


def _passed(report: Outcome, brief: bool) -> tuple[Title, list[Line]]:
    found = [tensor.resolution for tensor in measured(report)]
    seen = f"a relative error above {max(found, default=0):.1g} would have been detected"
    return (f"right; {seen if found else 'there was no gradient to measure'}", [], ""), []
