"""What a constant factor between claim and gradient means."""

from __future__ import annotations

from dataclasses import dataclass

from gradcheck.explain.evidence import Evidence


@dataclass(frozen=True)
class Factor:
    """A factor by its bug's name; ``arbitrary`` where its value means nothing by itself."""

    code: str
    message: str
    fix: str
    cost: float
    arbitrary: bool = False


def name_factor(value: float, bound: float, evidence: Evidence) -> list[Factor]:
    """Name the factor ``value`` ± ``bound`` by which a claim differs from the gradient.

    Returns
    -------
    list of Factor
        Empty for the factor one; a sign and a size where both are off.
    """
    factors = []
    if value < 0:
        factors.append(_sign(evidence.name))
    size = abs(value)
    if abs(size - 1) > bound:
        factors.append(_size(size, bound, evidence))
    return factors


def _sign(name: str) -> Factor:
    return Factor(
        "sign_flipped",
        "the gradient has the wrong sign",
        f"d{name} = -d{name}  # a step would climb instead of descend",
        0.5,
    )


def _size(size: float, bound: float, evidence: Evidence) -> Factor:
    def equals(number: float) -> bool:
        return abs(size - number) <= bound

    name, batch = evidence.name, evidence.batch
    if batch > 2 and (equals(batch) or equals(1 / batch)):
        return _batch_factor(name, batch, too_large=equals(batch))
    if equals(2) or equals(0.5):
        verb, line = ("doubled", "/ 2") if equals(2) else ("halved", "* 2")
        also = f" (the batch holds {batch} samples: mean against sum?)" if batch == 2 else ""
        return Factor(
            "factor_two",
            f"the gradient is {verb}{also}",
            f"d{name} = d{name} {line}",
            0.6,
        )
    meaning = _dimension(size, bound, evidence)
    comment = f"  # {meaning.removeprefix(', ')}" if meaning else ""
    return Factor(
        "constant_factor",
        f"the gradient is {size:.8g} times what it should be{meaning}",
        f"d{name} /= {size:.8g}{comment}",
        0.8 if meaning else 1.2,
        arbitrary=True,
    )


def _batch_factor(name: str, batch: int, *, too_large: bool) -> Factor:
    if too_large:
        message = f"the gradient is {batch} times too large: the 1/{batch} of the mean"
        return Factor(
            "factor_batch_size",
            f"{message} over the batch is missing",
            f"d{name} /= {batch}  # the forward takes the mean over the batch, not the sum",
            0.5,
        )
    return Factor(
        "factor_batch_size",
        f"the gradient is divided by the batch size {batch} once too often",
        f"d{name} *= {batch}  # or divide by the batch size in the loss alone",
        0.5,
    )


def _dimension(size: float, bound: float, evidence: Evidence) -> str:
    """Say which size of the tensors the factor equals."""
    sizes: dict[int, str] = {}
    for position, output in enumerate(evidence.point.outputs):
        for axis, length in enumerate(output.shape):
            sizes.setdefault(length, f"the length of axis {axis} of output {position}")
        sizes.setdefault(output.size, f"the number of entries of output {position}")
    for name, value in evidence.point.tensors.items():
        for axis, length in enumerate(value.shape):
            sizes.setdefault(length, f"the length of axis {axis} of {name}")
        sizes.setdefault(value.size, f"the number of entries of {name}")
    for length, what in sizes.items():
        if length > 1 and abs(size - length) <= bound:
            return f", which is {what}"
        if length > 1 and abs(size * length - 1) <= bound * length:
            return f", one over {what}"
    return ""
