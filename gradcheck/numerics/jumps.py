"""Jumps of a function between its samples: where the stretch ends on which it is a polynomial."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

from gradcheck.numerics.polynomial_fit import Fit
from gradcheck.numerics.samples import Samples, signs

# Halvings of the gap between two samples across which the function leaves its polynomial, at most.
# A jump is made in the last part whole, however short it is. A continuous function makes less and
# less there, but for a kink that lies in the last part of all: by chance once in 2**16 gaps.
HALVINGS = 16
SUDDEN = 0.25


def jump_beyond(samples: Samples, fit: Fit, side: int, negligible: float) -> tuple[float, float]:
    """Return where phi jumps off the polynomial of a window, and how high; (inf, 0) if nowhere.

    A smooth function leaves the polynomial with the power of the step that it is of. Where the
    samples that are known leave it at once, they tell a jump from a kink, behind which the function
    departs the faster the farther. Only if they say so, some more are taken between two of them.

    Parameters
    ----------
    samples
        The function.
    fit
        The window, resolved.
    side
        0 for both, 1 and -1 for one side of the origin.
    negligible
        Departure that is none.
    """

    def off(t: float, value: float) -> float:
        return abs(value - fit.at(t))

    found = [(math.inf, 0.0)]
    for sign in signs(side):
        beyond = sorted(
            (abs(t), off(t, v))
            for t, v in samples.known.items()
            if t * sign > fit.span and math.isfinite(v)
        )
        inner, before = fit.span, 0.0
        for (outer, height), (farther, there) in pairwise(beyond):
            power = _power(outer / inner, max(before, negligible), height)
            if power > fit.degree + 1:
                if height / (outer - inner) > there / (farther - inner):
                    gap = sign * inner, sign * outer
                    found.append(_located(samples, off, *gap, SUDDEN * height))
                break
            inner, before = outer, height
    return min(found)


def _power(ratio: float, before: float, height: float) -> float:
    """Return the power of the step, of this ratio to the one before, with which a height grew."""
    if not height > before:
        return 0.0
    return math.log(height / before) / math.log(ratio) if before else math.inf


def _located(
    samples: Samples, off: Callable[[float, float], float], inner: float, outer: float, least: float
) -> tuple[float, float]:
    """Return the inner end of the last of some halvings, and the jump across it, if there is."""
    before, behind = (off(*samples.at(t)) for t in (inner, outer))
    for _ in range(HALVINGS):
        if behind - before <= least:
            break
        middle, value = samples.at((inner + outer) / 2)
        height = off(middle, value)
        if height <= least:
            inner, before = middle, height
        else:
            outer, behind = middle, height
    jump = behind - before
    return (abs(inner), jump) if jump > least else (math.inf, 0.0)
