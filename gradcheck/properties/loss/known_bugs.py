"""Why a loss or its gradient is wrong: which term, or by which factor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.known_bugs import Imitations, recognise
from gradcheck.properties.loss.recognize import CallConvention

# Numbers of samples and classes that differ from each other, from 2 and from their quotients.
ROWS, CLASSES = 5, 3

# A guard in the logarithm moves a number by less than this; two of the factors differ by far more.
AGREEMENT = 1e-3

FACTORS: dict[float, str] = {
    -1.0: "the sign is flipped: it should be p - t",
    -1.0 / ROWS: "the sign is flipped, and it is divided by the batch size, which the loss is not",
    -float(ROWS): "the sign is flipped, and the division by the batch size is missing",
    2.0: "it is twice too large",
    0.5: "it is half of what it should be: the factor 2 of the square is missing",
    float(ROWS): "it lacks the division by the batch size that the loss has",
    1 / ROWS: "it is divided by the batch size, which the loss is not",
    float(CLASSES): "it is multiplied by the number of classes",
    1 / CLASSES: "it is divided by the number of classes, which the loss is not",
    float(ROWS * CLASSES): "it lacks the division by the number of entries that the loss has",
    1 / (ROWS * CLASSES): "it is divided by the number of entries, which the loss is not",
}

# Binary cross-entropies with a term wrong, each entry's loss from p and t.
BINARY_BUGS: Imitations = {
    "only t * log(p) is there; add the other half, (1 - t) * log(1 - p)": lambda p, t: (
        -t * np.log(p)
    ),
    "only (1 - t) * log(1 - p) is there; add the other half, t * log(p)": lambda p, t: (
        -(1 - t) * np.log(1 - p)
    ),
    "(1 - t) * log(1 - p) has the wrong sign: the minus before t * log(p) reaches no further; "
    "put brackets around the sum of both": lambda p, t: -t * np.log(p) + (1 - t) * np.log(1 - p),
    "p and 1 - p are exchanged": lambda p, t: -t * np.log(1 - p) - (1 - t) * np.log(p),
}
BINARY_SAMPLES = ((0.25, 1.0), (0.375, 0.0), (0.75, 1.0), (0.875, 0.0))


def binary_cause(loss: Callable[[Array, Array], float], fit: Callable[[Array], Array]) -> str:
    """Return which term of a binary cross-entropy is wrong, if one is."""
    probes = [(fit(np.array([[p]])), fit(np.array([[t]]))) for p, t in BINARY_SAMPLES]
    summed = {
        message: lambda p, t, entries=entries: entries(p, t).sum()
        for message, entries in BINARY_BUGS.items()
    }
    return recognise(loss, summed, probes, AGREEMENT) or ""


def gradient_cause(
    gradient: Callable[[Array, Array], Array],
    right: Callable[[Array, Array], Mapping[str, Array]],
    convention: CallConvention,
) -> str:
    """Return by which known factor ``gradient`` differs from one of the ``right`` ones, if any."""
    rng = np.random.default_rng(0)
    rows, classes = (1 if convention.most_rows == 1 else ROWS), convention.most_classes
    p = rng.dirichlet(np.ones(CLASSES), size=ROWS)[:rows, :classes]
    t = np.eye(CLASSES)[rng.integers(CLASSES, size=ROWS)][:rows, :classes]
    candidates = right(p, t)
    fits = partial(recognise, gradient, probes=[(p, t)], match=AGREEMENT)
    if any(fits({"": _constant(expected)}) is not None for expected in candidates.values()):
        return ""
    bugs = {"the gradient is always zero": _constant(0 * p)} | {
        f"{message} (compared with the gradient by {name})": _constant(factor * expected)
        for name, expected in candidates.items()
        for factor, message in FACTORS.items()
    }
    return fits(bugs) or ""


def _constant(value: Array) -> Callable[..., Array]:
    return lambda *_: value
