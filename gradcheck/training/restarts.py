"""Methods such as ``fit`` that begin with parameters of their own making, taken turn by turn.

No step of theirs can be asked for from given parameters. But what n turns of the loop lead to, and
what n + 1 lead to, are parameters before a step and after it.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from gradcheck.adapters.discovery.accessors import Accessor, set_to
from gradcheck.adapters.discovery.attributes import attributes
from gradcheck.adapters.signatures.name_tables import is_epochs
from gradcheck.training.estimator import TrainingStep, suppress_output


@dataclass(frozen=True)
class RestartingFit:
    """A training method that begins anew, and where it keeps how many turns it takes.

    Attributes
    ----------
    step
        A call of it.
    turns, rate
        The attributes or arguments that count the turns of its loop, and that are its rate.
    """

    step: TrainingStep
    turns: Accessor
    rate: Accessor

    @classmethod
    def of(cls, network: Any, step: TrainingStep) -> RestartingFit | None:
        """Return the method by turns; None where nothing says how many, or at which rate."""
        if step.knob is None:
            return None
        for name in inspect.signature(step.method).parameters:
            if is_epochs(name):
                return cls(step, Accessor(step.arguments, name, True), step.knob)
        for name, value in attributes(network).items():
            if is_epochs(name) and type(value) is int:
                return cls(step, Accessor(network, name, False), step.knob)
        return None

    def run(self, turns: int) -> None:
        """Begin anew, and take so many turns; none is one at a learning rate of zero."""
        counted = (self.turns, max(1, turns)), (self.rate, self.rate.get() if turns else 0.0)
        with set_to(counted), suppress_output():
            self.step.method(**self.step.arguments)

    def after(self, turns: int) -> TrainingStep:
        """Return the step that is made after so many turns."""

        @wraps(self.step.method)
        def one_more(**_: Any) -> None:
            self.run(turns + 1)

        return replace(self.step, method=one_more, once=())
