"""Why the gradient of a loss is wrong: by which factor, on a batch where no two factors agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from gradcheck.properties.violation import Array, FunctionRaisedError, PropertyViolationError

# Numbers of samples and classes that differ from each other, from 2 and from their quotients.
ROWS, CLASSES = 5, 3

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


def gradient_cause(
    gradient: Callable[[Array, Array], Array],
    right: Callable[[Array, Array], Mapping[str, Array]],
) -> str:
    """Return by which known factor ``gradient`` differs from one of the ``right`` ones, if any."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(CLASSES), size=ROWS)
    t = np.eye(CLASSES)[rng.integers(CLASSES, size=ROWS)]
    try:
        got = gradient(p, t)
    except (FunctionRaisedError, PropertyViolationError):
        return ""
    if not np.any(got):
        return "the gradient is always zero"
    for name, expected in right(p, t).items():
        for factor, message in FACTORS.items():
            if np.allclose(got, factor * expected, rtol=1e-6, atol=0):
                return f"{message} (compared with the gradient by {name})"
    return ""
