"""Training runs of known fate: small networks trained here, and curves drawn from formulas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

CLASSES = 6
FEATURES = 12
Curves = dict[str, list[float]]
Predict = Callable[[np.ndarray], np.ndarray]


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def whole_batch_softmax(z: np.ndarray) -> np.ndarray:
    """The planted fault: normalised over the batch."""
    e = np.exp(z - z.max())
    return e / e.sum()


def blobs(samples: int, *, seed: int = 0, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian clusters, one for each class, overlapping by ``spread``."""
    centres = np.random.default_rng(123).normal(size=(CLASSES, FEATURES))
    rng = np.random.default_rng(seed)
    y = rng.integers(0, CLASSES, samples)
    return centres[y] + spread * rng.normal(size=(samples, FEATURES)), y


def cross_entropy(p: np.ndarray, y: np.ndarray) -> float:
    return float(-np.log(np.maximum(p[np.arange(len(y)), y], 1e-12)).mean())


def train(
    data: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    *,
    epochs: int = 30,
    learning_rate: float = 0.05,
    hidden: int = 32,
    batch: int = 20,
    seed: int = 0,
    evaluate: Callable[[np.ndarray], np.ndarray] = softmax,
    loss_scale: float = 1.0,
    squared_error: bool = False,
) -> tuple[Curves, Predict]:
    """Train a ReLU network by momentum; return its curves and its prediction function."""
    (X, y), (X_val, y_val) = data, validation
    rng = np.random.default_rng(seed)
    W1 = rng.normal(size=(X.shape[1], hidden)) * np.sqrt(2 / X.shape[1])
    W2 = rng.normal(size=(hidden, CLASSES)) * np.sqrt(2 / hidden)
    velocity = [np.zeros_like(W1), np.zeros_like(W2)]
    curves: Curves = {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}

    def predict(x: np.ndarray) -> np.ndarray:
        return evaluate(np.maximum(x @ W1, 0) @ W2)

    for _ in range(epochs):
        losses, hits = [], []
        for rows in np.split(rng.permutation(len(X)), range(batch, len(X), batch)):
            target = np.eye(CLASSES)[y[rows]]
            active = np.maximum(X[rows] @ W1, 0)
            p = softmax(active @ W2)
            gradient = p - target
            if squared_error:
                g = 2 * (p - target)
                gradient = p * (g - (g * p).sum(axis=1, keepdims=True))
                losses.append(((p - target) ** 2).mean())
            else:
                losses.append(cross_entropy(p, y[rows]))
            hits.append((p.argmax(axis=1) == y[rows]).mean())
            gradient /= len(rows)
            steps = [X[rows].T @ ((gradient @ W2.T) * (active > 0)), active.T @ gradient]
            for W, v, step in zip((W1, W2), velocity, steps, strict=True):
                v *= 0.9
                v -= learning_rate * step
                W += v
        p_val = predict(X_val)
        curves["loss"].append(float(np.mean(losses)) * loss_scale)
        curves["accuracy"].append(float(np.mean(hits)))
        curves["val_loss"].append(cross_entropy(p_val, y_val))
        curves["val_accuracy"].append(float((p_val.argmax(axis=1) == y_val).mean()))
    return curves, predict


def drawn(
    epochs: int = 40,
    *,
    seed: int = 0,
    noise: float = 0.01,
    **curves: Callable[[np.ndarray], object],
) -> Curves:
    """Curves from formulas of the time t in [0, 1], with multiplicative noise."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, epochs)
    return {
        name: list(np.asarray(curve(t) * np.ones(epochs)) * (1 + noise * rng.normal(size=epochs)))
        for name, curve in curves.items()
    }


def autoregressive(length: int, correlation: float, rng: np.random.Generator) -> np.ndarray:
    """AR(1) noise of unit variance."""
    steps = rng.normal(size=length + 50)
    values = np.zeros(length + 50)
    for i in range(1, length + 50):
        values[i] = correlation * values[i - 1] + steps[i]
    return values[50:] * np.sqrt(1 - correlation**2)
