"""Which loss a network's gradients descend, where it does not say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.formulas.losses import candidates

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
    claims: Mapping[str, Array],
    targets: Any,
    *,
    downhill: bool = False,
) -> Descended | None:
    """Return the known loss whose slopes are those claimed, up to one factor for all tensors.

    Parameters
    ----------
    predict
        The predictions at given tensors.
    tensors, claims
        The point, and the gradients claimed there.
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
    pairs = _pairs(predict, tensors, claims)
    best: tuple[tuple[float, int], Descended] | None = None
    for loss in _known(np.asarray(targets), prediction):
        votes, factor = _agreed(_steady(pairs, loss), prediction)
        exact = _exact(factor, prediction)
        rank = votes, -_oddity(abs(exact), prediction)
        if exact and 2 * votes >= _all_votes(pairs) and (best is None or rank > best[0]):
            best = rank, _scaled(loss, abs(exact) if downhill else exact, prediction)
    return best[1] if best is not None else None


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
    pairs = _pairs(predict, tensors, changes)
    votes, factor = _agreed(_steady(pairs, Descended("", loss)), predict(dict(tensors)))
    simple = float(f"{factor:.3g}")
    is_simple = abs(simple - factor) <= AGREEMENT * abs(factor)
    return simple if is_simple and pairs and 2 * votes >= _all_votes(pairs) else 0.0


def _pairs(
    predict: Predict, tensors: Mapping[str, Array], claims: Mapping[str, Array]
) -> list[tuple[_Ray, _Ray]]:
    """Look along two directions of every tensor that has a claim."""
    rng = np.random.default_rng(0)
    wanted = {n: g for n, g in claims.items() if g.shape == tensors[n].shape and np.any(g)}
    return [
        (_ray(predict, tensors, name, claim, rng), _ray(predict, tensors, name, claim, rng))
        for name, claim in wanted.items()
    ]


def _all_votes(pairs: list[tuple[_Ray, _Ray]]) -> float:
    return sum(one.vote for one, _ in pairs)


def _steady(pairs: list[tuple[_Ray, _Ray]], loss: Descended) -> list[tuple[float, float]]:
    """Return the ratios of claims to slopes that are the same along both directions, and votes."""
    ratios = [(one.ratio(loss), other.ratio(loss), one.vote) for one, other in pairs]
    return [(r, vote) for r, s, vote in ratios if r and abs(r - s) <= AGREEMENT * abs(r)]


def _agreed(ratios: list[tuple[float, float]], prediction: Array) -> tuple[float, float]:
    """Return the votes for a factor, and which it is; in a tie the most usual, then the last.

    The tensors closest to the output come last, and are the least likely to be wrong.
    """
    votes = [
        (sum(vote for other, vote in ratios if abs(other - r) <= AGREEMENT * abs(r)), r)
        for r, _ in reversed(ratios)
    ]
    return max(votes, key=lambda vote: (vote[0], -_oddity(vote[1], prediction)), default=(0.0, 0.0))


def _oddity(factor: float, prediction: Array) -> int:
    """Return 0 for a sum or mean of whatever, 1 for twice or half of it, 2 for the rest."""
    rows, columns = _sides(prediction)
    of_sum = factor / rows  # the losses are means over the rows
    multiples = [of_sum, of_sum * rows, of_sum * columns, of_sum * rows * columns]
    if np.isclose(multiples, 1.0, rtol=AGREEMENT).any():
        return 0
    near = np.isclose(multiples, 2.0, rtol=AGREEMENT) | np.isclose(multiples, 0.5, rtol=AGREEMENT)
    return 1 if near.any() else 2


@dataclass(frozen=True)
class _Ray:
    """The predictions on both sides of the point along a direction, and the claimed slope."""

    ahead: Array
    behind: Array
    step: float
    claimed: float
    vote: float

    def ratio(self, loss: Descended) -> float:
        """Return the claimed slope in units of that of ``loss``."""
        slope = (loss.value(self.ahead) - loss.value(self.behind)) / (2 * self.step)
        return self.claimed / slope if np.isfinite(slope) and slope else 0.0


def _ray(
    predict: Predict,
    tensors: Mapping[str, Array],
    name: str,
    claim: Array,
    rng: np.random.Generator,
) -> _Ray:
    value = tensors[name]
    direction = claim / np.max(np.abs(claim)) * rng.uniform(0.5, 1.5, claim.shape)
    step = STEP * max(1.0, float(np.max(np.abs(value))))
    ahead = predict({**tensors, name: value + step * direction})
    behind = predict({**tensors, name: value - step * direction})
    vote = 1.0 if claim.size > 1 else VOTE_OF_ONE_ENTRY
    return _Ray(ahead, behind, step, float(np.sum(claim * direction)), vote)


def _known(targets: Array, prediction: Array) -> Iterator[Descended]:
    """Yield the losses that make sense for these targets and predictions."""
    try:
        found = candidates(targets, prediction, logits=prediction.ndim > 0)
    except ValueError:  # the shapes do not belong together
        return
    for loss in found:
        yield Descended(loss.name, lambda p, value=loss.value: value((p,)))  # type: ignore[misc]


def _exact(factor: float, prediction: Array) -> float:
    """Return the factor that was meant by a measured one: a simple number; 0 if none is near."""
    rows, columns = _sides(prediction)
    units = [1.0, 1 / rows, 1 / (rows * columns), rows, 1 / columns]
    for unit in units:
        simple = float(f"{factor / unit:.3g}") * unit
        if simple and abs(simple - factor) <= AGREEMENT * abs(factor):
            return simple
    return 0.0


def _scaled(loss: Descended, factor: float, prediction: Array) -> Descended:
    return Descended(_words(loss.name, factor, prediction), lambda p: factor * loss.value(p))


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
