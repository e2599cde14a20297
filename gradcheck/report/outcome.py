"""What a check found out, as plain data: verdicts, contract and explanations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gradcheck.report.data import Explanation, PromiseReport, TensorReport, Unchecked, Verdict


@dataclass(frozen=True)
class Outcome:
    """Everything a check found out about one layer, loss or network.

    Attributes
    ----------
    target
        What was checked, such as ``"Dense(3 -> 4)"``.
    tensors
        The judgement of each tensor's gradient, by tensor name.
    contract
        What the layer owes besides right numbers, by promise name.
    explanations
        Bugs that fit what was measured, best first.
    seed
        Seed of all random choices: the same seed gives the same report.
    notes
        Facts about the whole check that are no fault.
    parts
        For a network, the report of each layer, checked at the activations that reach it; for a
        PyTorch function, that of its ``jvp``.
    interrupted
        Whether Ctrl-C ended the check before everything was judged.
    points
        Where several points were checked, the report of each by its position among those given,
        the worst first, which this one repeats; its causes alone were looked for.
    unchecked
        Arrays that the output depends on and whose gradients were not judged, with the reasons.
    """

    target: str
    tensors: Mapping[str, TensorReport]
    contract: Mapping[str, PromiseReport]
    explanations: tuple[Explanation, ...]
    seed: int = 0
    notes: tuple[str, ...] = ()
    parts: Mapping[str, Outcome] = field(default_factory=dict)
    points: Mapping[int, Outcome] = field(default_factory=dict)
    interrupted: bool = False
    unchecked: tuple[Unchecked, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Worst verdict of tensors, required promises, parts and points; UNDECIDED if none.

        Nor is anything better than UNDECIDED where a parameter was not judged whose gradient is
        owed.
        """
        verdicts = [tensor.verdict for tensor in self.tensors.values()]
        verdicts += [promise.verdict for promise in self.contract.values() if promise.required]
        verdicts += [part.verdict for part in self.parts.values() if part.judged]
        verdicts += [point.verdict for point in self.points.values()]
        if not verdicts or any(array.is_owed for array in self.unchecked):
            verdicts.append(Verdict.UNDECIDED)
        return Verdict.worst(verdicts)

    @property
    def ok(self) -> bool:
        """Whether everything judged passed, and anything was judged at all."""
        return self.verdict is Verdict.PASS

    def __bool__(self) -> bool:
        """Return `ok`, so that ``assert check(...)`` asserts what it says."""
        return self.ok

    @property
    def forwards(self) -> int:
        """Forward calls spent on tensors, those of the parts, or of all points, included."""
        if self.points:
            return sum(point.forwards for point in self.points.values())
        own = sum(tensor.forwards for tensor in self.tensors.values())
        return own + sum(part.forwards for part in self.parts.values())

    @property
    def judged(self) -> bool:
        """Whether there was any tensor or required promise to judge."""
        required = any(promise.required for promise in self.contract.values())
        return bool(self.tensors) or required or any(part.judged for part in self.parts.values())
