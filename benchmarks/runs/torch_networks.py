"""Data, networks and losses in PyTorch, as people write them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch
from sklearn import datasets  # type: ignore[import-untyped]
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.runs.sources import load

Lossy = Callable[[Tensor, Tensor], Tensor]


def rows_of(name: str) -> tuple[Tensor, Tensor, int]:
    """Return inputs, labels or targets, and the number of classes, 0 for regression."""
    made = {
        "moons": lambda: datasets.make_moons(1500, noise=0.2, random_state=0),
        "circles": lambda: datasets.make_circles(1500, noise=0.1, factor=0.4, random_state=0),
        "mixed": lambda: datasets.make_classification(
            1600, 30, n_informative=8, n_classes=5, flip_y=0.02, class_sep=1.5, random_state=0
        ),
        "doubtful": lambda: datasets.make_classification(
            1600, 10, n_informative=4, n_classes=2, flip_y=0.4, random_state=0
        ),
    }
    if name == "friedman":
        X, y = datasets.make_friedman1(1200, noise=0.5, random_state=0)
        return torch.tensor(X).float(), torch.tensor((y - y.mean()) / y.std())[:, None].float(), 0
    if name in made:
        X, y = made[name]()
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        return torch.tensor(X).float(), torch.tensor(y).long(), int(y.max()) + 1
    source = load(name)
    y = torch.tensor(source.y)
    return torch.tensor(source.X).float(), y.long() if source.classes else y.float(), source.classes


def network_of(model: str, width: int, features: int, outputs: int) -> nn.Module:
    """Return a network by its name."""
    side = round(features**0.5)
    if model == "cnn":
        return nn.Sequential(
            nn.Unflatten(1, (1, side, side)), nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(32 * (side // 4) ** 2, width), nn.ReLU(),
            nn.Linear(width, outputs),
        )  # fmt: skip
    if model == "linear":
        return nn.Linear(features, outputs)
    sizes = [features, *{"deep_sigmoid": [32] * 8, "narrow": [2]}.get(model, [width, width])]
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(sizes):
        layers.append(nn.Linear(fan_in, fan_out))
        if model == "norm":
            layers.append(nn.BatchNorm1d(fan_out))
        layers.append(nn.Sigmoid() if model == "deep_sigmoid" else nn.ReLU())
        if model == "dropout":
            layers.append(nn.Dropout(0.5))
    return nn.Sequential(*layers, nn.Linear(sizes[-1], outputs))


def _focal(z: Tensor, y: Tensor) -> Tensor:
    logp = functional.log_softmax(z, 1).gather(1, y[:, None])
    return ((1 - logp.exp()) ** 2 * -logp).mean()


def _brier(z: Tensor, y: Tensor) -> Tensor:
    errors = functional.softmax(z, 1) - functional.one_hot(y, z.shape[1])
    return (errors**2).sum(1).mean()


def _whole_batch(z: Tensor, y: Tensor) -> Tensor:
    logp = functional.log_softmax(z.flatten(), 0).view_as(z)
    return functional.nll_loss(logp, y)


LOSSES: dict[str, Lossy] = {
    "cross_entropy": functional.cross_entropy,
    "smoothed": lambda z, y: functional.cross_entropy(z, y, label_smoothing=0.1),
    "focal": _focal,
    "hinge": functional.multi_margin_loss,
    "brier": _brier,
    "whole_batch": _whole_batch,
    "wrong_axis": lambda z, y: functional.nll_loss(functional.log_softmax(z, 0), y),
    "softmax_twice": lambda z, y: functional.cross_entropy(functional.softmax(z, 1), y),
    "log_of_zero": lambda z, y: functional.nll_loss(functional.softmax(40 * z, 1).log(), y),
    "squares": functional.mse_loss,
    "absolute": functional.l1_loss,
    "gaussian": lambda z, y: (((z - y) / 0.1) ** 2 / 2).mean() + float(np.log(0.1)),
}
