"""What a training step that only updates its parameters really descends."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
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
from gradcheck.result import Entry
from gradcheck.target import Array, Outputs, Run, Target, Tensors, as_outputs, is_differentiable


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
        The arrays that ``step`` changes: a dict or list of them, or an object with ``params``.
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
    places = _places(params)
    memory = Memory([step, loss, predict, params, inputs])
    with memory.guarded():
        update = _Update(step, places, loss, learning_rate, memory)
        lab = Lab(update.target(), seed)
        predictions = _Predictions.of(lab, update, predict, inputs, targets)
        explainer = explain_tensor if predictions is None else predictions.explain
        checker = Checker(lab, "project", tolerance, explainer)
        return checker.report(list(places), False, seed)


def _places(params: Any) -> dict[str, Place]:
    held = params
    if not isinstance(params, Mapping | list | tuple):
        held = getattr(params, "params", None) or getattr(params, "parameters", None)
        held = held() if callable(held) else held
    if isinstance(held, Mapping):
        found = {str(key): Place(held, key, True) for key in held if is_differentiable(held[key])}
    elif isinstance(held, list | tuple):
        found = {
            f"params[{i}]": Place(held, i, True) for i, v in enumerate(held) if is_differentiable(v)
        }
    else:
        found = {}
    if not found:
        raise ValueError(
            f"params: expected a dict or list of floating-point arrays, or an object with one as "
            f"its params; got {type(params).__name__}"
        )
    return found


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
                f"step changed none of {list(tensors)}: pass the very arrays it updates in place"
            )
        return {name: change / self.learning_rate for name, change in changed.items()}


class _Predictions:
    """Explains a wrong step by the predictions behind the loss."""

    def __init__(
        self, together: Probe, alone: Probe | None, losses: Losses, update: _Update
    ) -> None:
        self.together = together
        self.alone = alone
        self.losses = losses
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
        return cls(together, None if same else separate, losses, update)

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
            self.losses.reported.gradient(outputs),
            lab.base.claimed,
            lab.base.unsure,
        )
        return Evidence(
            probe, point, name, lab.eps, lab.rng, outputs[0].shape[0], losses=self.losses
        )
