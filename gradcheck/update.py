"""What a training step that only updates its parameters really descends."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters.places import Place
from gradcheck.compare import ROUNDINGS
from gradcheck.examination import Checker
from gradcheck.explain.evidence import Evidence
from gradcheck.explain.solve import Alternative, explain, explain_tensor
from gradcheck.losses import Losses, candidates, identify
from gradcheck.memory import Memory
from gradcheck.point import Lab, Point
from gradcheck.probe import Probe
from gradcheck.report import Report
from gradcheck.result import Entry, Explanation, TensorReports, Verdict
from gradcheck.stepping import Habit, habit, places_of, trained
from gradcheck.target import Array, Outputs, Run, Target, Tensors, as_outputs

# The factor in the evidence of an explanation: claimed over numerical gradient.
FACTOR = re.compile(r"= (-?[0-9.e+-]+) ±")


def check_update(
    step: Callable[[], Any],
    params: Any,
    loss: Callable[[], float],
    *,
    learning_rate: float,
    predict: Callable[[Any], Any] | None = None,
    inputs: Any = None,
    targets: Any = None,
    tolerance: float | None = None,
    seed: int = 0,
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
        One verdict per parameter.

    Raises
    ------
    ValueError
        If the step changes nothing, or an argument does not fit.
    """
    if not learning_rate or not math.isfinite(learning_rate):
        raise ValueError(f"learning_rate={learning_rate!r}: expected a number other than zero")
    places = places_of(params)
    memory = Memory([step, loss, predict, params, inputs])
    with memory.guarded():
        _require_scalar(loss())
        places = trained(places, step, loss, memory)
        update = _Update(step, places, loss, learning_rate, memory)
        seen = update.observe()
        lab = Lab(update.target(), seed)
        predictions = _Predictions.of(lab, update, predict, inputs, targets)
        explainer = explain_tensor if predictions is None else predictions.explain
        checker = Checker(lab, "project", tolerance, explainer)
        return _restated(checker.report(list(places), False, seed), seen, learning_rate)


def _require_scalar(value: Any) -> None:
    if np.size(value) != 1:
        raise ValueError(
            f"loss returned shape {np.shape(value)}: expected one number; return its mean or sum, "
            "whichever the step descends"
        )


def _restated(report: Report, seen: Habit, learning_rate: float) -> Report:
    """The report in the words of a step: what it remembers, its rate, its randomness."""
    notes = (*report.notes, seen.note) if seen.note else report.notes
    if seen.random:
        tensors = TensorReports(
            {
                name: replace(
                    part, verdict=Verdict.UNDECIDED, reason=seen.note, explanations=(), worst=()
                )
                for name, part in report.tensors.items()
            }
        )
        return replace(report, tensors=tensors, explanations=(), notes=notes)
    return replace(
        report,
        notes=notes,
        explanations=tuple(_of_step(e, report, learning_rate) for e in report.explanations),
    )


def _of_step(explanation: Explanation, report: Report, learning_rate: float) -> Explanation:
    """A factor common to all parameters may be the learning rate's; a sign may be Adam's."""
    if explanation.code == "gradient_of_other_loss" and "sign" in explanation.message:
        return replace(
            explanation,
            message=f"{explanation.message}; or an adaptive step (Adam, RMSprop, signSGD)",
            fix="check with a plain gradient step, or descend the gradient and not its sign",
        )
    match = FACTOR.search(explanation.evidence)
    common = all(part.verdict is Verdict.FAIL for part in report.tensors.values())
    if explanation.code != "constant_factor" or not common or match is None:
        return explanation
    factor = float(match.group(1))
    return replace(
        explanation,
        message=(
            f"the step is {factor:.4g} times what learning_rate={learning_rate:g} implies; "
            f"is it {learning_rate * factor:.4g}? Or does the step sum where the loss averages?"
        ),
        fix=f"pass learning_rate={learning_rate * factor:.4g}, or multiply the gradient by "
        f"{1 / factor:.4g}",
    )


