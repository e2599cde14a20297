"""Entries grouped by the size of their analytic gradients, where that spans many decades.

Along a direction that moves all entries, an error in small ones drowns in the bound of the large
ones. Each group is therefore tested by itself as well, on its own scale.
"""

from __future__ import annotations

import math

import numpy as np

from gradcheck._types import Array
from gradcheck.numerics.blockwise import blocks, norm

# Contributions that spread over more than this are also tested by groups of like size.
SPREAD = 1e6
MOST_GROUPS = 3

# Of n numbers spread like a normal distribution, 0.8 n s / rms are smaller than s by chance. So
# many, with a margin for other distributions, have no scale of their own but their neighbours'.
CHANCE = 4.0


def groups_of_like_size(analytic: Array, scale: Array) -> list[tuple[str, Array]]:
    """Return a label and a mask for each group; nothing where all entries are of like size.

    Parameters
    ----------
    analytic, scale
        The gradient, and the steps natural for the entries: their product is what counts.
    """
    extremes = [
        (float(part.min()), float(part.max()))
        for part in (np.abs(g * s) for g, s in blocks(analytic, scale))
    ]
    smallest, largest = min(low for low, _ in extremes), max(high for _, high in extremes)
    typical = norm(analytic, scale) / math.sqrt(analytic.size)
    upper = largest / SPREAD
    if largest == 0 or (smallest > 0 and _below(analytic, scale, upper) <= _chance(upper, typical)):
        return []
    sizes = np.abs(analytic) * scale
    groups: list[tuple[str, Array]] = []
    while len(groups) < MOST_GROUPS:
        members = (sizes > 0) & (sizes < upper)
        if np.mean(members) <= _chance(upper, typical):
            break
        upper = float(sizes[members].max())
        within = members & (sizes > upper / SPREAD)
        groups.append((f"entries near {upper:.0e} of their scale", within))
        upper = upper / SPREAD
    if smallest == 0:
        groups.append(("entries that should be zero", sizes == 0))
    return groups


def _below(analytic: Array, scale: Array, upper: float) -> float:
    """Return the share of entries below ``upper``."""
    parts = (np.abs(g * s) for g, s in blocks(analytic, scale))
    return sum(int(np.count_nonzero(part < upper)) for part in parts) / analytic.size


def _chance(upper: float, typical: float) -> float:
    """Return the share of entries that are below ``upper`` by chance."""
    return CHANCE * upper / typical
