"""hunt(): many inputs tried on a layer, the first failure shrunk and explained."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gradcheck.hunt.cross_check import agreed, other_failures
from gradcheck.hunt.distributions import FAMILIES
from gradcheck.hunt.example import Example, ExampleOutcome, HuntTrial
from gradcheck.hunt.failure_condition import describe
from gradcheck.hunt.hunt_report import HuntReport
from gradcheck.hunt.input_space import Space, at_random, drawn_from, strategy_of
from gradcheck.hunt.repeated_check import RepeatedCheck
from gradcheck.hunt.shrink import Shrinker
from gradcheck.report.data import Verdict
from gradcheck.report.report import Report
from gradcheck.values import TargetError
from gradcheck_arguments import ArrayTree, NonNegativeInt, Seed, Share, checked

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# Inputs tried after a failure, to see what sets those that fail apart.
AFTERWARDS = 24

INTERRUPTED = "interrupted: there may be smaller inputs that fail, and other causes"


@checked
def hunt(
    layer: Any = None,
    inputs: Any = None,
    *,
    make: Callable[..., Any] | None = None,
    examples: NonNegativeInt = 100,
    seed: Seed = 0,
    tolerance: Share | None = None,
    tensors: str | Iterable[str] | None = None,
    params: ArrayTree | None = None,
) -> HuntReport:
    """Look for inputs at which a gradient is wrong, and shrink the first found to the smallest.

    Finds what a check at one input cannot: errors at ties, at zeros, beyond a threshold, for large
    batches or a batch of one, for sizes that a stride does not divide, from the second call on.

    Parameters
    ----------
    layer
        Anything `check` takes; or a class, or a function without arguments, that makes a fresh
        layer for every input.
    inputs
        A shape such as ``(8, 4)``: the batch, first, varies; ``None`` or a `range` in the place of
        a size lets it vary too. An example array: its shape and dtype; integers stay in the range
        seen, probabilities stay probabilities. A list or tuple of these for several inputs. Or a
        Hypothesis strategy, or a dict or tuple of strategies, one per input.
    make
        In place of ``layer``: makes a fresh one from the inputs, whatever their sizes.
    examples
        Inputs drawn at random, besides one of every family of values and of every special size.
    seed
        Of all random choices: the same seed gives the same report.
    tolerance, tensors, params
        As for `check`.

    Returns
    -------
    HuntReport
        Printable; ``.ok``, ``.minimal``, ``.condition``, ``.report`` and ``.code()``. After
        Ctrl-C, what was found by then, with ``.interrupted`` True.

    Raises
    ------
    TargetError
        If ``layer`` is not recognised.
    TypeError, ValueError
        If an argument cannot be used.

    Notes
    -----
    The inputs of every family are tried first, then Hypothesis searches (D. R. MacIver, Z.
    Hatfield-Dodds et al., "Hypothesis: A new approach to property-based testing", JOSS 4, 2019).
    Inputs at which the layer raises are counted as refused, and are no failures.

    Examples
    --------
    >>> import numpy as np
    >>> def forward(x):
    ...     return np.maximum(x, -1.8), x
    >>> def backward(dout, cache):
    ...     return dout
    >>> report = hunt((forward, backward), (4, 3), examples=20)
    >>> report.minimal[0]
    array([[ 0.,  0., -2.]])
    """
    chosen = None if tensors is None else [tensors] if isinstance(tensors, str) else list(tensors)
    options = {"seed": seed, "tolerance": tolerance, "tensors": chosen, "params": params}
    return _Hunt(RepeatedCheck.of(layer, make, options), seed).run(inputs, examples)


@dataclass
class _Hunt:
    """One hunt, and everything it tried."""

    subject: RepeatedCheck
    seed: int
    trials: list[HuntTrial] = field(default_factory=list)
    failing: Example | None = None
    space: Space | None = None
    notes: list[str] = field(default_factory=list)

    def run(self, inputs: Any, examples: int) -> HuntReport:
        """Search, shrink, describe, explain."""
        interrupted = False
        try:
            self._search(inputs, examples)
            self._shrink()
        except KeyboardInterrupt:
            interrupted = True
        self._refuse_unrecognised()
        return self._report(interrupted)

    def try_(self, example: Example) -> HuntTrial:
        """Try an example and remember what came of it."""
        trial = self.subject.run(example)
        self.trials.append(trial)
        return trial

    def fails(self, example: Example) -> bool:
        """Whether an example fails."""
        return self.try_(example).outcome is ExampleOutcome.FAIL

    def _search(self, inputs: Any, examples: int) -> None:
        """Try the families first, then what Hypothesis draws."""
        if inputs is None:
            raise TypeError(
                "hunt needs inputs: a shape such as (8, 4), an example array, a list of these for "
                "several inputs, or a Hypothesis strategy"
            )
        given = strategy_of(inputs)
        if given is not None:
            self._draw(given, examples, shrink=True)
            return
        self.space = self._settled(Space.of(inputs))
        for example in self.space.pins(self.seed):
            if self.fails(example) and self.failing is None:
                self.failing = example
        if self.failing is None:
            self._draw(drawn_from(self.space, self._accepted(), self.seed), examples, shrink=False)

    def _accepted(self) -> list[str]:
        """Return the families that the layer takes: all, unless its domain is limited."""
        decided = (ExampleOutcome.PASS, ExampleOutcome.FAIL)
        taken = {trial.example.family for trial in self.trials if trial.outcome in decided}
        refused = {t.example.family for t in self.trials if t.outcome is ExampleOutcome.REFUSED}
        return [family for family in FAMILIES if family in taken - refused] or list(FAMILIES)

    def _settled(self, space: Space) -> Space:
        """Find out which inputs share the batch: those that the layer lets vary together."""
        for candidate in space.following():
            for family in ("normal", "positive"):
                trial = self.subject.run(candidate.build(family, space.batch + 1, 0, self.seed))
                if trial.outcome is not ExampleOutcome.REFUSED:
                    return candidate
        if space.slots and space.slots[0].sizes:
            self.notes.append(f"the layer takes no other batch than of {space.batch}")
        return space

    def _draw(self, strategy: SearchStrategy[Example], examples: int, *, shrink: bool) -> None:
        """Have Hypothesis look for a failing example."""
        from hypothesis.errors import Flaky, Unsatisfiable

        from gradcheck.properties.profile import Effort
        from gradcheck.properties.search import run_hypothesis

        if not examples:
            return

        def search(example: Example) -> None:
            if self.fails(example):
                self.failing = example
                raise _FoundError

        try:
            run_hypothesis(strategy, search, Effort(examples, self.seed), shrink=shrink)
        except (_FoundError, Flaky):
            pass
        except Unsatisfiable as error:
            raise ValueError(f"inputs: the strategy gives no examples: {error}") from error

    def _shrink(self) -> None:
        """Make the failing example smaller, then look around for what sets it apart."""
        if self.failing is None or self.space is None:
            return
        found = self.failing

        def fails(example: Example) -> bool:
            if not self.fails(example):
                return False
            self.failing = example
            return True

        plain = replace(found, contract=False)
        if found.contract and fails(plain):
            found = plain
        self.failing = Shrinker(self.space, fails).shrink(found)
        for example in at_random(self.space, self.seed, AFTERWARDS):
            self.try_(replace(example, contract=found.contract))

    def _refuse_unrecognised(self) -> None:
        """Pass on that the layer is no target at all, which no input will change."""
        errors = [trial.error for trial in self.trials]
        if errors and all(isinstance(error, TargetError) for error in errors):
            raise errors[0] or TargetError

    def _report(self, interrupted: bool) -> HuntReport:
        """Put together what is known; after an interruption without another call of the layer."""
        report, condition, failing, subject = None, "", self.failing, self.subject
        if failing is not None:
            report = next((t.report for t in self.trials[::-1] if t.example is failing), None)
            try:
                if not interrupted:
                    condition = describe(
                        tuple(self.trials),
                        failing,
                        lambda e: subject.run(replace(e, contract=failing.contract)),
                    )
                    report = subject.report(failing)
                    report = agreed(report, self._others(failing))
            except KeyboardInterrupt:
                interrupted = True
        return HuntReport(
            subject.layer if subject.make is None else subject.make,
            tuple(self.trials),
            failing,
            report,
            failing.family if failing is not None else "",
            condition,
            self.seed,
            tuple(self.notes) + ((INTERRUPTED,) if interrupted else ()),
            interrupted,
            made=subject.make is not None,
        )

    def _others(self, example: Example) -> list[Report]:
        """Return reports of other failures: what explains those as well is the likelier cause."""
        others = [self.subject.report(e) for e in other_failures(self.trials, example)]
        return [other for other in others if other.verdict is Verdict.FAIL]


class _FoundError(Exception):
    """A failing example was found."""
