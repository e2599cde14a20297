"""Right gradients that are hard to tell from wrong ones, as functions with their pullbacks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

R = np.random.default_rng(7)
LABELS = np.eye(6)[R.integers(0, 6, 5)]
MASK = np.triu(np.ones((5, 5)), 1) * -1e9
KEYS, VALUES, WEIGHTS = R.normal(size=(5, 4)), R.normal(size=(5, 4)), R.normal(size=(6, 3))
NEAR_SINGULAR = np.array([[1, 1.0], [1, 1 + 1e-8]])


@dataclass(frozen=True)
class Hard:
    """A function, its pullback ``(x, v) -> gradient``, and a point."""

    name: str
    forward: Callable[[Any], Any]
    pullback: Callable[[Any, Any], Any]
    x: Any

    @property
    def vanishes(self) -> bool:
        """Whether the gradient is nothing to the function's slope, and so is a factor on it."""
        y = np.asarray(self.forward(self.x))
        slope = np.linalg.norm(self.forward(-self.x) - y)
        gradient = self.pullback(self.x, 1 + np.arange(y.size).reshape(y.shape) % 3)
        return bool(np.linalg.norm(self.x * gradient) <= 1e-5 * slope)


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_pullback(z, v, temperature=1.0):
    p = softmax(z / temperature)
    return p * (v - (p * v).sum(-1, keepdims=True)) / temperature


def cross_entropy(z):
    z = z - z.max(-1, keepdims=True)
    return -(LABELS * (z - np.log(np.exp(z).sum(-1, keepdims=True)))).sum(-1)


def cross_entropy_pullback(z, v):
    return (softmax(z) - LABELS) * v[:, None]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gates(z):
    i, f, o, g = np.split(z, 4, -1)
    return sigmoid(o) * np.tanh(sigmoid(f) * 0.5 + sigmoid(i) * np.tanh(g))


def gates_pullback(z, v):
    i, f, o, g = np.split(z, 4, -1)
    i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
    t = np.tanh(f * 0.5 + i * g)
    d = v * o * (1 - t * t)
    parts = d * g * i * (1 - i), d * 0.5 * f * (1 - f), v * t * o * (1 - o), d * i * (1 - g * g)
    return np.concatenate(parts, -1)


def attention(q):
    return softmax(q @ KEYS.T / 2 + MASK) @ VALUES


def attention_pullback(q, v):
    p = softmax(q @ KEYS.T / 2 + MASK)
    d = v @ VALUES.T
    return p * (d - (p * d).sum(-1, keepdims=True)) @ KEYS / 2


def tanh_pullback(x, v):
    return v * (1 - np.tanh(x) ** 2)


def normal_density(x):
    return np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


def single_inside(x):
    return (x.astype(np.float32) @ WEIGHTS.astype(np.float32)).astype(np.float64)


def log_sum_exp(z):
    largest = z.max(-1, keepdims=True)
    return (largest + np.log(np.exp(z - largest).sum(-1, keepdims=True)))[..., 0]


Z = R.normal(size=(5, 6))
SMALL = R.normal(size=(4, 5))

FUNCTIONS = [
    *(
        Hard(
            f"softmax at temperature {t}",
            lambda z, t=t: softmax(z / t),
            lambda z, v, t=t: softmax_pullback(z, v, t),
            Z,
        )
        for t in (0.1, 1e-2, 1e-3)
    ),
    Hard("softmax saturated", softmax, softmax_pullback, 100 * Z),
    Hard("cross-entropy saturated", cross_entropy, cross_entropy_pullback, 30 * Z),
    Hard(
        "cross-entropy saturated and right",
        cross_entropy,
        cross_entropy_pullback,
        50 * LABELS + Z,
    ),
    *(Hard(f"gates at {s}", gates, gates_pullback, s * R.normal(size=(3, 8))) for s in (1, 10, 30)),
    *(
        Hard(f"masked attention at {s}", attention, attention_pullback, s * R.normal(size=(5, 4)))
        for s in (1, 10, 100)
    ),
    Hard("tanh all at 12", np.tanh, tanh_pullback, 12 + SMALL),
    Hard("tanh all at 18", np.tanh, tanh_pullback, 18 + SMALL),
    Hard("tanh saturated in single", np.tanh, tanh_pullback, (8 * SMALL).astype(np.float32)),
    Hard(
        "normal distribution in its tails",
        special.ndtr,
        lambda x, v: v * normal_density(x),
        np.linspace(-9, 9, 19),
    ),
    Hard(
        "normal distribution by erf",
        lambda x: 0.5 * (1 + special.erf(x / np.sqrt(2))),
        lambda x, v: v * normal_density(x),
        np.linspace(-9, 9, 19),
    ),
    Hard("single precision inside", single_inside, lambda x, v: v @ WEIGHTS.T, Z),
    Hard(
        "log-sum-exp of large numbers",
        log_sum_exp,
        lambda z, v: softmax(z) * v[:, None],
        1e4 * SMALL,
    ),
    Hard(
        "a cumulative log-sum-exp in the log domain",
        lambda z: np.logaddexp.accumulate(z, -1),
        lambda z, v: np.stack(
            [
                sum(
                    v[:, k] * np.exp(z[:, j] - np.logaddexp.accumulate(z, -1)[:, k])
                    for k in range(j, z.shape[1])
                )
                for j in range(z.shape[1])
            ],
            1,
        ),
        np.concatenate([R.normal(size=(3, 3)), [[1e4]] * 3, R.normal(size=(3, 2))], 1),
    ),
    Hard(
        "inverse near a singular matrix",
        np.linalg.inv,
        lambda a, v: -np.linalg.inv(a).T @ v @ np.linalg.inv(a).T,
        NEAR_SINGULAR,
    ),
    Hard("fractional part", lambda x: x - np.floor(x), lambda x, v: v, 3 * SMALL),
    Hard("remainder", lambda x: np.mod(x, 0.7), lambda x, v: v, 3 * SMALL),
    Hard(
        "clipped, with all subgradients at the knees",
        lambda x: np.clip(x, -1, 1),
        lambda x, v: v * ((x >= -1) & (x <= 1)),
        np.array([[-1, 1, 0.5, 2.0], [0, -3, 1, -1]]),
    ),
    Hard("tiny weights", lambda x: x @ (1e-8 * WEIGHTS), lambda x, v: v @ (1e-8 * WEIGHTS.T), Z),
    Hard(
        "sum of huge and tiny",
        lambda x: np.sum(x * [1e12, 1, 1e-6]),
        lambda x, v: v * np.array([1e12, 1, 1e-6]),
        np.ones(3),
    ),
    Hard("off everywhere", lambda x: np.maximum(x, 0), lambda x, v: v * (x > 0), -1 - abs(SMALL)),
]
