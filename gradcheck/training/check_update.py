"""Checks the gradient that a training step implies which only updates its parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.adapters.discovery.coverage import Coverage
from gradcheck.checking.context import CheckContext
from gradcheck.checking.evaluator import Evaluator, Linearization
from gradcheck.checking.measurer import ROUNDINGS
from gradcheck.explain.catalogue import Bug, Trait
from gradcheck.report.data import Entry, Explanation, TensorReports, Verdict
from gradcheck.report.report import Report
from gradcheck.runner import Runner
from gradcheck.state import StateSnapshot
from gradcheck.training.optimizer_rules import recognised
from gradcheck.training.step import SAME, StepDynamics, Update, matters, parameters_of
from gradcheck_arguments import Finite, Seed, Share, checked

if TYPE_CHECKING:
    from gradcheck.explain.observation import Observation
    from gradcheck.formulas.losses import Losses

UNMOVED = (
    "the loss depends on it, and the step leaves it as it is; update it too, say frozen = True in "
    "its object, or say in params what is trained"
)


@checked
def check_update(
    step: Callable[[], Any],
    params: Any,
    loss: Callable[[], float],
    *,
    learning_rate: Finite,
    predict: Callable[[Any], Any] | None = None,
    inputs: Any = None,
    targets: Any = None,
    tolerance: Share | None = None,
    seed: Seed = 0,
) -> Report:
    """Check the gradient that one training step implies: (before - after) / learning rate.

    Nothing of the training code has to be taken apart: ``step`` changes the parameters, and the
    change is compared with the numerical gradient of the loss it claims to descend. Afterwards
    everything is as before.

    Parameters
    ----------
    step
        Makes one plain gradient step, changing ``params`` in place.
    params
        The arrays that ``step`` changes: a dict or list of them, an object with them as its
        ``params`` or attributes, or a function that returns those in use (``lambda: [net.W]``).
        Steps that rebind (``self.W = self.W - ...``) need the object.
    loss
        Returns the loss that is reported, at the current parameters.
    learning_rate
        Of the step.
    predict, inputs, targets
        Where given, a wrong step is explained by the predictions ``predict(inputs)`` and the
        targets (class indices or rows like the predictions): another loss descended, only the
        last sample counted, samples that depend on one another.
    tolerance, seed
        As for `check`.

    Returns
    -------
    Report
        One verdict per parameter. A step that is no plain descent is no wrong one for that: the
        velocity of momentum is taken off; clipping, averaged and adaptive steps (Adam, RMSProp) are
        undecided, as only their size is another, and named with their numbers; weight decay that
        the loss is without is a fault of one of the two. See `gradcheck.training.optimizer_rules`.

    Raises
    ------
    ValueError
        If the step changes nothing, or an argument does not fit.
    """
    if not learning_rate:
        raise ValueError(f"learning_rate={learning_rate!r}: expected a number other than zero")
    snapshot = StateSnapshot([step, loss, predict, params, inputs])
    with snapshot.guarded():
        if np.size(reported := loss()) != 1:
            raise ValueError(
                f"loss returned shape {np.shape(reported)}: expected one number; return its mean "
                "or sum, whichever the step descends"
            )
        accessors = parameters_of(params, step, loss, snapshot)
        if not any(matters(accessor, loss, snapshot) for accessor in accessors.values()):
            raise ValueError(
                f"loss returns the same number wherever {', '.join(accessors)} are: let it compute "
                "the loss anew, from the very parameters that the step changes"
            )
        update = Update(step, accessors, loss, learning_rate, snapshot)
        seen = update.observe()
        subject = update.target()
        subject.uncovered = Coverage(
            (params, loss, step),
            lambda: accessors.values(),
            (inputs, targets),
            requested=isinstance(params, Mapping | list | tuple),
            reason=UNMOVED,
        )
        context = CheckContext(subject, seed)
        predictions = _Predictions.of(context, update, predict, inputs, targets)
        explainer = None if predictions is None else predictions.explain
        runner = Runner(context, "project", tolerance, explainer=explainer)
        report = runner.report(list(accessors), False, seed)
        failed = [name for name, part in report.tensors.items() if part.verdict is Verdict.FAIL]
        if report.interrupted:
            return report
        rule = recognised(context, failed) if failed and not seen.random else None
        if rule is not None and not rule.of_size:
            report = replace(report, explanations=(rule.explanation,))
        elif rule is not None:
            reason = f"{rule.explanation.message}; {rule.explanation.fix}"
            report = as_undecided(report, reason, failed)
        return _restated(report, seen, learning_rate)


def _restated(report: Report, seen: StepDynamics, learning_rate: float) -> Report:
    """Return the report with what is known of a step: its momentum, its rate, its randomness."""
    notes = (*report.notes, seen.note) if seen.note else report.notes
    if seen.random:
        return replace(as_undecided(report, seen.note), notes=notes)
    factors = [_common_factor(explanation, report) for explanation in report.explanations]
    if factors and all(abs(factor - (1 - seen.momentum)) < SAME for factor in factors):
        twice = _is_twice(factors[0], learning_rate)
        reason = (
            f"the velocity is an average, momentum {seen.momentum:.4g} and {factors[0]:.4g} of the "
            f"gradient: a single step has {factors[0]:.4g} of the learning rate"
            f"{', unless that is applied twice' if twice else ''}; pass "
            f"learning_rate={learning_rate * factors[0]:.4g} to have that judged"
        )
        return replace(as_undecided(report, reason), notes=notes)
    explanations = tuple(
        e if math.isnan(factor) else _of_step(e, factor, learning_rate)
        for e, factor in zip(report.explanations, factors, strict=True)
    )
    return replace(report, notes=notes, explanations=explanations)


def _common_factor(explanation: Explanation, report: Report) -> float:
    """Return the factor of all parameters that an explanation is about; NaN if it is not."""
    common = all(part.verdict is Verdict.FAIL for part in report.tensors.values())
    if explanation.code != Bug.CONSTANT_FACTOR or not common or explanation.factor is None:
        return math.nan
    return explanation.factor


def _of_step(explanation: Explanation, factor: float, learning_rate: float) -> Explanation:
    """A factor common to all parameters may be that of the learning rate."""
    rate = f"{learning_rate * factor:.4g}"
    message = (
        f"the step is {factor:.4g} times what learning_rate={learning_rate:g} implies; "
        f"is it {rate}? Or does the step sum where the loss averages?"
    )
    if _is_twice(factor, learning_rate):
        message = f"the learning rate {learning_rate:g} is applied twice"
    fix = f"pass learning_rate={rate}; or {explanation.fix}"
    return replace(explanation, message=message, fix=fix)


def _is_twice(factor: float, learning_rate: float) -> bool:
    return abs(factor - learning_rate) < SAME * learning_rate


@dataclass
class _Predictions:
    """Explains a wrong step by the predictions that the loss compares.

    Attributes
    ----------
    together, alone
        Predict the batch, and sample by sample; None where that is the same.
    losses
        Those of the predictions, the reported one among them.
    factor
        Of the loss that is reported to the mean over the batch: n for a sum.
    update
        The step.
    """

    together: Evaluator
    alone: Evaluator | None
    losses: Losses
    factor: float
    update: Update

    @classmethod
    def of(
        cls,
        context: CheckContext,
        update: Update,
        predict: Callable[[Any], Any] | None,
        inputs: Any,
        targets: Any,
    ) -> _Predictions | None:
        """Return the explainer, None where the loss is none of the predictions' known losses."""
        if predict is None or inputs is None or targets is None:
            return None
        from gradcheck.formulas.losses import candidates, identify

        size = len(inputs)

        def rows() -> Array:
            return np.concatenate(
                [np.atleast_2d(np.asarray(predict(inputs[i : i + 1]))) for i in range(size)]
            )

        together = Evaluator(update.target(lambda: predict(inputs)))
        first = together.run(update.base).outputs[0]
        reported = float(context.base.outputs[0])
        losses = identify(candidates(targets, first), first, reported)
        if losses is None:
            return None
        factor = reported / losses.reported.value((first,))
        separate = Evaluator(update.target(rows))
        try:
            by_row = separate.run(update.base).outputs[0]
        except Exception:  # noqa: BLE001 (the user's code may refuse a single sample)
            by_row = first
        same = by_row.shape != first.shape or np.allclose(
            by_row, first, rtol=ROUNDINGS * np.finfo(first.dtype).eps, atol=0
        )
        return cls(together, None if same else separate, losses.times(factor), factor, update)

    def explain(
        self, context: CheckContext, name: str, worst: tuple[Entry, ...] = ()
    ) -> list[list[Explanation]]:
        """Explain the gradient implied for ``name``."""
        from gradcheck.explain.search import explain

        evidence = self._evidence(context, self.together, name)
        if self.alone is not None:
            evidence.alone = self._evidence(context, self.alone, name)
            evidence.alone.directions = evidence.directions
        return explain(evidence, worst)

    def _evidence(self, context: CheckContext, evaluator: Evaluator, name: str) -> Observation:
        from gradcheck.explain.observation import Observation

        outputs: Outputs = evaluator.run(self.update.base).outputs
        point = Linearization(
            self.update.base,
            outputs,
            tuple(self.factor * part for part in self.losses.reported.gradient(outputs)),
            context.base.analytic,
            context.base.unsure,
        )
        eps, rng, size = context.eps, context.rng, outputs[0].shape[0]
        return Observation(evaluator, point, name, eps, rng, size, losses=self.losses)


def as_undecided(report: Report, reason: str, names: Iterable[str] | None = None) -> Report:
    """Return a report of steps whose gradients, or those of some parameters, cannot be judged."""
    chosen = set(report.tensors if names is None else names)
    tensors = {
        name: replace(part, verdict=Verdict.UNDECIDED, reason=reason, explanations=(), worst=())
        for name, part in report.tensors.items()
        if name in chosen
    }
    return replace(report, tensors=TensorReports({**report.tensors, **tensors}), explanations=())


def undecided_if_momentum_explains(later: Report, turns: int) -> Report:
    """Return the judgement of a later step, undecided where momentum may be all that is seen.

    The first step of the same loop was right. Only a bug with a name of its own is sure to be none
    of the memory that steps may have of one another.
    """
    bugs = {Bug(explanation.code) for explanation in later.explanations} - {Bug.CONSTANT_FACTOR}
    named = any(Trait.DESCRIPTION not in bug.traits for bug in bugs)
    if later.verdict is not Verdict.FAIL or named:
        return later
    reason = (
        f"right where it begins, and another step after {turns} turns: momentum or a changing rate "
        "does that, and so does a bug that weights of zero hide; check one turn of its loop"
    )
    return as_undecided(later, reason)
