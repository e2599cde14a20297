"""What a constant factor between claim and gradient means."""

from __future__ import annotations

from dataclasses import dataclass

from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.observation import Observation


@dataclass(frozen=True)
class Factor:
    """A factor by its bug's name; ``arbitrary`` where its value means nothing by itself."""

    code: Bug
    message: str
    fix: str
    cost: float
    arbitrary: bool = False


def name_factor(value: float, bound: float, observation: Observation) -> list[Factor]:
    """Name the factor ``value`` ± ``bound`` by which a claim differs from the gradient.

    Returns
    -------
    list of Factor
        Empty for the factor one; a sign and a size where both are off.
    """
    factors = []
    if value < 0:
        factors.append(_sign(observation.name))
    size = abs(value)
    if abs(size - 1) > bound:
        factors.append(_size(size, bound, observation))
    return factors


def _sign(name: str) -> Factor:
    return Factor(
        Bug.SIGN_FLIPPED,
        "the gradient has the wrong sign",
        f"d{name} = -d{name}  # a step would climb instead of descend",
        0.5,
    )


def _size(size: float, bound: float, observation: Observation) -> Factor:
    def equals(number: float) -> bool:
        return abs(size - number) <= bound

    name, known = observation.name, [n for n in (_samples(observation), observation.batch) if n]
    batch = next((n for n in known if equals(n) or equals(1 / n)), known[0] if known else 0)
    if batch > 1 and (equals(batch) or equals(1 / batch)):
        follows = _follows_batch(observation, batch, power=1 if equals(batch) else -1)
        if follows or (follows is None and batch > 2):
            return _batch_factor(name, batch, too_large=equals(batch), seen=bool(follows))
    else:
        follows = None
    if equals(2) or equals(0.5):
        verb, line = ("doubled", "/ 2") if equals(2) else ("halved", "* 2")
        unsure = batch == 2 and follows is None
        also = " (the batch holds 2 samples: mean against sum?)" if unsure else ""
        return Factor(
            Bug.FACTOR_TWO,
            f"the gradient is {verb}{also}",
            f"d{name} = d{name} {line}",
            0.6,
        )
    meaning = _meaning(size, bound, observation, batch=follows is not False)
    comment = f"  # {meaning.removeprefix(', ')}" if meaning else ""
    return Factor(
        Bug.CONSTANT_FACTOR,
        f"the gradient is {size:.8g} times what it should be{meaning}",
        f"d{name} /= {size:.8g}{comment}",
        0.8 if meaning else 1.2,
        arbitrary=True,
    )


def _follows_batch(observation: Observation, batch: int, power: int) -> bool | None:
    """Whether the factor ``batch**power`` changes with the batch when a sample is left out.

    None where that cannot be seen: no sample can be left out, or what is left has no one factor.
    """
    fewer = observation.fewer
    if fewer is None:
        return None
    verdicts = set()
    for direction in fewer.directions[:2]:
        claimed, right = fewer.claimed(direction), fewer.numerical(direction)
        agrees = [
            abs(abs(claimed.value) - factor * abs(right.value))
            <= MARGIN * (claimed.bound + factor * right.bound)
            for factor in (float(batch - 1) ** power, float(batch) ** power)
        ]
        verdicts.add(agrees[0] if agrees[0] != agrees[1] else None)
    return verdicts.pop() if len(verdicts) == 1 else None


def _samples(observation: Observation) -> int:
    """Return the number of rows of a loss's data, told by the sizes alone; 0 where there are none.

    Its rows are summed over and no parameter has their number, while its columns are multiplied
    with something that does.
    """
    if observation.listen is not None or observation.name not in observation.point.tensors:
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
    if too_large:
        message = f"the gradient is {batch} times too large: the 1/{batch} of the mean"
        return Factor(
            Bug.FACTOR_BATCH_SIZE,
            f"{message} over the batch is missing{proof}",
            f"d{name} /= {batch}  # the forward takes the mean over the batch, not the sum",
            0.5,
        )
    return Factor(
        Bug.FACTOR_BATCH_SIZE,
        f"the gradient is divided by the batch size {batch} once too often{proof}",
        f"d{name} *= {batch}  # or divide by the batch size in the loss alone",
        0.5,
    )


def _meaning(size: float, bound: float, observation: Observation, *, batch: bool) -> str:
    """Say which size of the tensors the factor equals, or what is made of one.

    Without ``batch`` the number of samples is known not to be it.
    """
    for length, what in _lengths(observation, batch=batch).items():
        made = {
            f", which equals {what}": length,
            f", one over {what}": 1 / length,
            f", the square root of {what}": length**0.5,
            f", one over the square root of {what}": length**-0.5,
            f", twice one over {what}": 2 / length,
            f", n / (n - 1) with n {what}": length / (length - 1),
            f", (n - 1) / n with n {what}": (length - 1) / length,
        }
        for meaning, number in made.items():
            if abs(size - number) <= bound:
                return meaning
    return ""


def _lengths(observation: Observation, *, batch: bool) -> dict[int, str]:
    """Return the sizes above one that the tensors and outputs have, and what they are of."""
    samples = () if batch else observation.evaluator.target.batch_tensors
    lengths: dict[int, str] = {}
    for position, output in enumerate(observation.point.outputs):
        for axis, length in enumerate(output.shape):
            if axis > 0 or batch:
                lengths.setdefault(length, f"the length of axis {axis} of output {position}")
        lengths.setdefault(output.size, f"the number of entries of output {position}")
    for name, value in observation.point.tensors.items():
        for axis, length in enumerate(value.shape):
            if axis > 0 or name not in samples:
                lengths.setdefault(length, f"the length of axis {axis} of {name}")
        lengths.setdefault(value.size, f"the number of entries of {name}")
    return {length: what for length, what in lengths.items() if length > 1}
