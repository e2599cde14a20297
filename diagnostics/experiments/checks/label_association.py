"""Do the answers have anything to do with the labels? Shuffled, shifted or untrained."""

from __future__ import annotations

import numpy as np

from diagnostics.experiments.measures.correlation import best_shift
from diagnostics.experiments.model.predictions import Labels, PredictionKind, contingency
from diagnostics.experiments.model.samples import QUERIES, as_rows, comparable_distances, spreads
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, advice
from diagnostics.history.table import Floats
from diagnostics.statistics.calibration import TINY

# Answers that depend on the labels at all are told from chance at this level.
SIGNIFICANCE = 1e-3
# Neighbours share labels, or do not, from and up to so many standard errors.
RELATED, BY_CHANCE = 5.0, 3.0
# Answers that depend on the labels by less than this (Cramer's V) have learned other labels.
WEAK = 0.6
# Where chance is right so often, the rare classes show nothing.
TOO_EASY = 0.8
# A training set is learned when this share of what chance leaves is answered rightly.
LEARNED = 0.5
# Answers this sure, with classes as frequent as the labels' at this level, have been learned.
SURE, SAME_FREQUENCIES = 0.6, 0.05
# Fewer samples cannot show that answers and labels have nothing in common.
FEWEST = 50
# Out of n shifts the best agrees by chance at most this many standard deviations above the rest.
SHIFT_DEVIATIONS = 8.0

TOGETHER = "Shuffle both with one permutation: order = rng.permutation(len(X)); X[order], y[order]."


def _association(answers: Labels, y: Labels) -> float:
    """Return the p-value of Pearson's chi-squared test that answers and labels are independent.

    Notes
    -----
    1.0 where only one class is answered or present: nothing can be told from one row.
    """
    from scipy.stats import chi2_contingency

    table = contingency(answers, y)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    return float(chi2_contingency(table).pvalue) if min(table.shape) > 1 else 1.0


def _at_chance(answers: Labels, y: Labels) -> bool:
    """Whether answers agree with labels as often as independent ones, and hardly depend on them.

    A network that learned labels drawn by lot answers alike samples alike: not independent of the
    classes, yet right by chance only.
    """
    table = contingency(answers, y) / len(y)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    agreement, chance = float(np.trace(table)), float(np.trace(expected))
    error = np.sqrt(chance * (1 - chance) / len(y))
    used = expected > 0
    # V^2 = chi^2 / (n (k - 1)) with k the smaller number of classes (Cramer 1946, section 21.9)
    rank = max(min((table.sum(axis=1) > 0).sum(), (table.sum(axis=0) > 0).sum()) - 1, 1)
    strength = ((table - expected)[used] ** 2 / expected[used]).sum() / rank
    if chance > TOO_EASY or agreement > chance + 2 * error:
        return False
    return bool(strength < WEAK**2 or _association(answers, y) >= SIGNIFICANCE)


def _best_shift(answers: Labels, y: Labels) -> tuple[int, float, float]:
    """The cyclic shift of the labels that agrees best, its accuracy, and how unusual it is.

    Notes
    -----
    Agreements at all shifts at once: the cross-correlation of the indicators of each class, by
    the fast Fourier transform. The last number counts standard deviations above the mean.
    """
    agreements = np.zeros(len(y))
    for c in range(int(y.max()) + 1):
        spectrum = np.fft.rfft(y == c) * np.conj(np.fft.rfft(answers == c))
        agreements += np.fft.irfft(spectrum, len(y))
    shares = agreements / len(y)
    shift, accuracy = best_shift(shares)
    spread = max(float(shares.std()), 1e-12)
    return shift, accuracy, float((accuracy - shares.mean()) / spread)


def out_of_step(subject: Subject) -> Finding | None:
    """The labels are shifted against the samples by every number of rows."""
    if not _unrelated_answers(subject):
        return None
    shift, accuracy, deviations = _best_shift(subject.answers, subject.y)
    if not shift or deviations < SHIFT_DEVIATIONS or accuracy < 0.5:
        return None
    return Finding(
        message=(
            f"Labels and samples are out of step by {abs(shift)} rows: "
            f"{subject.accuracy:.0%} right as they are, {accuracy:.0%} after shifting."
        ),
        confidence=0.98,
        evidence={
            "accuracy": subject.accuracy,
            "rows shifted": shift,
            "accuracy after shifting": accuracy,
        },
        causes=("a header or a row was dropped from one of the two files",),
        steps=advice(f"Align them: y = np.roll(y, {-shift})."),
    )


