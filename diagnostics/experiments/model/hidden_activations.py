"""The output of a layer, a row for each observation and a column for each unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from diagnostics.experiments.model.predictions import softmax
from diagnostics.history.table import Floats

# A forward pass by hand is the model's own when its answers agree this well.
SAME = 1e-3


@dataclass(frozen=True)
class HiddenActivation:
    """The output of one layer for all samples."""

    name: str
    values: Floats


def as_units(values: Any) -> Floats:
    """Return one row for each observation of a unit: positions of an image are observations too.

    Given is an array of shape (n, units), (n, ..., units), or (n, units, height, width) of images.
    """
    values = np.atleast_2d(np.array(values, dtype=np.float64))
    if values.ndim == 4:
        values = np.moveaxis(values, 1, -1)
    return np.asarray(values.reshape(-1, values.shape[-1]))


def leads_to(last: Floats, answers: Floats) -> bool:
    """Return whether the last layer's answer is the model's, as probabilities or as logits.

    The last layer's answer has shape (n, classes), or (n, 1) of two; the model's (n, classes).
    """
    if last.shape[1] == 1:
        p = 1 / (1 + np.exp(-np.clip(last, -500, 500)))
        return any(np.allclose(q[:, 0], answers[:, 1], atol=SAME) for q in (last, p))
    if last.shape != answers.shape:
        return False
    return any(np.allclose(p, answers, atol=SAME) for p in (last, softmax(last)))
