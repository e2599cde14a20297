"""Which loss a network's gradients descend, where it does not say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.formulas.losses import NAMES as NAMES
from gradcheck.formulas.losses import LossFormula, candidates
from gradcheck.numerics.central_difference import central_difference

# Step of the central difference that compares slopes, relative to the tensor's scale, and the
# agreement asked of slopes along different directions: its error is far smaller, a wrong loss's
# far larger.
STEP = 1e-5
AGREEMENT = 1e-4

# The slopes of a single number have one ratio under any loss: it supports others, no more.
VOTE_OF_ONE_ENTRY = 0.25

Predict = Callable[[dict[str, Array]], Array]


@dataclass(frozen=True)
class Descended:
    """A loss of predictions.

    Attributes
    ----------
    name
        In words, with its factor.
    value
        Of the predictions; it knows the targets.
    """

    name: str
    value: Callable[[Array], float]


def identify(
    predict: Predict,
    tensors: Mapping[str, Array],
    gradients: Mapping[str, Array],
    targets: Any,
    *,
    downhill: bool = False,
) -> Descended | None:
    """Return the known loss of these gradients, up to one factor for all tensors.

    Parameters
    ----------
    predict
        The predictions at given tensors.
    tensors, gradients
        The point, and the gradients there.
    targets
        As the network was given them.
    downhill
        Whether a loss that is climbed is to be taken for one that should have been descended.

    Returns
    -------
    Descended or None
        The loss that most of the tensors agree on, at least half of them, the one with the more
        usual factor where several are: near weights of zero they are alike. None if there is none.
    """
    prediction = predict(dict(tensors))
    slopes = _slopes(predict, tensors, gradients)
    try:
        known = candidates(np.asarray(targets), prediction, logits=prediction.ndim > 0)
    except ValueError:  # the shapes do not belong together
        return None
    best: tuple[LossFormula, float] | None = None
    highest = 0.0, 0
    for loss in known:
        votes, factor = _agreed(slopes, lambda p, loss=loss: loss.value((p,)), prediction)  # type: ignore[misc]
        exact = _exact(factor, prediction)
        rank = votes, -_oddity(abs(exact), prediction)
        if exact and (best is None or rank > highest):
            best, highest = (loss, abs(exact) if downhill else exact), rank
    if best is None:
        return None
    meant, times = best
    return Descended(_words(meant.name, times, prediction), lambda p: times * meant.value((p,)))


def rate_of(
    predict: Predict,
    tensors: Mapping[str, Array],
    changes: Mapping[str, Array],
    loss: Callable[[Array], float],
) -> float:
    """Return the learning rate of changes that descend a loss of the predictions.

    Returns
    -------
    float
        The simple number that most of the tensors agree on, at least half of them; 0 if there is
        none: a rate that is not known to the last digit is of no use.
    """
    slopes = _slopes(predict, tensors, changes)
    _, factor = _agreed(slopes, loss, predict(dict(tensors)))
    simple = float(f"{factor:.3g}")
    return simple if abs(simple - factor) <= AGREEMENT * abs(factor) else 0.0


@dataclass(frozen=True)
class _Slopes:
    """A tensor's analytic slopes along two directions, and the predictions to both sides there."""

    step: float
    along: tuple[tuple[float, dict[float, Array]], ...]
    vote: float

    def ratio(self, loss: Callable[[Array], float]) -> float:
        """Return the slopes in units of those of ``loss``; 0 where the directions do not agree."""

        def along(analytic: float, at: dict[float, Array]) -> float:
            slope = central_difference(lambda t: loss(at[t]), self.step)
            return float(np.divide(analytic, slope))

        with np.errstate(all="ignore"):
            one, other = (along(*each) for each in self.along)
        return one if abs(one - other) <= AGREEMENT * abs(one) else 0.0


def _slopes(
    predict: Predict, tensors: Mapping[str, Array], gradients: Mapping[str, Array]
) -> list[_Slopes]:
    """Look along two directions of every tensor that has a gradient."""
    rng = np.random.default_rng(0)
    found = []
    for name, gradient in gradients.items():
        value = tensors[name]
        if gradient.shape != value.shape or not np.any(gradient):
            continue
        step = STEP * max(1.0, float(np.max(np.abs(value))))
        along = []
        for _ in range(2):
            direction = gradient / np.max(np.abs(gradient)) * rng.uniform(0.5, 1.5, value.shape)
            at = {t: predict({**tensors, name: value + t * direction}) for t in (step, -step)}
            along.append((float(np.sum(gradient * direction)), at))
        found.append(_Slopes(step, tuple(along), 1.0 if value.size > 1 else VOTE_OF_ONE_ENTRY))
    return found


def _agreed(
    slopes: list[_Slopes], loss: Callable[[Array], float], prediction: Array
) -> tuple[float, float]:
    """Return the votes for a factor, and which it is; in a tie the most usual, then the last.

    The tensors closest to the output come last, and are the least likely to be wrong. Zeros are
    returned where less than half of the votes agree.
    """
    ratios = [(ratio, tensor.vote) for tensor in slopes if (ratio := tensor.ratio(loss))]
    votes = [
        (sum(vote for other, vote in ratios if abs(other - r) <= AGREEMENT * abs(r)), r)
        for r, _ in reversed(ratios)
    ]
    best, factor = max(
        votes, key=lambda vote: (vote[0], -_oddity(vote[1], prediction)), default=(0.0, 0.0)
    )
    return (best, factor) if 2 * best >= sum(tensor.vote for tensor in slopes) else (0.0, 0.0)


def _oddity(factor: float, prediction: Array) -> int:
    """Return 0 for a sum or mean of whatever, 1 for twice or half of it, 2 for the rest."""
    rows, columns = _sides(prediction)
    of_sum = factor / rows  # the losses are means over the rows
    multiples = [of_sum, of_sum * rows, of_sum * columns, of_sum * rows * columns]
    if np.isclose(multiples, 1.0, rtol=AGREEMENT).any():
        return 0
    near = np.isclose(multiples, 2.0, rtol=AGREEMENT) | np.isclose(multiples, 0.5, rtol=AGREEMENT)
    return 1 if near.any() else 2


def _exact(factor: float, prediction: Array) -> float:
    """Return the factor that was meant by a measured one: a simple number; 0 if none is near."""
    rows, columns = _sides(prediction)
    units = [1.0, 1 / rows, 1 / (rows * columns), rows, 1 / columns]
    for unit in units:
        simple = float(f"{factor / unit:.3g}") * unit
        if simple and abs(simple - factor) <= AGREEMENT * abs(factor):
            return simple
    return 0.0


def _words(name: str, factor: float, prediction: Array) -> str:
    """Say what ``factor`` times a loss is: a sum, or a mean over what."""
    rows, columns = _sides(prediction)
    halved = f"half the {name}" if name == "squared error" else name
    sizes = {"averaged over the rows": rows, "summed": 1, "averaged over the columns": columns}
    sizes["averaged over all entries"] = rows * columns
    words = {1.0: halved} | ({2.0: f"the {name}"} if halved != name else {})
    for multiple, loss in words.items():
        for reduction, size in sizes.items():
            if np.isclose(factor / rows * size, multiple, rtol=AGREEMENT):
                return f"{loss}, {reduction}"
    return f"{factor:.4g} x {halved}, averaged over the rows"


def _sides(prediction: Array) -> tuple[int, int]:
    rows = max(1, prediction.shape[0] if prediction.ndim else 1)
    return rows, max(1, prediction.size // rows)
