"""Labels of the two sets: classes numbered otherwise, wrong labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diagnostics.experiments.model.predictions import contingency, interpret
from diagnostics.experiments.model.samples import as_rows, comparable_distances, take
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, Severity, advice
from diagnostics.history.table import Floats

# Renaming explains the answers to the moved classes when this share of them agrees, of so many.
RELABELLED, FEWEST_MOVED = 0.8, 20
# Rows compared for wrong labels, and neighbours of each; all but one of them must agree.
QUERIES, REFERENCES, NEIGHBOURS = 1000, 3000, 7
SOME_WRONG_LABELS = 0.03
STANDARD_ERRORS = 4.0


def relabelled(subject: Subject) -> Finding | None:
    """The best renaming of the classes is looked for."""
    from scipy.optimize import linear_sum_assignment

    accuracy, size = subject.accuracy, subject.predictions.probabilities.shape[1]
    table = contingency(subject.answers, subject.y, size)
    rows, columns = linear_sum_assignment(-table)
    best = float(table[rows, columns].sum() / len(subject.y))
    if size < 2 or not _renamed(table, rows, columns):
        return None
    moved = ", ".join(f"{a} is answered {b}" for a, b in zip(rows, columns, strict=True) if a != b)
    return Finding(
        message=(
            f"The classes are numbered otherwise here than in training ({_renaming(columns)}): "
            f"{accuracy:.0%} right as they are, {best:.0%} after renaming."
        ),
        confidence=0.95,
        evidence={"accuracy": accuracy, "accuracy after renaming": best, "renaming": moved},
        causes=("the two sets sort or encode their labels differently",),
        steps=advice("Encode the labels of both sets with one mapping."),
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


class Contradictions(NamedTuple):
    """Labels that differ from those of nearly all of their nearest training samples."""

    rows: np.ndarray  # of the training samples
    share: float  # of the training labels
    usual: float  # share of the validation labels
    learned: float  # share of these training labels that the model answers
    error: float  # standard error of the difference of the two shares


def contradictions(subject: Subject) -> Contradictions | None:
    """Return which labels their neighbours contradict, None where these cannot be compared."""
    train = subject.training
    if len(train.y) < 10 * NEIGHBOURS:
        return None
    X, y = as_rows(train.X[:REFERENCES]), train.y[:REFERENCES]
    among_train = _contradicted(X[:QUERIES], y[:QUERIES], X, y, skip_self=True)
    val = as_rows(subject.X[:QUERIES])
    if val.shape[1] != X.shape[1]:
        return None
    share = float(among_train.mean())
    usual = float(_contradicted(val, subject.y[:QUERIES], X, y, skip_self=False).mean())
    error = np.sqrt((share * (1 - share) + usual * (1 - usual)) / min(len(val), len(among_train)))
    rows = np.flatnonzero(among_train)
    return Contradictions(rows, share, usual, _memorised(subject, rows), float(error))


def label_noise(subject: Subject) -> Finding | None:
    """Training labels are compared with those of the nearest training samples."""
    found = contradictions(subject)
    if found is None:
        return None
    share, usual, learned = found.share, found.usual, found.learned
    only_train = share - usual > max(SOME_WRONG_LABELS, STANDARD_ERRORS * found.error)
    both = share > 2 * SOME_WRONG_LABELS and learned > 0.5
    if not only_train and not both:
        return None
    rows = ", ".join(str(i) for i in found.rows[:5])
    # as many in both sets: classes that overlap do the same, and nothing else may be wrong
    severity = Severity.WARNING if only_train or subject.loss_rises else Severity.INFO
    if only_train and learned > 0.5:
        severity = Severity.PROBLEM
    return Finding(
        severity=severity,
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
        steps=advice(
            f"Look at the training samples {rows}.",
            "Correct or drop them; or smooth the labels and stop early.",
        ),
    )


def _contradicted(
    queries: Floats, labels: np.ndarray, X: Floats, y: np.ndarray, *, skip_self: bool
) -> np.ndarray:
    """Which labels differ from the class that all but one of the nearest neighbours share."""
    distance = comparable_distances(queries, X, skip_self=skip_self)
    near = y[np.argpartition(distance, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]]
    votes = np.stack([(near == c).sum(axis=1) for c in range(int(y.max()) + 1)], axis=1)
    agreed = votes.max(axis=1) >= NEIGHBOURS - 1
    return np.asarray(agreed & (votes.argmax(axis=1) != labels))


def _memorised(subject: Subject, rows: np.ndarray) -> float:
    """Share of these training samples that the model answers with their (doubtful) label."""
    if len(rows) == 0:
        return 0.0
    train = subject.training
    answers = interpret(subject.ask(take(train.X, rows))).probabilities.argmax(axis=1)
    return float(np.mean(answers == train.y[rows]))
