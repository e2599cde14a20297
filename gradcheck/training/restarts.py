"""Methods such as ``fit`` that begin with parameters of their own making, one epoch at a time.

No step of theirs can be asked for from given parameters. But what n epochs lead to, and what n + 1
lead to, are parameters before a step and after it.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from gradcheck.adapters.discovery.accessors import Accessor, set_to
from gradcheck.adapters.discovery.attributes import attributes
from gradcheck.adapters.signatures.name_tables import is_epochs
from gradcheck.training.estimator import TrainingStep
from gradcheck.training.suppress_output import suppress_output


@dataclass(frozen=True)
class RestartingFit:
    """A training method that restarts with every call.

    Attributes
    ----------
    step
        A call of it.
    epochs, rate
        The attributes or arguments that are its number of epochs and its learning rate.
    """

    step: TrainingStep
    epochs: Accessor
    rate: Accessor

    @classmethod
    def of(cls, network: Any, step: TrainingStep) -> RestartingFit | None:
        """Return the method by epochs; None where nothing says how many, or at which rate."""
        arguments = inspect.signature(step.method).parameters
        found = [Accessor(step.arguments, name, True) for name in arguments if is_epochs(name)]
        found += [
            Accessor(network, name, False)
            for name, value in attributes(network).items()
            if is_epochs(name) and type(value) is int
        ]
        return cls(step, found[0], step.rate_kept) if found and step.rate_kept else None

    def run(self, epochs: int) -> None:
        """Restart, and train so many epochs; none is one at a learning rate of zero."""
        settings = (self.epochs, max(1, epochs)), (self.rate, self.rate.get() if epochs else 0.0)
        with set_to(settings), suppress_output():
            self.step.method(**self.step.arguments)

    def after(self, epochs: int) -> TrainingStep:
        """Return the step that is made after so many epochs."""

        @wraps(self.step.method)
        def one_more(**_: Any) -> None:
            self.run(epochs + 1)

        return replace(self.step, method=one_more, once=())
