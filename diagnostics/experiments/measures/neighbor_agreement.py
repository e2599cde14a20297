"""Do neighbours share labels? Samples that are alike do, unless the labels were shuffled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diagnostics.experiments.model.predictions import Labels
from diagnostics.experiments.model.samples import QUERIES, comparable_distances, spreads
from diagnostics.history.table import Floats
from diagnostics.statistics.calibration import TINY


class NeighborAgreement(NamedTuple):
    """How much more often nearest neighbours share a label than by chance, and its error."""

    excess: float
    error: float


def neighbor_agreement(X: Floats, y: Labels) -> NeighborAgreement:
    """Return how much more often nearest neighbours share a label than by chance.

    Parameters
    ----------
    X, y
        Samples as rows, and their labels.

    Notes
    -----
    Neighbours of one another count twice, which doubles the variance.
    """
    X, y = X[:QUERIES] / spreads(X[:QUERIES]), y[:QUERIES]
    chance = float((np.bincount(y) ** 2).sum() / len(y) ** 2)
    nearest = comparable_distances(X, X, skip_self=True).argmin(axis=1)
    agreement = float(np.mean(y[nearest] == y))
    return NeighborAgreement(
        agreement - chance, float(np.sqrt((2 * chance * (1 - chance) + TINY) / len(y)))
    )