class _Update:
    """A training step seen as a claim: the gradient it implies."""

    def __init__(
        self,
        step: Callable[[], Any],
        places: Mapping[str, Place],
        loss: Callable[[], float],
        learning_rate: float,
        memory: Memory,
    ) -> None:
        self.step = step
        self.places = places
        self.loss = loss
        self.learning_rate = learning_rate
        self.memory = memory
        self.base = {name: np.array(place.get()) for name, place in places.items()}
        self.offset: Tensors = {}

    def observe(self) -> Habit:
        """Repeat the step, and take off from now on what earlier steps add."""
        seen = habit(lambda: self.implied(self.base))
        self.offset = seen.offset
        self.memory.restore(everything=True)
        return seen

    def target(self, forward: Callable[[], Any] | None = None) -> Target:
        """Return the target whose forward is the loss, or ``forward`` where one is given."""
        evaluate = forward or (lambda: np.asarray(self.loss()))

        def run(tensors: Tensors) -> Run:
            self.write(tensors)
            return Run(as_outputs(evaluate()), lambda _: self.implied(tensors), dict(tensors))

        rounding = {
            # the step is known to one rounding of the parameter before and after
            name: np.finfo(value.dtype).eps * np.abs(value) / abs(self.learning_rate)
            for name, value in self.base.items()
        }
        return Target.from_run(
            f"training step ({getattr(self.step, '__qualname__', type(self.step).__name__)})",
            self.base,
            run,
            roles=dict.fromkeys(self.base, "parameter"),
            state=self.memory,
            unit_cotangent=True,
            claim_errors=rounding,
        )

    def write(self, tensors: Tensors) -> None:
        """Put the parameters where the tensors are."""
        for name, place in self.places.items():
            place.put(tensors[name])

    def implied(self, tensors: Tensors) -> dict[str, Array]:
        """Make the step from ``tensors`` and return the gradient it implies."""
        self.write(tensors)
        self.step()
        after = {name: np.array(place.get()) for name, place in self.places.items()}
        changed = {name: value - after[name] for name, value in tensors.items()}
        if not any(np.any(change) for change in changed.values()):
            raise ValueError(
                f"step changed none of {list(tensors)}: pass the very arrays it updates in place, "
                "or the object whose attributes it rebinds"
            )
        return {
            name: change / self.learning_rate - self.offset.get(name, 0.0)
            for name, change in changed.items()
        }


class _Predictions:
    """Explains a wrong step by the predictions behind the loss."""

    def __init__(
        self,
        together: Probe,
        alone: Probe | None,
        losses: Losses,
        factor: float,
        update: _Update,
    ) -> None:
        self.together = together
        self.alone = alone
        self.losses = losses
        # of the loss that is reported to the mean over the batch: n for a sum
        self.factor = factor
        self.update = update

    @classmethod
    def of(
        cls,
        lab: Lab,
        update: _Update,
        predict: Callable[[Any], Any] | None,
        inputs: Any,
        targets: Any,
    ) -> _Predictions | None:
        """Return the explainer, None where the loss is none of the predictions' known losses."""
        if predict is None or inputs is None or targets is None:
            return None
        size = len(inputs)

        def rows() -> Array:
            return np.concatenate(
                [np.atleast_2d(np.asarray(predict(inputs[i : i + 1]))) for i in range(size)]
            )

        together = Probe(update.target(lambda: predict(inputs)))
        first = together.run(update.base).outputs[0]
        reported = float(lab.base.outputs[0])
        losses = identify(candidates(targets, first), first, reported)
        if losses is None:
            return None
        separate = Probe(update.target(rows))
        by_row = separate.run(update.base).outputs[0]
        same = by_row.shape == first.shape and np.allclose(
            by_row, first, rtol=ROUNDINGS * np.finfo(first.dtype).eps, atol=0
        )
        factor = reported / losses.reported.value((first,))
        return cls(together, None if same else separate, losses, factor, update)

    def explain(self, lab: Lab, name: str, worst: tuple[Entry, ...] = ()) -> list[Alternative]:
        """Explain the gradient implied for ``name``."""
        evidence = self._evidence(lab, self.together, name)
        if self.alone is not None:
            evidence.alone = self._evidence(lab, self.alone, name)
            evidence.alone.directions = evidence.directions
        return explain(evidence, worst)

    def _evidence(self, lab: Lab, probe: Probe, name: str) -> Evidence:
        outputs: Outputs = probe.run(self.update.base).outputs
        point = Point(
            self.update.base,
            outputs,
            tuple(self.factor * part for part in self.losses.reported.gradient(outputs)),
            lab.base.claimed,
            lab.base.unsure,
        )
        return Evidence(
            probe, point, name, lab.eps, lab.rng, outputs[0].shape[0], losses=self.losses
        )
