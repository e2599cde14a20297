"""Methods such as ``fit`` that begin with parameters of their own making, taken turn by turn.

No step of theirs can be asked for from given parameters. But what n turns of the loop lead to, and
what n + 1 lead to, are parameters before a step and after it.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from gradcheck.adapters.places import Place
from gradcheck.adapters.slots import attributes
from gradcheck.adapters.trainee import Step, unheard
from gradcheck.adapters.vocabulary import is_epochs


@dataclass(frozen=True)
class Afresh:
    """A training method that begins anew, and where it keeps how many turns it takes.

    Attributes
    ----------
    step
        A call of it.
    turns
        The attribute or argument that counts the turns of its loop.
    """

    step: Step
    turns: Place

    @classmethod
    def of(cls, network: Any, step: Step) -> Afresh | None:
        """Return the method by turns; None where nothing says how many, or at which rate."""
        names = [name for name in inspect.signature(step.method).parameters if is_epochs(name)]
        if step.knob is None:
            return None
        if names:
            return cls(step, Place(step.arguments, names[0], True))
        for name, value in attributes(network).items():
            if is_epochs(name) and type(value) is int:
                return cls(replace(step, once=()), Place(network, name, False))
        return None

    def run(self, turns: int) -> None:
        """Begin anew, and take so many turns; none is one at a learning rate of zero."""
        changed: list[tuple[Place, float]] = [(self.turns, max(1, turns))]
        if not turns and self.step.knob is not None:
            changed.append((self.step.knob, 0.0))
        before = [(place, place.get()) for place, _ in changed]
        for place, value in changed:
            place.replace(value)
        try:
            with unheard():
                self.step.method(**self.step.arguments)
        finally:
            for place, value in before:
                place.replace(value)

    def after(self, turns: int) -> Step:
        """Return the step that is made after so many turns."""

        @wraps(self.step.method)
        def one_more(**_: Any) -> None:
            self.run(turns + 1)

        return replace(self.step, method=one_more, once=())
