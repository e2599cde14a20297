"""Do neighbours share labels? Samples that are alike do, unless the labels were shuffled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diagnostics.experiments.model.predictions import Labels
from diagnostics.experiments.model.samples import QUERIES, labels_of_nearest
from diagnostics.history.table import Floats
from diagnostics.statistics.calibration import TINY


class Kinship(NamedTuple):
    """How much more often nearest neighbours share a label than by chance, and its error."""

    excess: float
    error: float


def kinship(X: Floats, y: Labels) -> Kinship:
    """Return how much more often nearest neighbours share a label than by chance.

    Parameters
    ----------
    X, y
        Samples as rows, and their labels.

    Notes
    -----
    Neighbours of one another count twice, which doubles the variance.
    """
    y = y[:QUERIES]
    chance = float((np.bincount(y) ** 2).sum() / len(y) ** 2)
    agreement = float(np.mean(labels_of_nearest(X, y) == y))
    return Kinship(agreement - chance, float(np.sqrt((2 * chance * (1 - chance) + TINY) / len(y))))
