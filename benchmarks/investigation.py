"""Faults put into really trained classifiers: whether the right cause is named first.

Run with ``python -m benchmarks.investigation``. The rival is the rule that most guides give: an
expected calibration error above 0.1 means overconfidence, otherwise nothing is wrong.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.datasets import load_breast_cancer, load_digits, load_wine  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]
from sklearn.naive_bayes import GaussianNB  # type: ignore[import-untyped]
from sklearn.neural_network import MLPClassifier  # type: ignore[import-untyped]

from benchmarks import regressions
from diagnostics import Severity, investigate
from diagnostics.statistics.calibration import expected_calibration_error, fit_temperature

Array = Any
Predict = Callable[[Array], Array]
ECE_ALARM = 0.1


@dataclass(frozen=True)
class Case:
    """A trained model with its data."""

    name: str
    predict: Predict
    X: Array
    y: Array
    train: tuple[Array, Array]


def trained() -> Iterator[Case]:
    """Yield four kinds of models on three data sets."""
    makers = [
        LogisticRegression(max_iter=500),
        LogisticRegression(C=0.01, max_iter=500),
        MLPClassifier((32,), max_iter=60, random_state=0),
        GaussianNB(var_smoothing=1e-2),
    ]
    for data in (load_digits, load_wine, load_breast_cancer):
        X, y = data(return_X_y=True)
        X = (X - X.mean(axis=0)) / (X.std(axis=0) + 0.1)
        X, Z, y, w = train_test_split(X, y, test_size=0.4, random_state=0, stratify=y)
        for model in makers:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fitted = type(model)(**model.get_params()).fit(X, y)
            name = f"{type(model).__name__} on {data.__name__[5:]}"
            yield Case(name, lambda A, m=fitted: m.predict_proba(A), Z, w, (X, y))  # type: ignore[misc]


def faulty(case: Case) -> Iterator[tuple[str, str, Predict, Array, Array, dict[str, Any]]]:
    """Yield fault, expected code, and the arguments to investigate."""
    train = {"train": case.train}
    for name, code, predict, X, y in wrong_answers(case):
        yield name, code, predict, X, y, train
    for name, code, reported in wrong_losses(case):
        yield name, code, case.predict, case.X, case.y, {"history": {"val_loss": [9.0, reported]}}
    rng = np.random.default_rng(0)
    shuffled = {"train": (case.train[0], rng.permutation(case.train[1]))}
    yield "training labels shuffled", "shuffled_labels", case.predict, case.X, case.y, shuffled


def wrong_losses(case: Case) -> Iterator[tuple[str, str, float]]:
    """Yield what is reported in place of the mean cross-entropy."""
    p, n = case.predict(case.X), len(case.y)
    losses = -np.log(np.maximum(p[np.arange(n), case.y], 1e-12))
    means = [losses[i : i + 32].mean() for i in range(0, n, 32)]
    yield "mean over ragged batches", "biased_average", float(np.mean(means))
    yield "sum over the samples", "loss_scale_mismatch", float(losses.sum())
    yield "sum over batches", "loss_scale_mismatch", float(np.sum(means))
    sums = [losses[i : i + 32].sum() for i in range(0, n, 32)]
    yield "mean over batches of sums", "loss_scale_mismatch", float(np.mean(sums))
    yield "loss in bits", "loss_scale_mismatch", float(losses.mean() / np.log(2))
    twice = softmax(p, axis=1)[np.arange(n), case.y]
    yield "second softmax in the loss", "softmax_twice", float(-np.log(twice).mean())
    squares = ((p - np.eye(p.shape[1])[case.y]) ** 2).sum(axis=1)
    yield "squared error reported", "other_loss_trained", float(squares.mean())


def wrong_answers(case: Case) -> Iterator[tuple[str, str, Predict, Array, Array]]:
    """Yield models and data sets with a fault put into them."""
    p, X, y = case.predict, case.X, case.y
    rng = np.random.default_rng(0)

    def z(A: Array) -> Array:
        return np.log(np.clip(p(A), 1e-9, None))

    # exaggerated and damped from what is calibrated, or the fault may mend the model
    fitted = fit_temperature(p(X), y).best

    answers: dict[str, tuple[str, Predict]] = {
        "softmax over the batch": ("evaluation_bug", lambda A: softmax(z(A))),
        "softmax along samples": ("evaluation_bug", lambda A: softmax(z(A), axis=0)),
        "batch statistics": ("evaluation_bug", lambda A: p(A - A.mean(axis=0))),
        "maximum of the batch": ("evaluation_bug", lambda A: p(A) / p(A).max()),
        "one sigmoid per class": ("evaluation_bug", lambda A: 1 / (1 + np.exp(-z(A) - 1))),
        "dropout on": ("nondeterministic_prediction",
                       lambda A: p(A * (rng.random(A.shape) > 0.3))),
        "dropout on, seeded": ("nondeterministic_prediction",
                               lambda A: p(A * (np.random.default_rng(0).random(A.shape) > 0.3))),
        "noise on": ("nondeterministic_prediction",
                     lambda A: p(A + 0.3 * rng.standard_normal(A.shape))),
        "softmax twice": ("softmax_twice", lambda A: softmax(softmax(20 * z(A), axis=1), axis=1)),
        "logits times 8": ("overconfidence", lambda A: softmax(8 / fitted * z(A), axis=1)),
        "logits times 20": ("overconfidence", lambda A: softmax(20 / fitted * z(A), axis=1)),
        "logits divided by 8": ("underconfidence", lambda A: softmax(z(A) / (8 * fitted), axis=1)),
        "two digits": ("rounded_probabilities", lambda A: np.round(p(A) ** 1.01, 1)),
        "one class": ("class_collapse", lambda A: np.eye(len(np.unique(y)))[np.zeros(len(A), int)]
                      * 0.8 + 0.2 / len(np.unique(y))),
        "columns rolled": ("distribution_shift", lambda A: np.roll(p(A), 1, axis=1)),
        "columns reversed": ("distribution_shift", lambda A: p(A)[:, ::-1]),
        "nan": ("exploding_or_nan", lambda A: p(A) * np.nan),
        "input changed in place": ("input_mutated", lambda A: p(np.multiply(A, 1.1, out=A))),
        "fails": ("predict_failed", lambda A: p(A)[:3]),
    }  # fmt: skip
    for name, (code, predict) in answers.items():
        yield name, code, predict, X, y
    yield "labels shuffled", "shuffled_labels", p, X, rng.permutation(y)
    yield "rows shifted by 5", "shuffled_labels", p, X, np.roll(y, 5)
    yield "inputs times 255", "distribution_shift", p, 255 * X, y
    yield "inputs moved by 2", "distribution_shift", p, X + 2, y
    overlap = np.concatenate([X, case.train[0][: len(X) // 2]])
    labels = np.concatenate([y, case.train[1][: len(X) // 2]])
    yield "overlap", "train_validation_overlap", p, overlap, labels
    copies = overlap.copy()
    copies[len(X) :] += 0.02 * rng.normal(size=copies[len(X) :].shape)
    yield "near copies", "train_validation_overlap", p, copies, labels


def healthy(case: Case) -> Iterator[tuple[str, Predict, Array, Array]]:
    """Yield right models in the forms in which people have them."""
    p, X, y = case.predict, case.X, case.y
    yield "as it is", p, X, y
    yield "single precision", lambda A: p(A).astype(np.float32), X, y
    yield "half precision", lambda A: p(A).astype(np.float16), X, y
    yield "logits", lambda A: np.log(np.clip(p(A), 1e-9, None)) + 2, X, y
    yield "classes only", lambda A: p(A).argmax(axis=1), X, y
    yield "30 samples", p, X[:30], y[:30]


def main() -> None:
    """Print the share named first by fault, and the alarms on healthy models."""
    named: dict[str, list[bool]] = {}
    rival: dict[str, list[bool]] = {}
    alarms: list[str] = []
    rights = rival_alarms = 0
    for case in trained():
        for fault, code, predict, X, y, options in faulty(case):
            report = investigate(predict, X, y, **options)
            named.setdefault(fault, []).append(
                report.primary is not None and report.primary.code == code
            )
            rival.setdefault(fault, []).append(code == "overconfidence" and _rule(predict, X, y))
        for form, predict, X, y in healthy(case):
            report = investigate(predict, X, y, train=case.train)
            rights += 1
            rival_alarms += _rule(predict, X, y)
            alarms += [
                f"{f.code}: {case.name}, {form}"
                for f in report.findings
                if f.severity is not Severity.INFO
            ]
    print(f"{'fault':<26}{'named first':>14}{'ECE rule':>12}")
    for fault, hits in named.items():
        print(f"{fault:<26}{sum(hits):>9} / {len(hits)}{sum(rival[fault]):>7} / {len(hits)}")
    total, found = sum(map(len, named.values())), sum(map(sum, named.values()))
    print(f"{'all':<26}{found:>8} / {total}{sum(map(sum, rival.values())):>6} / {total}")
    print(f"healthy, alarmed: {len(alarms)} of {rights}; ECE rule: {rival_alarms}", *alarms,
          sep="\n  ")  # fmt: skip


def numbers() -> None:
    """Print the same for models of regression, which no rule of thumb judges."""
    named: dict[str, list[bool]] = {}
    alarms: list[str] = []
    rights = 0
    for case in regressions.trained():
        for fault, code, arguments in regressions.faulty(case):
            report = investigate(**arguments)
            first = report.primary.code if report.primary else "nothing"
            named.setdefault(fault, []).append(first == code)
        for form, arguments in regressions.healthy(case):
            rights += 1
            alarms += [
                f"{f.code}: {case.name}, {form}"
                for f in investigate(**arguments).findings
                if f.severity is not Severity.INFO
            ]
    print(f"\n{'fault of a regression':<32}{'named first':>14}")
    for fault, hits in named.items():
        print(f"{fault:<32}{sum(hits):>9} / {len(hits)}")
    print(f"{'all':<32}{sum(map(sum, named.values())):>8} / {sum(map(len, named.values()))}")
    print(f"healthy, alarmed: {len(alarms)} of {rights}", *alarms, sep="\n  ")


def _rule(predict: Predict, X: Array, y: Array) -> bool:
    """Whether the calibration error alone raises the alarm."""
    p = np.asarray(predict(X), dtype=np.float64)
    if p.ndim != 2 or len(p) != len(y) or not np.isfinite(p).all() or p.min() < 0 or p.max() > 1:
        return False
    return expected_calibration_error(p, p.argmax(axis=1) == y) > ECE_ALARM


if __name__ == "__main__":
    main()
    numbers()
