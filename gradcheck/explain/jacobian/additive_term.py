"""A term that does not come from the output: weight decay on one side only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.factors import name_factor
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.least_squares import fit

# A penalty is added on purpose: to take it out is advice only where it is not meant.
PENALTY = (
    "is it the gradient of a penalty that is reported elsewhere? Then check with the penalty off, "
    "or add its value to what forward returns"
)


def additive_term(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The error is a multiple of the parameter, of its sign, or one constant."""
    if not _outside(measured):
        return
    name, value, gradient = measured.name, measured.value, measured.gradient
    for what, term, column in (
        ("proportional to the parameter", f"* {name}", value),
        ("proportional to the parameter's sign", f"* np.sign({name})", np.sign(value)),
        ("the same constant everywhere", "", np.ones(measured.shape)),
    ):
        if found := fit(measured.excess, [column], measured.known):
            size = f"{found[1][0]:.6g} {term}"
            message = f"a term {what} is in one of forward and backward alone: {size}"
            fix = f"{PENALTY}; else d{name} -= {size}"
            yield Hypothesis(Bug.ADDITIVE_TERM, message, fix, 0.6, gradient + found[0], 1)
        both = fit(measured.analytic, [gradient, column], measured.known)
        if both is not None and name_factor(both[1][0], 1e-6, measured.observation):
            message = (
                f"the gradient is {both[1][0]:.6g} times what it should be, and a term {what} is "
                f"added: {both[1][1]:.6g} {term}"
            )
            fix = f"scale the gradient of the data alone: the term in {name} is not part of it"
            yield Hypothesis(Bug.ADDITIVE_TERM, message, fix, 1.2, both[0], 2)


def _outside(measured: MeasuredJacobian) -> bool:
    """Whether the term may come from nowhere: a loss's own, or there for no cotangent at all."""
    observation = measured.observation
    if not observation.takes_cotangent:
        return True
    idle = observation.ask(tuple(np.zeros_like(v) for v in measured.cotangents))
    return idle is not None and bool(np.any(np.abs(idle) > measured.bound))
