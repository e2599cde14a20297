"""What a check found, as plain immutable data: verdicts, entries, explanations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.report.edit import Edit

FloatArray = NDArray[np.floating[Any]]

# Where the documentation is: a folder of the repository, or the address of a site.
DOCUMENTATION = "docs"


class Verdict(StrEnum):
    """Outcome of one judgement; of several, the worst counts: FAIL > UNDECIDED > PASS."""

    PASS = "PASS"
    UNDECIDED = "UNDECIDED"
    FAIL = "FAIL"

    @classmethod
    def worst(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """Return the worst of ``verdicts``, PASS when there are none."""
        return max(verdicts, key=list(cls).index, default=cls.PASS)


@dataclass(frozen=True)
class Entry:
    """One entry of a gradient: what backward returns, what was measured, and how exactly.

    ``index`` is the position in the tensor; ``bound`` limits the error of ``numerical``.
    """

    index: tuple[int, ...]
    analytic: float
    numerical: float
    bound: float

    @property
    def ratio(self) -> float:
        """Analytic over numerical; NaN where both vanish."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.float64(self.analytic) / np.float64(self.numerical))


@dataclass(frozen=True)
class Support:
    """What an explanation rests on.

    Attributes
    ----------
    kind
        How it was found: a ``"change"`` of the code that was run and verified, a ``"change of the
        forward"``, the ``"place"`` of such a change, a ``"promise"`` broken, a ``"pattern"`` along
        random directions, one of the ``"whole"`` tensor, a ``"step"`` of the recorded forward, a
        ``"description"`` of the numbers, a measured ``"fact"``, or ``"nothing"``.
    numbers, fitted
        Numbers of the analytic gradient that it predicts, and how many of them were taken from it.
    rivals
        Others that fit as well and are as short.
    alternative
        Explanations of a tensor with the same number hold together, all others exclude each other;
        -1 for a change that was verified.
    promise
        The promise of the contract whose breach it is, if it is one.
    """

    kind: str = "fact"
    numbers: int = 0
    fitted: int = 0
    rivals: int = 0
    alternative: int | None = None
    promise: str = ""


