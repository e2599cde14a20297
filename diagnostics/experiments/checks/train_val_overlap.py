"""Validation samples that are in the training set, as they are or slightly changed."""

from __future__ import annotations

import numpy as np

from diagnostics.experiments.model.samples import as_rows, some_rows, spread_out, spreads, take
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, Severity, advice
from diagnostics.history.table import Floats

# Shares of validation rows found in the training set.
SOME_OVERLAP, MUCH_OVERLAP = 0.01, 0.10
# One or two equal rows are found in well-known data sets, and make no difference.
FEWEST_SHARED = 3
# Rows brought into one precision at a time.
CHUNK = 4096
# A near copy is this much nearer than the tenth neighbour; more distant pairs are no copies.
NEAR, NEIGHBOURS = 0.2, 10
# Where so many samples have such a neighbour anyway, copies cannot be told from chance.
EXPECTED_AT_MOST, TIMES_EXPECTED = 0.01, 5.0
# Distances this much smaller are those of equal rows.
EQUAL = 1e-6
# Samples looked up, directions they are projected on, and distances computed at a time.
QUERIES, DIRECTIONS, BLOCK = 1000, 64, 4000


def train_validation_overlap(subject: Subject) -> Finding | None:
    """Validation rows are looked up in the training set."""
    train, val = (np.asarray(s.X).reshape(len(s.X), -1) for s in (subject.training, subject))
    if train.shape[1] != val.shape[1]:
        return None
    known = set(_signatures(train))
    shared = np.array([row in known for row in _signatures(val)])
    share, natural = float(shared.mean()), 1 - len(known) / len(train)
    # Few distinct rows repeat themselves in any split: discrete features, not a leak.
    if shared.sum() < FEWEST_SHARED or share < max(SOME_OVERLAP, 2 * natural):
        return None
    return Finding(
        severity=Severity.PROBLEM if share > MUCH_OVERLAP else Severity.WARNING,
        message=f"{share:.1%} of the validation samples are in the training set.",
        confidence=0.95,
        evidence={
            "shared samples": int(shared.sum()),
            "share": share,
            "first shared sample": int(np.argmax(shared)),
            "repetitions within the training set": natural,
        },
        causes=("the data were split after augmentation or oversampling", "the split overlaps"),
        steps=advice("Remove duplicates before splitting, and split once, by sample."),
    )


def _signatures(rows: np.ndarray) -> list[int]:
    """A 64-bit hash of each row, numbers in single precision: equal for equal rows of any type."""
    if rows.dtype.kind not in "fiub":
        return [hash(tuple(row)) for row in rows.tolist()]
    return [
        hash(row.tobytes())
        for start in range(0, len(rows), CHUNK)
        # adding zero turns -0.0 into 0.0
        for row in rows[start : start + CHUNK].astype(np.float32) + np.float32(0)
    ]


def near_duplicates(subject: Subject) -> Finding | None:
    """Validation rows are looked for that lie far too close to a training row."""
    if len(subject.training.y) < 5 * NEIGHBOURS:
        return None
    rows = spread_out(len(subject.y), QUERIES)
    train, val = as_rows(subject.training.X), as_rows(take(subject.X, rows))
    if train.shape[1] != val.shape[1]:
        return None
    near, expected = _near_copies(train, val)
    share = float(near.mean())
    if share < max(SOME_OVERLAP, TIMES_EXPECTED * expected):
        return None
    first = ", ".join(str(row) for row in rows[near][:5])
    return Finding(
        severity=Severity.PROBLEM if share > MUCH_OVERLAP else Severity.WARNING,
        message=(
            f"{share:.1%} of the validation samples are near copies of training samples: more "
            f"than {1 / NEAR:.0f} times nearer to one of them than to the tenth nearest."
        ),
        confidence=0.85,
        evidence={
            "share": share,
            "share expected by chance": expected,
            "validation samples to look at": first,
        },
        causes=(
            "the data were augmented or oversampled before they were split",
            "several records of one object or person are in both sets",
        ),
        steps=advice("Split first, by object or person, then augment the training set only."),
    )


def _near_copies(train: Floats, queries: Floats) -> tuple[np.ndarray, float]:
    """Which rows have a training row far too near, and the share of them expected by chance.

    Notes
    -----
    In d dimensions the volume within r holds a share (r / r_k)^d of the k nearest, so that
    P(r_1 < q r_k) = 1 - (1 - q^d)^(k-1), and (r_j / r_k)^d is distributed as the j-th of k - 1
    numbers drawn from [0, 1], whose median is 1/2 for k = 2j: so the median of r_5 / r_10 gives d,
    with a few copies among the neighbours or none. Ratios of two neighbours' distances give d in
    Facco, d'Errico, Rodriguez and Laio 2017 (Sci. Rep. 7, 12140) as well. Equal rows, which
    discrete features make in any split, do not count; and copies stand apart: neighbours of one
    group, as rows that agree in all discrete features, are as many again at twice the distance.
    """
    near, expected = np.zeros(len(queries), bool), 0.0
    # copies are near in the units of the data or in those of the features, as noise was added
    for scale in (1.0, spreads(some_rows(train, BLOCK))):
        nearest = nearest_distances(train, queries, scale)
        tenth = np.maximum(nearest[:, -1], 1e-300)
        ratio = nearest[:, 0] / tenth
        middle = np.median(nearest[:, NEIGHBOURS // 2 - 1] / tenth)
        dimension = np.log(0.5) / np.log(np.clip(middle, EQUAL, 1 - EQUAL))
        chance = float(1 - (1 - NEAR**dimension) ** (NEIGHBOURS - 1))
        found = (ratio < NEAR) & (ratio > EQUAL)
        between = ((ratio >= NEAR) & (ratio < 2 * NEAR)).sum()
        if chance < EXPECTED_AT_MOST and found.sum() > max(near.sum(), between):
            near, expected = found, chance
    return near, expected


def nearest_distances(train: Floats, queries: Floats, scale: Floats | float = 1.0) -> Floats:
    """Return each row's distances to its ten nearest training rows, ascending."""
    basis = np.eye(train.shape[1])
    if len(basis) > DIRECTIONS:  # a few random ones keep distances (Johnson, Lindenstrauss 1984)
        basis = np.random.default_rng(0).normal(size=(len(basis), DIRECTIONS))
    basis = basis / np.reshape(scale, (-1, 1))
    return _nearest(train @ basis, queries @ basis)


def _nearest(train: Floats, queries: Floats) -> Floats:
    """Distances to the nearest training rows, ascending, shape (queries, NEIGHBOURS)."""
    centre = train.mean(axis=0)
    train, queries = train - centre, queries - centre
    best = np.full((len(queries), NEIGHBOURS), np.inf)
    squares = (queries**2).sum(axis=1)[:, np.newaxis]
    for start in range(0, len(train), BLOCK):
        block = train[start : start + BLOCK]
        # |q - x|^2 = |q|^2 - 2 <q, x> + |x|^2
        distance = squares - 2 * queries @ block.T + (block**2).sum(axis=1)
        both = np.hstack([best, distance])
        best = np.partition(both, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
    return np.asarray(np.sqrt(np.maximum(np.sort(best, axis=1), 0)))
