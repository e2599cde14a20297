"""Tensors of a point tested at once, along directions that move them all.

Let e_i be the error of the gradient of tensor i, and d_i the part of the direction that moves it.
Along the whole direction the error is the sum of the <e_i, d_i>. The signs of all entries are
independent, so that its mean square is the sum of theirs: that of one tensor is no smaller for what
the others add, and that they cancel it is as rare as that its own entries cancel one another. What
agrees within a bound therefore says of every tensor what a direction of its own says with that
bound. It counts where the bound is no wider than a test of each of its own is content with; where
it is wider, or the sum does not agree, each is tested by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from gradcheck.checking.directional_test import DirectionalTest
from gradcheck.checking.evaluator import SLOPE_TO_NOISE, DirectionalFunction
from gradcheck.checking.measurer import COARSEST_RESOLUTION, WANTED_ACCURACY
from gradcheck.checking.tensor_verdict import Measurement
from gradcheck.numerics.blockwise import norm
from gradcheck.numerics.directions import smooth_reach

# Gradients that reach this much farther than another's are not tested with it: what they do beyond
# their slope would have to be known better than a test of their own has to know it.
LIKE = 2.0**4


def measured_together(
    tests: Iterable[DirectionalTest], directions: int
) -> Iterator[tuple[DirectionalTest, list[Measurement]]]:
    """Yield the tests that can go on from directions shared by several, with those measurements.

    Parameters
    ----------
    tests
        Of tensors of one point whose numbers are computed in float64.
    directions
        How many directions to measure along.
    """
    for group in _of_like_size(tests):
        shared = []
        for turn in range(directions):
            shared.append(_measured(group, turn))
            if shared[-1] is None:
                break
        else:
            for position, test in enumerate(group):
                yield test, [one[position] for one in shared if one is not None]


def _of_like_size(tests: Iterable[DirectionalTest]) -> Iterator[list[DirectionalTest]]:
    """Yield groups of two and more tests whose gradients reach about as far."""
    group: list[DirectionalTest] = []
    for test in sorted(tests, key=lambda test: -test.measurer.size):
        size = test.measurer.size
        if not 0 < size < math.inf:
            continue
        if group and group[0].measurer.size > LIKE * size:
            if len(group) > 1:
                yield group
            group = []
        group.append(test)
    if len(group) > 1:
        yield group


def _measured(group: list[DirectionalTest], turn: int) -> list[Measurement] | None:
    """Return what a direction shows of each tensor that it moves; None where that is too little.

    A test of its own is content with a share of the gradient, or with what the noise leaves over
    the reach of its direction. The tensors move as far as makes that the same for all, but for a
    factor at random: errors of like size in two of them would cancel by their signs alone in every
    other direction.
    """
    measurers = [test.measurer for test in group]
    directions = [test.direction(turn) for test in group]
    first, point = measurers[0], measurers[0].point
    others = {m.name: d for m, d in zip(measurers[1:], directions[1:], strict=True)}
    along = DirectionalFunction(first.evaluator, point, first.name, directions[0], others=others)
    floor = max(along.floor(point.cotangents), first.noise or 0.0)
    parts = list(zip(measurers, directions, strict=True))
    sizes = np.array([norm(measurer.analytic, direction) for measurer, direction in parts])
    in_noise = [SLOPE_TO_NOISE * floor / smooth_reach(direction) for direction in directions]
    content = np.maximum(WANTED_ACCURACY * sizes, in_noise)
    shares = content.min() / content * group[0].rng.uniform(0.5, 1.0, len(group))
    for direction, share in zip(directions, shares, strict=True):
        direction *= share
    sizes, enough = sizes * shares, float((content * shares).min())
    derivative = along.derivative(
        point.cotangents,
        first.analytic,
        noise=first.noise,
        target=enough,
        coarse_bound=COARSEST_RESOLUTION * float(sizes.min()),
    )
    allowances = [m.allowance(d, float(s)) for (m, d), s in zip(parts, sizes, strict=True)]
    error, bound = abs(derivative.value), derivative.error_bound + math.fsum(allowances)
    if derivative.kink is not None or not error <= bound <= enough + min(allowances):
        return None
    for measurer in measurers:
        measurer.noise = derivative.noise
    unresolved = along.unresolved(point.cotangents)
    return [Measurement(derivative, error, bound, float(s), "", unresolved) for s in sizes]
