"""Whether a constant factor lies between analytic and predicted gradient, and what it means."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.observation import Bounded, Observation

# A factor this near to one is one in the digits that are told: what is off is no factor.
AS_ONE = 5e-8


@dataclass(frozen=True)
class Factor:
    """A factor by its bug's name; ``arbitrary`` where its value means nothing by itself."""

    code: Bug
    message: str
    fix: str
    cost: float
    arbitrary: bool = False


def name_factor(value: float, bound: float, observation: Observation) -> list[Factor]:
    """Name the factor ``value`` ± ``bound`` by which the analytic gradient is off.

    Returns
    -------
    list of Factor
        Empty for the factor one; a sign and a size where both are off.
    """
    name, size, factors = observation.name, abs(value), []
    if value < 0:
        fix = f"d{name} = -d{name}  # a step would climb instead of descend"
        factors.append(Factor(Bug.SIGN_FLIPPED, "the gradient has the wrong sign", fix, 0.5))
    if abs(size - 1) > max(bound, AS_ONE):
        factors.append(_size(size, bound, observation))
    return factors


def _size(size: float, bound: float, observation: Observation) -> Factor:
    def equals(number: float) -> bool:
        return abs(size - number) <= bound

    name, known = observation.name, [n for n in (_samples(observation), observation.batch) if n]
    batch = next((n for n in known if equals(n) or equals(1 / n)), known[0] if known else 0)
    follows = None
    if batch > 1 and (equals(batch) or equals(1 / batch)):
        follows = _follows_batch(observation, batch, power=1 if equals(batch) else -1)
        if follows or (follows is None and batch > 2):
            return _batch_factor(name, batch, too_large=equals(batch), seen=bool(follows))
    if equals(2) or equals(0.5):
        verb, line = ("doubled", "/ 2") if equals(2) else ("halved", "* 2")
        unsure = batch == 2 and follows is None
        also = " (the batch holds 2 samples: mean against sum?)" if unsure else ""
        message = f"the gradient is {verb}{also}"
        return Factor(Bug.FACTOR_TWO, message, f"d{name} = d{name} {line}", 0.6)
    meaning = _meaning(size, bound, observation, batch=follows is not False)
    means, comment = (f", {meaning}", f"  # {meaning}") if meaning else ("", "")
    message = f"the gradient is {size:.8g} times what it should be{means}"
    fix, cost = f"d{name} /= {size:.8g}{comment}", 0.8 if meaning else 1.2
    return Factor(Bug.CONSTANT_FACTOR, message, fix, cost, arbitrary=True)


def _follows_batch(observation: Observation, batch: int, power: int) -> bool | None:
    """Whether the factor ``batch**power`` changes with the batch when a sample is left out.

    None where that cannot be seen: no sample can be left out, or what is left has no one factor.
    """
    fewer = observation.fewer
    if fewer is None:
        return None
    verdicts = set()
    for direction in fewer.directions[:2]:
        analytic, right = fewer.analytic_along(direction), fewer.numerical(direction)
        agrees = [
            abs(abs(analytic.value) - factor * abs(right.value))
            <= MARGIN * (analytic.bound + factor * right.bound)
            for factor in (float(batch - 1) ** power, float(batch) ** power)
        ]
        verdicts.add(agrees[0] if agrees[0] != agrees[1] else None)
    return verdicts.pop() if len(verdicts) == 1 else None


def _samples(observation: Observation) -> int:
    """Return the number of rows of a loss's data, told by the sizes alone; 0 where there are none.

    Its rows are summed over and no parameter has their number, while its columns are multiplied
    with something that does.
    """
    if observation.takes_cotangent or observation.name not in observation.point.tensors:
        return 0
    shapes = [value.shape for value in observation.point.tensors.values()]
    inner = [shape[axis] for shape in shapes for axis in range(1, len(shape))]
    first = [shape[0] for shape in shapes if shape]
    rows = {
        shape[0]
        for shape in shapes
        if len(shape) == 2 and shape[0] not in inner and shape[1] in first
    }
    rows.discard(observation.shape[0] if observation.shape else 0)
    return rows.pop() if len(rows) == 1 else 0


