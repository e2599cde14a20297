"""Do the data sets fit together? Overlap, shift, relabelling, wrong labels, scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from diagnostics.finding import Finding, Severity
from diagnostics.probes.predictions import interpret
from diagnostics.probes.registry import probe
from diagnostics.probes.subject import Subject
from diagnostics.table import Floats

# Shares of validation rows found in the training set.
SOME_OVERLAP, MUCH_OVERLAP = 0.01, 0.10
# Mean standardised difference of the features, and ratio of their spreads, that no split makes.
SHIFTED, SPREAD_RATIO = 0.25, 1.5
# A model loses this much accuracy on a shifted set.
LOST_ACCURACY = 0.10
# Renaming explains the answers to the moved classes when this share of them agrees, of so many.
RELABELLED, FEWEST_MOVED = 0.8, 20
# Scaling by one factor: means and spreads of the features agree on it this well.
SAME_FACTOR = 0.15
# Rows compared for wrong labels, and neighbours of each; all but one of them must agree.
QUERIES, REFERENCES, NEIGHBOURS = 1000, 3000, 7
SOME_WRONG_LABELS = 0.03
STANDARD_ERRORS = 4.0
LARGE_INPUT = 20.0
# Rows brought into one precision at a time.
CHUNK = 4096


def as_rows(X: Any) -> Floats:
    """Samples as rows of features, shape (n, features)."""
    values = np.asarray(X, dtype=np.float64)
    return values.reshape(len(values), -1)


@probe()
def train_validation_overlap(subject: Subject) -> Finding | None:
    """Validation rows are looked up in the training set."""
    if subject.train is None:
        return None
    train, val = (np.asarray(part).reshape(len(part), -1) for part in (subject.train[0], subject.X))
    if train.shape[1] != val.shape[1]:
        return None
    known = set(_signatures(train))
    shared = np.array([row in known for row in _signatures(val)])
    share, natural = float(shared.mean()), 1 - len(known) / len(train)
    # Few distinct rows repeat themselves in any split: discrete features, not a leak.
    if share < max(SOME_OVERLAP, 2 * natural):
        return None
    return Finding(
        code="train_validation_overlap",
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
        next_steps=("Remove duplicates before splitting, and split once, by sample.",),
    )


def _signatures(rows: np.ndarray) -> list[int]:
    """A 64-bit hash of each row in single precision: equal for equal rows of any type."""
    return [
        hash(row.tobytes())
        for start in range(0, len(rows), CHUNK)
        # adding zero turns -0.0 into 0.0
        for row in rows[start : start + CHUNK].astype(np.float32) + np.float32(0)
    ]


@probe(unless=("evaluation_bug", "shuffled_labels"))
def relabelled(subject: Subject) -> Finding | None:
    """The best renaming of the classes is looked for."""
    from scipy.optimize import linear_sum_assignment

    answers = subject.predictions.probabilities.argmax(axis=1)
    accuracy = float(subject.right.mean())
    size = subject.predictions.probabilities.shape[1]
    table = np.zeros((size, size))
    np.add.at(table, (subject.y, answers), 1)
    rows, columns = linear_sum_assignment(-table)
    best = float(table[rows, columns].sum() / len(answers))
    if size < 2 or not _renamed(table, rows, columns):
        return None
    moved = ", ".join(f"{a} is answered {b}" for a, b in zip(rows, columns, strict=True) if a != b)
    return Finding(
        code="distribution_shift",
        severity=Severity.PROBLEM,
        message=(
            f"The classes are numbered otherwise here than in training ({_renaming(columns)}): "
            f"{accuracy:.0%} right as they are, {best:.0%} after renaming."
        ),
        confidence=0.95,
        evidence={"accuracy": accuracy, "accuracy after renaming": best, "renaming": moved},
        causes=("the two sets sort or encode their labels differently",),
        next_steps=("Encode the labels of both sets with one mapping.",),
    )


def _renamed(table: Floats, rows: np.ndarray, columns: np.ndarray) -> bool:
    """Whether the samples of the moved classes are mostly answered by their new names."""
    moved = rows != columns
    samples, as_named = table[moved].sum(), np.trace(table[moved][:, moved])
    after = table[rows[moved], columns[moved]].sum()
    return bool(samples >= FEWEST_MOVED and after > RELABELLED * samples and as_named < samples / 5)


def _renaming(columns: np.ndarray) -> str:
    """The pattern of a renaming in words."""
    size = len(columns)
    steps = set((columns - np.arange(size)) % size)
    if steps in ({1}, {size - 1}) and size > 2:
        return "off by one"
    if np.array_equal(columns[columns], np.arange(size)):
        pairs = [f"{a} and {b}" for a, b in enumerate(columns) if a < b]
        return "swapped: " + ", ".join(pairs)
    return "permuted"


@probe(unless=("distribution_shift",))
def distribution_shift(subject: Subject) -> Finding | None:
    """Means and spreads of the features are compared with those of the training set."""
    if subject.train is None:
        return None
    train, val = as_rows(subject.train[0]), as_rows(subject.X)
    if train.shape[1] != val.shape[1]:
        return None
    spread = train.std(axis=0)
    varies = spread > 1e-9 * max(float(np.abs(train).max()), 1e-300)
    difference = np.abs(val.mean(axis=0) - train.mean(axis=0))[varies] / spread[varies]
    # Mean absolute value of a standard normal is sqrt(2 / pi).
    chance = np.sqrt(2 / np.pi * (1 / len(train) + 1 / len(val)))
    shift = float(difference.mean()) if varies.any() else 0.0
    ratio = (
        float(val[:, varies].std() / max(train[:, varies].std(), 1e-300)) if varies.any() else 1.0
    )
    shifted = shift > max(SHIFTED, 3 * chance)
    if not shifted and 1 / SPREAD_RATIO < ratio < SPREAD_RATIO:
        return None
    lost = _lost_accuracy(subject)
    factor = _scale(train[:, varies], val[:, varies])
    return Finding(
        code="distribution_shift",
        severity=Severity.PROBLEM if lost > LOST_ACCURACY else Severity.WARNING,
        message=(
            f"The validation inputs differ from the training inputs: features are {shift:.2g} "
            f"standard deviations apart on average, their spread is {ratio:.2g} times as large."
            + (f" One factor explains it: validation = {factor:.4g} x training." if factor else "")
        ),
        confidence=0.9,
        evidence={
            "mean difference in standard deviations": shift,
            "expected by chance": float(chance),
            "ratio of spreads": ratio,
            "training minus validation accuracy": lost,
        },
        causes=(
            "the two sets are scaled or preprocessed differently",
            "the validation set comes from another source",
        ),
        next_steps=("Preprocess both sets by one function, fitted on the training set only.",),
    )


def _scale(train: Floats, val: Floats) -> float | None:
    """The factor between the sets, where all features' root mean squares agree on one."""
    sizes = np.sqrt((train**2).mean(axis=0)), np.sqrt((val**2).mean(axis=0))
    used = (sizes[0] > 0) & (sizes[1] > 0)
    if not used.any():
        return None
    factors = sizes[1][used] / sizes[0][used]
    median = float(np.median(factors))
    off = float(np.median(np.abs(factors / median - 1)))
    return median if off < SAME_FACTOR and not 0.5 < median < 2 else None


