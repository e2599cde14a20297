"""Do the answers have anything to do with the labels? Shuffled, shifted or untrained."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity
from diagnostics.probes.registry import probe
from diagnostics.probes.subject import Labels, Subject

# Answers that depend on the labels at all are told from chance at this level.
SIGNIFICANCE = 1e-3
# Fewer samples cannot show that answers and labels have nothing in common.
FEWEST = 50
# Out of n shifts the best agrees by chance at most this many standard deviations above the rest.
SHIFT_DEVIATIONS = 8.0


def association(answers: Labels, y: Labels) -> float:
    """Return the p-value of Pearson's chi-squared test that answers and labels are independent.

    Notes
    -----
    1.0 where only one class is answered or present: nothing can be told from one row.
    """
    from scipy.stats import chi2_contingency

    size = int(max(answers.max(), y.max())) + 1
    table = np.zeros((size, size))
    np.add.at(table, (y, answers), 1)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    return float(chi2_contingency(table).pvalue) if min(table.shape) > 1 else 1.0


def best_shift(answers: Labels, y: Labels) -> tuple[int, float, float]:
    """Return the cyclic shift of the labels that agrees best, its accuracy, and how unusual it is.

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
    best = int(shares.argmax())
    spread = max(float(shares.std()), 1e-12)
    shift = best if best <= len(y) // 2 else best - len(y)
    return shift, float(shares[best]), float((shares[best] - shares.mean()) / spread)


@probe(unless=("evaluation_bug", "nondeterministic_prediction"))
def not_learning(subject: Subject) -> Finding | None:
    """Answers and labels are tested for independence, at all shifts of the rows."""
    answers = subject.predictions.probabilities.argmax(axis=1)
    if len(answers) < FEWEST or len(np.unique(answers)) < 2 or len(np.unique(subject.y)) < 2:
        return None
    p_value = association(answers, subject.y)
    if p_value < SIGNIFICANCE:
        return None
    evidence: dict[str, float | int | str] = {
        "accuracy": float(subject.right.mean()),
        "chance (the most frequent label)": float(np.bincount(subject.y).max() / len(answers)),
        "p-value of independence": p_value,
    }
    shift, accuracy, deviations = best_shift(answers, subject.y)
    if shift and deviations > SHIFT_DEVIATIONS and accuracy > 0.5:
        return _shifted(evidence, shift, accuracy)
    return _unrelated(subject, evidence)


def _shifted(evidence: dict[str, float | int | str], shift: int, accuracy: float) -> Finding:
    """Samples and labels are out of step by whole rows."""
    return Finding(
        code="shuffled_labels",
        severity=Severity.PROBLEM,
        message=(
            f"Labels and samples are out of step by {abs(shift)} rows: "
            f"{evidence['accuracy']:.0%} right as they are, {accuracy:.0%} after shifting."
        ),
        confidence=0.98,
        evidence=evidence | {"rows shifted": shift, "accuracy after shifting": accuracy},
        causes=("a header or a row was dropped from one of the two files",),
        next_steps=(f"Align them: y = np.roll(y, {-shift}).",),
    )


def _unrelated(subject: Subject, evidence: dict[str, float | int | str]) -> Finding:
    """The answers say nothing about the labels; the training set says why, where given."""
    train_accuracy = _train_accuracy(subject)
    learned = train_accuracy is not None and train_accuracy > 2 * float(
        evidence["chance (the most frequent label)"]
    )
    if train_accuracy is not None:
        evidence = evidence | {"training accuracy": train_accuracy}
    reason = (
        f"yet {train_accuracy:.0%} of the training samples are answered rightly: the labels of "
        "one of the two sets are shuffled against their samples"
        if learned
        else "the labels are shuffled against their samples, or the model has not learned"
    )
    sorted_labels = bool(np.all(np.diff(subject.y) >= 0))
    return Finding(
        code="shuffled_labels" if learned else "not_learning",
        severity=Severity.PROBLEM,
        message=(
            f"The answers have nothing to do with the labels ({evidence['accuracy']:.0%} right, "
            f"p = {evidence['p-value of independence']:.2g} of independence); {reason}."
        ),
        confidence=0.9 if learned else 0.75,
        evidence=evidence,
        causes=(
            *(("the labels are sorted, the samples are not",) if sorted_labels else ()),
            "samples and labels were shuffled separately",
            "the model was never trained, or its learning rate is far too high or too low",
        ),
        next_steps=(
            "Shuffle both with one permutation: order = rng.permutation(len(X)); X[order], "
            "y[order].",
            "Or let the model learn 20 samples by heart: if it cannot, training is broken.",
        ),
    )


def _train_accuracy(subject: Subject) -> float | None:
    """Accuracy on the training set, None without one."""
    if subject.train is None or subject.train_predictions is None:
        return None
    answers = subject.train_predictions.probabilities.argmax(axis=1)
    return float(np.mean(answers == subject.train[1]))
