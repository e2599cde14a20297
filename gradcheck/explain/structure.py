"""The structure of an error that no pattern explains, in words."""

from __future__ import annotations

import numpy as np

from gradcheck.explain.evidence import Evidence
from gradcheck.explain.measured import Measured
from gradcheck.result import Explanation

# Entries behind which a correlation is no accident, and its least size.
FEWEST = 10
CORRELATED = 0.8


def unexplained(evidence: Evidence) -> Explanation:
    """Return what is known of an error that fits no bug."""
    with np.errstate(all="ignore"):
        measured = Measured.of(evidence)
        facts = [] if measured is None else _facts(measured)
    return Explanation(
        "unexplained",
        evidence.name,
        0.0,
        "; ".join(["no known bug predicts these numbers within the error bounds", *facts]),
        f"the gradient of {evidence.name} is wrong in a way that fits no known bug",
        "see the entries listed: which of them are wrong often tells the line",
    )


def _facts(measured: Measured) -> list[str]:
    """Say which entries are wrong, along which axes they gather, and what the error follows."""
    known, wrong = measured.known, measured.wrong
    facts = [f"{int(wrong.sum())} of {int(known.sum())} entries measured are wrong"]
    for axis, length in enumerate(wrong.shape):
        others = tuple(i for i in range(wrong.ndim) if i != axis)
        right = np.flatnonzero(~wrong.any(axis=others))
        if wrong.ndim > 1 and 0 < len(right) < length:
            facts.append(f"all are right at the indices {right.tolist()} of axis {axis}")
    right_signs = np.sign(measured.claim[wrong]) == np.sign(measured.gradient[wrong])
    if right_signs.all():
        facts.append("every sign is right")
    size = np.abs(measured.excess[known])
    for what, values in (("the entry", measured.value), ("the gradient", measured.gradient)):
        other = np.abs(values[known].astype(np.float64))
        if len(size) >= FEWEST and np.ptp(size) > 0 and np.ptp(other) > 0:
            correlation = float(np.corrcoef(size, other)[0, 1])
            if abs(correlation) >= CORRELATED:
                grows = "grows" if correlation > 0 else "falls"
                facts.append(f"the error {grows} with the size of {what}")
    return facts
