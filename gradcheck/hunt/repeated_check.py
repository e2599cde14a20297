"""The layer that is hunted: checked at one example after the other, each time from its start."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters import as_target
from gradcheck.adapters.signatures.methods import required_names
from gradcheck.check import check
from gradcheck.hunt.example import Example, ExampleOutcome, HuntTrial
from gradcheck.report.data import Verdict
from gradcheck.report.report import Report
from gradcheck.state import StateSnapshot, warnings_ignored


@dataclass(frozen=True)
class RepeatedCheck:
    """A layer, or what makes one, and how it is checked.

    Attributes
    ----------
    layer
        Anything `gradcheck.check` takes; its state is put back after every example.
    make
        Makes a fresh layer from the inputs, for every example; None where there is one layer.
    options
        Of `gradcheck.check`.
    """

    layer: Any
    make: Callable[..., Any] | None
    options: dict[str, Any]

    @classmethod
    def of(
        cls, layer: Any, make: Callable[..., Any] | None, options: dict[str, Any]
    ) -> RepeatedCheck:
        """Tell layers from what makes them: a class, or a function that takes nothing."""
        if (layer is None) == (make is None):
            raise TypeError("hunt needs a layer, or make= that makes one from the inputs")
        takes_nothing = inspect.isfunction(layer) and not inspect.signature(layer).parameters
        if make is None and (isinstance(layer, type) or takes_nothing):
            return cls(None, layer, options)
        return cls(layer, make, options)

    def layer_for(self, inputs: tuple[Any, ...]) -> Any:
        """Return the layer, a fresh one where it can be made."""
        if self.make is None:
            return self.layer
        return self.make(*inputs) if required_names(self.make) else self.make()

    def run(self, example: Example) -> HuntTrial:
        """Check along random directions only, and look for no cause."""
        options = {"mode": "project", "contract": example.contract, "explain": False}
        try:
            with self._ready(example) as layer:
                report = self._check(layer, example, **options)
                outside = report.verdict is not Verdict.PASS and not _is_finite(layer, example)
        except Exception as error:  # noqa: BLE001 (the user's layer may raise anything)
            reason = f"{type(error).__name__}: {error}"
            return HuntTrial(example, ExampleOutcome.REFUSED, reason, error=error)
        if outside:
            reason = "the output is not finite: outside of its domain"
            return HuntTrial(example, ExampleOutcome.REFUSED, reason)
        seen = max((tensor.resolution for tensor in report.tensors.values()), default=0.0)
        return HuntTrial(
            example,
            ExampleOutcome(report.verdict),
            _reason(report),
            seen,
            report=report if report.verdict is Verdict.FAIL else None,
        )

    def report(self, example: Example) -> Report:
        """Check with everything on."""
        with self._ready(example) as layer:
            return self._check(layer, example, mode="auto", contract=True, explain=True)

    def _check(self, layer: Any, example: Example, **options: Any) -> Report:
        """Check, and pass an interruption on: the hunt is what it ends."""
        report = check(layer, *example.inputs, progress=False, **self.options, **options)
        if report.interrupted:
            raise KeyboardInterrupt
        return report

    @contextmanager
    def _ready(self, example: Example) -> Iterator[Any]:
        """Give the layer, used as often as the example asks; put its state back afterwards."""
        with warnings_ignored(), np.errstate(all="ignore"):
            layer = self.layer_for(example.inputs)
            with StateSnapshot([layer, *example.inputs]).guarded():
                use(layer, *example.inputs, times=example.calls)
                yield layer


def use(layer: Any, *inputs: Any, times: int = 1) -> None:
    """Run a layer forward and backward, as training does, on the values of ``inputs`` moved by one.

    Parameters
    ----------
    layer
        Anything `gradcheck.check` takes.
    *inputs
        Of its forward. The values of the first are moved by one place, so that what a layer keeps
        from before is seen to be old.
    times
        How often.
    """
    if times < 1:
        return
    first, *others = inputs
    moved = np.roll(first, 1) if isinstance(first, np.ndarray) else first
    target = as_target(layer, moved, *others)
    for _ in range(times):
        run = target.call(target.tensors)
        run.pullback(tuple(np.ones_like(output) for output in run.outputs))


def _reason(report: Report) -> str:
    """Return the first reason for the verdict."""
    bad = [t for t in report.tensors.values() if t.verdict is report.verdict and t.reason]
    if bad:
        return f"{bad[0].name}: {bad[0].reason}"
    broken = [p for p in report.contract.values() if p.required and p.verdict is report.verdict]
    if broken:
        return f"{broken[0].name}: {broken[0].measurement}"
    owed = [array for array in report.unchecked if array.is_owed]
    return f"{owed[0].name}: {owed[0].reason}" if owed else ""


def _is_finite(layer: Any, example: Example) -> bool:
    """Whether the layer's output is finite."""
    target = as_target(layer, *example.inputs)
    return all(np.isfinite(y).all() for y in target.call(target.tensors).outputs)
