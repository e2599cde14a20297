"""How fast a loss falls at the start, on average and at the end."""

from __future__ import annotations

from diagnostics.rules.features.curve import Curve
from diagnostics.statistics import robust
from diagnostics.statistics.rise_test import RISE_THRESHOLD

# At the end a loss that keeps its pace still falls at this share of its average speed ...
STILL_FALLING = 0.4
# ... and did so from the first epochs on, neither held up by a plateau nor settled after a drop.
FROM_THE_START = (0.3, 3.0)


def speed(curve: Curve) -> tuple[float, float, float]:
    """Return the share of the first loss covered, and the final and initial pace by the average."""
    start = max(curve.first, curve.start_level)
    covered = (start - curve.end_level) / start if start > 0 else 0.0
    average = (start - curve.end_level) / max(len(curve) - 1, 1)
    if average <= 0:
        return covered, 0.0, 0.0
    final = -robust.theil_sen(curve.part(2 / 3, 1.0)) / average
    initial = -robust.theil_sen(curve.part(0.0, 1 / 3)) / average
    return covered, final, initial


def keeps_pace(curve: Curve) -> bool:
    """Return whether a loss falls as fast at the end as all along."""
    _, final, initial = speed(curve)
    return final > STILL_FALLING and FROM_THE_START[0] < initial < FROM_THE_START[1]


def falls_steadily(curve: Curve) -> bool:
    """Return whether a fall, however small, is beyond noise and keeps its pace."""
    return keeps_pace(curve) and curve.fall.statistic > RISE_THRESHOLD
