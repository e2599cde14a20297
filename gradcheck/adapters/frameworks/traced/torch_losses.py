"""Losses of PyTorch, written with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck._types import Array


def _reduced(losses: Any, reduction: int) -> Any:
    return (lambda x: x, np.mean, np.sum)[reduction](losses)


def _nll(x: Any, target: Array, weight: Any, reduction: int, ignore: int) -> Any:
    counted = target != ignore
    rows = np.arange(len(target))[counted]
    share = np.ones(np.shape(x)[1]) if weight is None else np.asarray(weight)
    losses = -x[rows, target[counted]] * share[target[counted]]
    if reduction == 1:
        return np.sum(losses) / share[target[counted]].sum(), None
    return (losses if reduction == 0 else np.sum(losses)), None


def _bce(p: Any, y: Any, weight: Any = None, reduction: int = 1) -> Any:
    losses = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    return _reduced(losses if weight is None else weight * losses, reduction)


def _bce_with_logits(
    x: Any, y: Any, weight: Any = None, pos_weight: Any = None, reduction: int = 1
) -> Any:
    positive = y if pos_weight is None else y * pos_weight
    losses = (1 - y) * np.logaddexp(0, x) + positive * np.logaddexp(0, -x)
    return _reduced(losses if weight is None else weight * losses, reduction)


def _huber(a: Any, b: Any, reduction: int = 1, delta: float = 1) -> Any:
    size = np.abs(a - b)
    inner = np.asarray(size) <= delta
    losses = np.where(inner, 0.5 * np.square(size), delta * (size - 0.5 * delta))
    return _reduced(losses, reduction)


def _smooth_l1(a: Any, b: Any, reduction: int = 1, beta: float = 1) -> Any:
    return _huber(a, b, 0, beta) / beta if not reduction else _huber(a, b, reduction, beta) / beta


LOSSES: dict[str, Callable[..., Any]] = {
    "mse_loss": lambda a, b, reduction=1: _reduced(np.square(a - b), reduction),
    "huber_loss": _huber, "smooth_l1_loss": _smooth_l1, "nll_loss_forward": _nll,
    "binary_cross_entropy": _bce, "binary_cross_entropy_with_logits": _bce_with_logits,
}  # fmt: skip