def _unrelated_answers(subject: Subject) -> bool:
    """Whether answers and labels have nothing to do with one another."""
    answers = subject.answers
    if len(answers) < FEWEST or len(np.unique(answers)) < 2 or len(np.unique(subject.y)) < 2:
        return False
    return _at_chance(answers, subject.y)


def _neighbor_agreement(X: Floats, y: Labels) -> tuple[float, float]:
    """How much more often nearest neighbours share a label than by chance, and its error.

    Neighbours of one another count twice, which doubles the variance.
    """
    X, y = X[:QUERIES] / spreads(X[:QUERIES]), y[:QUERIES]
    chance = float((np.bincount(y) ** 2).sum() / len(y) ** 2)
    nearest = comparable_distances(X, X, skip_self=True).argmin(axis=1)
    agreement = float(np.mean(y[nearest] == y))
    return agreement - chance, float(np.sqrt((2 * chance * (1 - chance) + TINY) / len(y)))


def shuffled_set(subject: Subject) -> Finding | None:
    """In each set neighbours are asked for one another's labels: alike samples share them."""
    sets = {"training": subject.training, "validation": subject}
    if min(len(one.y) for one in sets.values()) < FEWEST:
        return None
    excess = {n: _neighbor_agreement(as_rows(s.X[:QUERIES]), s.y) for n, s in sets.items()}
    (shuffled, (low, error)), (related, (high, other)) = sorted(
        excess.items(), key=lambda pair: pair[1][0]
    )
    apart = (high - low) / float(np.hypot(other, error))
    if low > BY_CHANCE * error or min(apart, high / other) < RELATED:
        return None
    return Finding(
        message=(
            f"The labels of the {shuffled} set are shuffled against their samples: neighbours "
            f"share no labels there, as they do in the {related} set."
        ),
        confidence=0.95,
        evidence={
            **{f"excess of neighbours that agree, {name}": e for name, (e, _) in excess.items()},
            "accuracy": subject.accuracy,
        },
        causes=(
            *_sorted(sets[shuffled].y),
            "samples and labels were shuffled, sorted or filtered separately",
        ),
        steps=advice(TOGETHER),
    )


def _sorted(y: Labels) -> tuple[str, ...]:
    """A cause that shows in the labels alone."""
    return ("the labels are sorted, the samples are not",) if np.all(np.diff(y) >= 0) else ()


def not_learning(subject: Subject) -> Finding | None:
    """Answers and labels are tested for independence."""
    if not _unrelated_answers(subject):
        return None
    chance = float(np.bincount(subject.y).max() / len(subject.y))
    evidence: dict[str, float | int | str] = {
        "accuracy": subject.accuracy,
        "chance (the most frequent label)": chance,
        "p-value of independence": _association(subject.answers, subject.y),
    }
    known, train_accuracy = subject.trained_on is not None, 0.0
    if subject.trained_on is not None:
        evidence["training accuracy"] = train_accuracy = subject.trained_on.accuracy
        known = train_accuracy - chance > LEARNED * (1 - chance)
    learned = known or _answers_as_if_learned(subject)
    if known:
        reason = (
            f"yet {train_accuracy:.0%} of the training samples are answered rightly: the labels "
            "of one of the two sets are shuffled against their samples"
        )
    elif learned:
        reason = (
            "yet the model is sure of them and answers each class as often as it occurs, as only "
            "a model does that has learned: the labels are shuffled against their samples"
        )
    else:
        reason = "the labels are shuffled against their samples, or the model has not learned"
    return Finding(
        code="shuffled_labels" if learned else "not_learning",
        message=(
            f"The answers have nothing to do with the labels ({evidence['accuracy']:.0%} right, "
            f"{chance:.0%} by always answering the most frequent one); {reason}."
        ),
        confidence=0.9 if known else 0.75,
        evidence=evidence,
        causes=(
            *_sorted(subject.y),
            "samples and labels were shuffled separately",
            "the model was never trained, or its learning rate is far too high or too low",
        ),
        steps=advice(
            TOGETHER,
            "Or let the model learn 20 samples by heart: if it cannot, training is broken.",
        ),
    )


def _answers_as_if_learned(subject: Subject) -> bool:
    """Whether the answers are sure, and the classes among them as frequent as among the labels.

    Untrained networks, and trained ones on inputs of another kind, favour a few classes.
    """
    from scipy.stats import chi2_contingency

    p = subject.predictions.probabilities
    if subject.predictions.kind is PredictionKind.CLASSES or p.max(axis=1).mean() < SURE:
        return False
    counts = np.stack([np.bincount(v, minlength=p.shape[1]) for v in (p.argmax(axis=1), subject.y)])
    return float(chi2_contingency(counts[:, counts.sum(axis=0) > 0]).pvalue) > SAME_FREQUENCIES