def _lost_accuracy(subject: Subject) -> float:
    """Accuracy on the training set minus accuracy on the validation set."""
    if subject.train_predictions is None or subject.train is None:
        return 0.0
    answers = subject.train_predictions.probabilities.argmax(axis=1)
    return float(np.mean(answers == subject.train[1]) - subject.right.mean())


@probe()
def label_noise(subject: Subject) -> Finding | None:
    """Training labels are compared with those of the nearest training samples."""
    if subject.train is None or len(subject.train[1]) < 10 * NEIGHBOURS:
        return None
    X, y = as_rows(subject.train[0])[:REFERENCES], np.asarray(subject.train[1])[:REFERENCES]
    among_train = _contradicted(X[:QUERIES], y[:QUERIES], X, y, skip_self=True)
    val = as_rows(subject.X)[:QUERIES]
    if val.shape[1] != X.shape[1]:
        return None
    share = float(among_train.mean())
    usual = float(_contradicted(val, subject.y[:QUERIES], X, y, skip_self=False).mean())
    error = np.sqrt((share * (1 - share) + usual * (1 - usual)) / min(len(val), len(among_train)))
    learned = _memorised(subject, np.flatnonzero(among_train))
    only_train = share - usual > max(SOME_WRONG_LABELS, STANDARD_ERRORS * error)
    both = share > 2 * SOME_WRONG_LABELS and learned > 0.5
    if not only_train and not both:
        return None
    rows = ", ".join(str(i) for i in np.flatnonzero(among_train)[:5])
    return Finding(
        code="label_noise",
        severity=Severity.PROBLEM if learned > 0.5 else Severity.WARNING,
        message=(
            f"At least {share:.1%} of the training labels contradict nearly all of their nearest "
            f"neighbours, against {usual:.1%} of the validation labels; the model has learned "
            f"{learned:.0%} of them by heart."
        ),
        confidence=0.9 if only_train else 0.6,
        evidence={
            "contradicted training labels": share,
            "contradicted validation labels": usual,
            "share of these learned by heart": learned,
            "training samples to look at": rows,
        },
        causes=("wrong labels in the training set", "classes that overlap in these features"),
        next_steps=(
            f"Look at the training samples {rows}.",
            "Correct or drop them; or smooth the labels and stop early.",
        ),
    )


def _contradicted(
    queries: Floats, labels: np.ndarray, X: Floats, y: np.ndarray, *, skip_self: bool
) -> np.ndarray:
    """Which labels differ from the class that all but one of the nearest neighbours share."""
    # |q - x|^2 = |q|^2 - 2 <q, x> + |x|^2, the first term being the same for all x
    distance = (X**2).sum(axis=1) - 2 * queries @ X.T
    if skip_self:
        np.fill_diagonal(distance, np.inf)
    near = y[np.argpartition(distance, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]]
    votes = np.stack([(near == c).sum(axis=1) for c in range(int(y.max()) + 1)], axis=1)
    agreed = votes.max(axis=1) >= NEIGHBOURS - 1
    return np.asarray(agreed & (votes.argmax(axis=1) != labels))


def _memorised(subject: Subject, rows: np.ndarray) -> float:
    """Share of these training samples that the model answers with their (doubtful) label."""
    if len(rows) == 0 or subject.train is None:
        return 0.0
    X, y = subject.train
    answers = interpret(subject.ask(np.asarray(X)[rows])).probabilities.argmax(axis=1)
    return float(np.mean(answers == y[rows]))


@probe()
def unnormalised_inputs(subject: Subject) -> Finding | None:
    """The size of the inputs is looked at."""
    largest = float(np.abs(as_rows(subject.X)).max())
    if largest < LARGE_INPUT:
        return None
    return Finding(
        code="unnormalised_inputs",
        severity=Severity.INFO,
        message=f"Inputs reach {largest:.4g}: networks train better on values of order one.",
        evidence={"largest input": largest},
        next_steps=("Divide by the largest value, or standardise each feature.",),
    )