def _batch_factor(name: str, batch: int, *, too_large: bool, seen: bool) -> Factor:
    proof = "; it changes with the batch when a sample is left out" if seen else ""
    message = f"the gradient is divided by the batch size {batch} once too often"
    fix = f"d{name} *= {batch}  # or divide by the batch size in the loss alone"
    if too_large:
        message = (
            f"the gradient is {batch} times too large: the 1/{batch} of the mean over the batch is "
            "missing"
        )
        fix = f"d{name} /= {batch}  # the forward takes the mean over the batch, not the sum"
    return Factor(Bug.FACTOR_BATCH_SIZE, message + proof, fix, 0.5)


def _meaning(size: float, bound: float, observation: Observation, *, batch: bool) -> str:
    """Say which size of the tensors the factor equals, or what is made of one.

    Without ``batch`` the number of samples is known not to be it.
    """
    for length, what in _lengths(observation, batch=batch).items():
        made = {
            f"which equals {what}": length,
            f"one over {what}": 1 / length,
            f"the square root of {what}": length**0.5,
            f"one over the square root of {what}": length**-0.5,
            f"twice one over {what}": 2 / length,
            f"n / (n - 1) with n {what}": length / (length - 1),
            f"(n - 1) / n with n {what}": (length - 1) / length,
        }
        for meaning, number in made.items():
            if abs(size - number) <= bound:
                return meaning
    return ""


def _lengths(observation: Observation, *, batch: bool) -> dict[int, str]:
    """Return the sizes above one that the tensors and outputs have, and what they are of."""
    samples = () if batch else observation.evaluator.target.batch_tensors
    arrays = [(f"output {n}", y, not batch) for n, y in enumerate(observation.point.outputs)]
    arrays += [(n, value, n in samples) for n, value in observation.point.tensors.items()]
    lengths: dict[int, str] = {}
    for name, array, of_samples in arrays:
        for axis, length in enumerate(array.shape):
            if axis > 0 or not of_samples:
                lengths.setdefault(length, f"the length of axis {axis} of {name}")
        lengths.setdefault(array.size, f"the number of entries of {name}")
    return {length: what for length, what in lengths.items() if length > 1}


def matches(predicted: list[Bounded], analytic: list[Bounded]) -> bool:
    """Whether what is returned are multiples of the predictions, or vanish as all of them do."""
    if not all(math.isfinite(p.value) and math.isfinite(p.bound) for p in predicted):
        return False
    if vanish(predicted):
        return all(
            abs(a.value) <= MARGIN * (a.bound + p.bound)
            for a, p in zip(analytic, predicted, strict=True)
        )
    factor, bound = fitted_factor(predicted, analytic)
    return math.isfinite(factor) and all(
        abs(a.value - factor * p.value)
        <= MARGIN * (a.bound + abs(factor) * p.bound) + bound * abs(p.value)
        for p, a in zip(predicted, analytic, strict=True)
    )


def vanish(predicted: list[Bounded]) -> bool:
    """Whether every prediction is zero within its bound."""
    return all(abs(p.value) <= p.bound for p in predicted)


def fitted_factor(predicted: Iterable[Bounded], analytic: Iterable[Bounded]) -> tuple[float, float]:
    """Return the factor analytic / predicted from the direction that tells it most sharply."""
    best = math.nan, math.inf
    for p, a in zip(predicted, analytic, strict=True):
        if abs(p.value) > p.bound:
            factor = a.value / p.value
            bound = MARGIN * (a.bound + abs(factor) * p.bound) / (abs(p.value) - p.bound)
            if bound < best[1]:
                best = factor, bound
    return best
