"""The Taylor test: how fast remainders fall with the step, as it is published with adjoints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gradcheck.adapters import as_target
from gradcheck.check_arguments import given_cotangents
from gradcheck.checking.context import CheckContext
from gradcheck.checking.evaluator import DirectionalFunction
from gradcheck.numerics.directions import per_entry_scale, varied
from gradcheck.state import settings_kept
from gradcheck.values import TargetError
from gradcheck_arguments import ArrayTree, Seed, checked

# Steps are halved until the remainder of first order is so many times the rounding of the outputs,
# of which a long computation may make a thousand; and at most so often, where there is no rounding.
ABOVE_ROUNDING = 2.0**12
MOST_STEPS = 40

# A wrong gradient leaves a remainder of order 1, a right one of order 2, if the function has second
# derivatives: the border is halfway.
BORDER = 1.5

HEADINGS = ("h", "|f(x + h d) - f(x)|", "order", "|f(x + h d) - f(x) - h <g, d>|", "order")


@dataclass(frozen=True)
class TaylorRow:
    """The remainders at one step, and the powers of the step with which they fell to it.

    Attributes
    ----------
    step
        The step h.
    zeroth, first
        |f(x + h d) - f(x)| and |f(x + h d) - f(x) - h <g, d>|.
    zeroth_order, first_order
        log2 of the remainders at twice the step over these; NaN in the first row, and where one of
        them is zero or not finite.
    """

    step: float
    zeroth: float
    first: float
    zeroth_order: float = math.nan
    first_order: float = math.nan


@dataclass(frozen=True)
class TaylorReport:
    """A table of Taylor remainders along one random direction.

    Attributes
    ----------
    name
        What was tested.
    rows
        The remainders, by falling steps, as far down as rounding lets them be seen.
    rounding
        Rounding of the outputs, as it reaches the remainders.
    """

    name: str
    rows: tuple[TaylorRow, ...]
    rounding: float

    @property
    def orders(self) -> tuple[float, float]:
        """The orders seen at the shortest step: 1 and 2 where the gradient is right.

        The second is infinite where there is no remainder above rounding, as of a linear function.
        """
        seen = [row for row in self.rows if row.first > ABOVE_ROUNDING * self.rounding]
        if len(seen) < 2:
            lost = all(row.first <= ABOVE_ROUNDING * self.rounding for row in self.rows)
            return self.rows[-1].zeroth_order, math.inf if lost else math.nan
        return seen[-1].zeroth_order, seen[-1].first_order

    @property
    def ok(self) -> bool:
        """Whether the remainder of first order falls as that of a right gradient does."""
        return self.orders[1] > BORDER

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [HEADINGS]
        for row in self.rows:
            parts = (row.step, row.zeroth, row.zeroth_order, row.first, row.first_order)
            rows.append(tuple(_cell(part, k in (2, 4)) for k, part in enumerate(parts)))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        zeroth, first = (_cell(order, True) or "none" for order in self.orders)
        verdict = "the gradient is right" if self.ok else "the gradient is not right"
        if math.isnan(self.orders[1]):
            verdict = "which decides nothing"
        return "\n".join(
            [
                f"Taylor remainders of {self.name} along a random direction d",
                "",
                *lines,
                "",
                f"orders {zeroth} and {first} (right: 1 and 2): {verdict}",
            ]
        )


@checked
def taylor_test(
    target: Any,
    *inputs: Any,
    params: ArrayTree | Sequence[str] | None = None,
    cotangent: ArrayLike | Sequence[ArrayLike] | None = None,
    seed: Seed = 0,
) -> TaylorReport:
    """Tabulate the Taylor remainders of a function with and without its gradient.

    Parameters
    ----------
    target, inputs, params, cotangent
        As in `check`. Outputs of several entries are projected on the cotangent.
    seed
        Of the direction, which moves all tensors at once, and of the cotangent.

    Returns
    -------
    TaylorReport
        ``report.ok`` is True where the remainder of first order falls with the square of the step.

    Raises
    ------
    TargetError
        If ``target`` is not recognised, or there is no gradient of the shape of a tensor.

    Notes
    -----
    Steps are halved until the remainder is lost in rounding, so that a small error of the gradient,
    whose remainder is of order 1, shows below the curvature, whose remainder is of order 2. The
    test is that of Farrell, Ham, Funke & Rognes, SIAM J. Sci. Comput. 35 (2013). Unlike `check` it
    gives no bound, names no entry, and takes a kink at the point for an error.

    Examples
    --------
    >>> import numpy as np
    >>> report = taylor_test((lambda x: np.sum(x**3), lambda x: 3 * x**2), np.arange(1.0, 4.0))
    >>> report.ok, [round(order) for order in report.orders]
    (True, [1, 2])
    """
    with settings_kept():
        subject = as_target(target, *inputs, params=params)
        with subject.state.guarded():
            context = CheckContext(subject, seed, given_cotangents(subject, cotangent))
            along = _direction(context)
            rounding = along.floor(context.base.cotangents)
            return TaylorReport(subject.name, tuple(_rows(along, rounding)), rounding)


def _direction(context: CheckContext) -> DirectionalFunction:
    """Return the target along one direction that moves all tensors that there is a gradient of."""
    base = context.base
    directions = {}
    for name, gradient in base.analytic.items():
        value = base.tensors.get(name)
        if value is None or value.dtype.kind != "f":
            continue
        if gradient.shape != value.shape:
            raise TargetError(
                f"the gradient of {name} has shape {gradient.shape}, {name} has {value.shape}: "
                "there is no <g, d>; see what check(...) says of it"
            )
        directions[name] = varied(context.rng, per_entry_scale(value), value)
    if not directions:
        raise TargetError("there is no gradient of a tensor of floating-point numbers to test")
    first, *others = directions
    return DirectionalFunction(
        context.wide,
        base,
        first,
        directions[first],
        keep=True,
        others={name: directions[name] for name in others},
    )


def _rows(along: DirectionalFunction, rounding: float) -> list[TaylorRow]:
    point = along.point
    plain = along.functional(point.cotangents)
    corrected = along.functional(point.cotangents, point.analytic[along.name])
    rows: list[TaylorRow] = []
    for k in range(1, MOST_STEPS + 1):
        step = 2.0**-k
        zeroth, first = abs(plain(step)), abs(corrected(step))
        above = rows[-1] if rows else TaylorRow(math.nan, math.nan, math.nan)
        orders = _order(above.zeroth, zeroth), _order(above.first, first)
        rows.append(TaylorRow(step, zeroth, first, *orders))
        if len(rows) > 1 and first <= ABOVE_ROUNDING * rounding:
            break
    return rows


def _order(above: float, below: float) -> float:
    """Return the power of the step with which a remainder fell when the step was halved."""
    if not (0 < above < math.inf and 0 < below < math.inf):
        return math.nan
    return float(np.log2(above / below))


def _cell(number: float, order: bool) -> str:
    if math.isnan(number):
        return ""
    return f"{number:.2f}" if order else f"{number:.2e}"
