"""Faults put into really trained regressions, for ``benchmarks.investigation``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes, load_wine  # type: ignore[import-untyped]
from sklearn.ensemble import GradientBoostingRegressor  # type: ignore[import-untyped]
from sklearn.linear_model import Ridge  # type: ignore[import-untyped]
from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]
from sklearn.neighbors import KNeighborsRegressor  # type: ignore[import-untyped]
from sklearn.svm import SVR  # type: ignore[import-untyped]

Array = Any
Arguments = dict[str, Any]


@dataclass(frozen=True)
class Regression:
    """A trained model of regression with its data."""

    name: str
    predict: Callable[[Array], Array]
    X: Array
    y: Array
    train: tuple[Array, Array]

    def arguments(self, **changed: Any) -> Arguments:
        """Return what `investigate` is given, with some of it changed."""
        return {"predict": self.predict, "X": self.X, "y": self.y} | changed


def trained() -> Iterator[Regression]:
    """Yield four kinds of models on two data sets: diabetes, and the alcohol of wines."""
    wine = load_wine().data
    for name, (X, y) in {
        "diabetes": load_diabetes(return_X_y=True),
        "alcohol": (wine[:, 1:], wine[:, 0]),
    }.items():
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        A, B, s, t = train_test_split(X, y, test_size=0.4, random_state=0)
        for model in (
            Ridge(1.0),
            GradientBoostingRegressor(n_estimators=60, max_depth=2, random_state=0),
            SVR(C=100 * y.std() / 77),
            KNeighborsRegressor(15),
        ):
            fitted = model.fit(A, s)
            yield Regression(f"{type(model).__name__} on {name}", fitted.predict, B, t, (A, s))


def faulty(case: Regression) -> Iterator[tuple[str, str, Arguments]]:
    """Yield fault, expected code, and the arguments of the investigation."""
    p, X, y, (A, s) = case.predict, case.X, case.y, case.train
    rng = np.random.default_rng(0)
    answers: dict[str, tuple[str, Callable[[Array], Array]]] = {
        "dropout on": ("nondeterministic_prediction", lambda Z: p(Z * (rng.random(Z.shape) > 0.3))),
        "batch statistics": ("evaluation_bug", lambda Z: p(Z - Z.mean(axis=0) + 1)),
        "mean of the answers removed": ("evaluation_bug", lambda Z: p(Z) - p(Z).mean() + y.mean()),
        "one answer": ("not_learning", lambda Z: np.full(len(Z), s.mean() + 1e-3)),
        "targets standardised": ("distribution_shift", lambda Z: (p(Z) - s.mean()) / s.std()),
        "nan": ("exploding_or_nan", lambda Z: p(Z) * np.nan),
        "input changed in place": ("input_mutated", lambda Z: p(np.multiply(Z, 1.1, out=Z))),
        "fails": ("predict_failed", lambda Z: p(Z)[:3]),
    }
    for name, (code, predict) in answers.items():
        yield name, code, case.arguments(predict=predict, train=case.train)
    yield "targets shuffled", "shuffled_labels", case.arguments(y=rng.permutation(y), train=(A, s))
    yield "rows shifted by 5", "shuffled_labels", case.arguments(y=np.roll(y, 5), train=(A, s))
    both = np.concatenate([X, A[: len(X) // 2]]), np.concatenate([y, s[: len(X) // 2]])
    shared = case.arguments(X=both[0], y=both[1], train=(A, s))
    yield "overlap", "train_validation_overlap", shared
    yield "inputs times 255", "distribution_shift", case.arguments(X=255 * X, train=(A, s))
    error = p(X) - y
    for name, code, loss in (
        ("sum of squares reported", "loss_scale_mismatch", (error**2).sum()),
        ("sum of absolute errors reported", "loss_scale_mismatch", np.abs(error).sum()),
        ("(n, 1) - (n,) reported", "evaluation_bug", ((p(X)[:, None] - y) ** 2).mean()),
    ):
        yield name, code, case.arguments(history={"val_loss": [9 * loss, 3 * loss, float(loss)]})


def healthy(case: Regression) -> Iterator[tuple[str, Arguments]]:
    """Yield right models in the forms in which people have them."""
    squares = float(((case.predict(case.X) - case.y) ** 2).mean())
    history = {"val_loss": [9 * squares, 3 * squares, squares]}
    yield "as it is", case.arguments(train=case.train, history=history)
    yield "one column", case.arguments(predict=lambda Z: case.predict(Z)[:, None], train=case.train)
    single = case.arguments(predict=lambda Z: case.predict(Z).astype(np.float32))
    yield "single precision", single