@dataclass(frozen=True)
class Explanation:
    """A bug that would produce exactly the error that was measured.

    Attributes
    ----------
    code
        Stable name of the bug, such as ``"summed_to_scalar"``.
    tensors
        The tensors whose gradients show it; none for the layer as a whole.
    confidence
        How sure it is that this is the bug, in [0, 1], calibrated on layers whose bug is known:
        see ``docs/certainty.md``. Those of alternatives add up to at most 1.
    evidence
        The numbers behind it, as one sentence.
    message
        What is wrong, in words.
    fix
        The line to change.
    support
        What it rests on.
    factor, bound
        What was measured of analytic over predicted gradient, and the error of that; None where
        no factor was fitted.
    edits
        The changes of the user's source that were seen to make the gradients right.
    places
        Where no such change is known: file and line of the few statements, one of which is wrong
        if the mistake is in one place.
    """

    code: str
    tensors: tuple[str, ...]
    confidence: float
    evidence: str
    message: str
    fix: str
    support: Support = Support()
    factor: float | None = None
    bound: float = 0.0
    edits: tuple[Edit, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def tensor(self) -> str:
        """The names of the tensors as one text; ``""`` for the layer as a whole."""
        return ", ".join(self.tensors)

    @property
    def page(self) -> str:
        """Page of the bug catalogue: cause, picture, example, fix, and what it is taken for."""
        return f"{DOCUMENTATION}/bugs/{self.code}.md"


@dataclass(frozen=True)
class JacobianReport:
    """Where a claimed Jacobian, (outputs, entries), was seen to be wrong; in words: ``region``.

    ``matrices`` are it, the numerical one, and which entries are wrong, where all were looked at.
    """

    shape: tuple[int, int]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    region: str
    worst: tuple[Entry, ...]
    matrices: tuple[FloatArray, ...] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class TensorReport:
    """The judgement of one tensor's gradient.

    Attributes
    ----------
    name, shape, dtype, role
        The tensor; ``role`` is ``"input"`` or ``"parameter"``.
    verdict, reason
        The judgement and, unless it is PASS, one sentence why.
    relative_error
        Largest measured error over the directions tried, relative to the gradient's scale.
    error_bound
        Bound on the error of the numerical derivative, on the same relative scale.
    resolution
        Smallest relative error of the gradient that this check could have seen.
    worst
        The worst wrong entries, worst first; none where two others show what one change corrects.
    region
        The rows, columns, samples or channels that hold all that is wrong, in words; empty where
        it is not confined to a few of them.
    jacobian
        Where the Jacobian is wrong that the gradient is made of; None where none was claimed.
    explanations
        Bugs that fit the error, best first.
    forwards, backwards
        Calls spent on this tensor; those for several at once stand with one of them.
    analytic, numerical
        The gradients side by side where both are known entry by entry (NaN: not measured).
    notes
        Facts worth knowing that are no fault, such as a kink at the point.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    role: str
    verdict: Verdict
    reason: str = ""
    relative_error: float = 0.0
    error_bound: float = 0.0
    resolution: float = 0.0
    worst: tuple[Entry, ...] = ()
    region: str = ""
    jacobian: JacobianReport | None = None
    explanations: tuple[Explanation, ...] = ()
    forwards: int = 0
    backwards: int = 0
    analytic: FloatArray | None = field(default=None, repr=False, compare=False)
    numerical: FloatArray | None = field(default=None, repr=False, compare=False)
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the gradient was judged, and is right."""
        return self.verdict is Verdict.PASS

    def __bool__(self) -> bool:
        """Return `ok`."""
        return self.ok

    def __repr__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        return f"<TensorReport {self.verdict}  {self.name}{list(self.shape)}{reason}>"


class TensorReports(dict[str, TensorReport]):
    """Reports by tensor name; the first input also answers to ``"x"``, whatever it is called."""

    def __missing__(self, name: str) -> TensorReport:
        inputs = [report for report in self.values() if report.role == "input"]
        if name == "x" and inputs:
            return inputs[0]
        raise KeyError(f"no tensor {name!r} was checked; there are {', '.join(self)}")


class PromiseStatus(StrEnum):
    """How a promise of the contract came out, in the words of reports."""

    FAILED = "FAILED"
    NOT_MEASURED = "not measured"
    NOTED = "noted"
    PASSED = "passed"


@dataclass(frozen=True)
class PromiseReport:
    """One promise of the layer's contract.

    Attributes
    ----------
    holds
        Whether it holds; None when that could not be measured.
    required
        Whether a breach is a fault. Whether a breach of any other promise is one depends on
        what the layer is for: it is noted, and its verdict is UNDECIDED.
    measurement
        What was measured, as one sentence.
    """

    name: str
    holds: bool | None
    required: bool
    measurement: str

    @property
    def status(self) -> PromiseStatus:
        """FAILED is a fault, NOTED is a breach that need not be one."""
        if self.holds is None:
            return PromiseStatus.NOT_MEASURED
        if self.holds:
            return PromiseStatus.PASSED
        return PromiseStatus.FAILED if self.required else PromiseStatus.NOTED

    @property
    def verdict(self) -> Verdict:
        """PASS when the promise holds, FAIL when a required one does not, else UNDECIDED."""
        if self.holds:
            return Verdict.PASS
        return Verdict.FAIL if self.holds is False and self.required else Verdict.UNDECIDED


@dataclass(frozen=True)
class Unchecked:
    """An array that the output depends on, and whose gradient was not judged.

    Attributes
    ----------
    name
        What it is called where it is kept, such as ``"layers[0].W"``.
    role
        ``"parameter"``, whose gradient is owed, so that nothing passes without it; ``"input"``,
        data that backward returns no gradient of; ``"constant"``, which nothing marks as trained;
        ``"frozen"``; or ``"excluded"``, left out by the caller.
    reason
        Why it was not judged.
    value
        The array, where it is one of NumPy's.
    """

    name: str
    role: str
    reason: str
    value: FloatArray | None = field(default=None, repr=False, compare=False)

    @property
    def is_owed(self) -> bool:
        """Whether nothing passes without its gradient."""
        return self.role == "parameter"
