"""Training in PyTorch as people write it, and spoil it: the runs of `other_code`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.runs.store import Curves
from benchmarks.runs.torch_networks import LOSSES, network_of, rows_of

Batch = tuple[Tensor, Tensor]


# Rows on which sound code finds the truth.
MOST_UNUSED = 1000


@dataclass(frozen=True)
class Recipe:
    """One way to train: the defaults are sound, every fault is a field."""

    data: str
    model: str = "mlp"  # mlp | cnn | norm | dropout | deep_sigmoid | linear | narrow
    width: int = 64
    loss: str = "cross_entropy"
    evaluation: str = ""  # loss of validation where it is another one
    optimizer: str = "adam"
    rate: float = 1e-3
    schedule: str = "constant"  # constant | one_cycle | drops | restarts | jump
    decay: float = 0.0
    batch: int = 32
    epochs: int = 30
    samples: int = 600
    validation: int = 300
    augment: float = 0.0
    mixup: bool = False
    # How it is logged.
    percent: bool = False
    factor: tuple[float, float] = (1.0, 1.0)  # of training and validation loss
    perplexity: bool = False
    swapped: bool = False
    patience: int = 0  # early stopping
    running: float = 0.0  # share kept of the weights that validation sees, from step to step
    # What is done to the data.
    scale: float = 1.0
    target_scale: float = 1.0
    noisy_labels: float = 0.0
    unpaired: bool = False
    rare: float = 0.0  # share that is left of all classes but the first
    val_scale: float = 1.0
    leak: float = 0.0
    pretrain: int = 0
    # What is wrong with the code.
    keeps_gradients: bool = False
    wrong_parameters: bool = False
    broadcast: bool = False
    ascends: bool = False
    seed: int = 0


def train(recipe: Recipe) -> tuple[Curves, Curves]:
    """Return the logged curves, and what sound code finds on the rows used nowhere."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)
    train_set, val_set, rest, classes = _split(recipe)
    model = network_of(recipe.model, recipe.width, train_set[0].shape[1], max(classes, 1))
    if recipe.pretrain:
        _pretrain(model, recipe, rest)
        rest = (rest[0][: len(rest[0]) // 2], rest[1][: len(rest[1]) // 2])
    other = network_of(recipe.model, recipe.width, train_set[0].shape[1], max(classes, 1))
    shown = network_of(recipe.model, recipe.width, train_set[0].shape[1], max(classes, 1))
    optimizer = _optimizer(recipe, other if recipe.wrong_parameters else model)
    rows: list[tuple[float, ...]] = []
    truth: list[tuple[float, float]] = []
    steps = -(-len(train_set[0]) // recipe.batch)
    for epoch in range(recipe.epochs):
        model.train()
        seen = []
        for step, (x, y) in enumerate(_batches(recipe, train_set)):
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate * _factor(recipe, (epoch + step / steps) / recipe.epochs)
            seen.append((*_step(recipe, model, optimizer, x, y, classes), len(x)))
            _follow(shown, model, recipe.running if epoch else 0.0)
        loss, accuracy, weights = np.array(seen).T
        val = _evaluate(shown, val_set, recipe.evaluation or recipe.loss, classes)
        rows.append(
            (np.average(loss, weights=weights), np.average(accuracy, weights=weights), *val)
        )
        truth.append(_evaluate(shown, rest, "cross_entropy" if classes else "squares", classes))
        if recipe.patience and _stops([row[2] for row in rows], recipe.patience):
            break
    return _logged(recipe, rows, classes), {
        "loss": [row[0] for row in truth],
        "accuracy": [row[1] for row in truth],
    }


def _split(recipe: Recipe) -> tuple[Batch, Batch, Batch, int]:
    """Training, validation and unused rows, spoiled as the recipe says."""
    X, y, classes = rows_of(recipe.data)
    X, y = recipe.scale * X, y * recipe.target_scale if not classes else y
    order = torch.randperm(len(X))
    if recipe.rare:
        order = order[(y[order] == 0) | (torch.rand(len(order)) < recipe.rare)]
    held = min(recipe.validation, len(order) // 3)
    val, train = order[:held], order[held : held + recipe.samples]
    rest = order[held + recipe.samples :][:MOST_UNUSED]
    y_train = y[train].clone()
    wrong = torch.rand(len(train)) < recipe.noisy_labels
    if wrong.any():
        y_train[wrong] = torch.randint(0, classes, (int(wrong.sum()),))
    if recipe.unpaired:
        y_train = y_train[torch.randperm(len(train))]
    X_val, y_val = X[val], y[val]
    shared = int(recipe.leak * min(held, len(train)))
    X_val = torch.cat([X[train[:shared]], X_val[shared:]])
    y_val = torch.cat([y_train[:shared], y_val[shared:]])
    rest = torch.cat([rest, val])
    return (X[train], y_train), (recipe.val_scale * X_val, y_val), (X[rest], y[rest]), classes


def _pretrain(model: nn.Module, recipe: Recipe, rest: Batch) -> None:
    """Train on half of the unused rows first."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    half = len(rest[0]) // 2
    for _ in range(recipe.pretrain):
        for x, y in _batches(recipe, (rest[0][half:], rest[1][half:])):
            optimizer.zero_grad()
            functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
            optimizer.step()


def _optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    parameters = model.parameters()
    if recipe.optimizer == "adam":
        return torch.optim.AdamW(parameters, recipe.rate, weight_decay=recipe.decay)
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, recipe.rate, weight_decay=recipe.decay)
    momentum = 0.9 if recipe.optimizer == "nesterov" else 0.0
    return torch.optim.SGD(
        parameters, recipe.rate, momentum, weight_decay=recipe.decay, nesterov=momentum > 0
    )


def _batches(recipe: Recipe, rows: Batch) -> Iterator[Batch]:
    order = torch.randperm(len(rows[0]))
    for start in range(0, len(order), recipe.batch):
        chosen = order[start : start + recipe.batch]
        if recipe.model != "norm" or len(chosen) > 1:
            yield rows[0][chosen], rows[1][chosen]


def _step(
    recipe: Recipe, model: nn.Module, optimizer: torch.optim.Optimizer,
    x: Tensor, y: Tensor, classes: int,
) -> tuple[float, float]:  # fmt: skip
    """Take one step; return loss and accuracy before it."""
    loss_of = LOSSES[recipe.loss]
    if recipe.augment:
        x = x + recipe.augment * torch.randn_like(x)
    if recipe.mixup:
        share, other = float(np.random.default_rng(len(x)).beta(0.4, 0.4)), torch.randperm(len(x))
        z = model(share * x + (1 - share) * x[other])
        loss = share * loss_of(z, y) + (1 - share) * loss_of(z, y[other])
    else:
        z = model(x)
        # (n, 1) - (n,) is (n, n): every target for every row
        loss = ((z - y[:, 0]) ** 2).mean() if recipe.broadcast else loss_of(z, y)
    if not recipe.keeps_gradients:
        optimizer.zero_grad()
    (-loss if recipe.ascends else loss).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    right = float((z.argmax(1) == y).float().mean()) if classes else 0.0
    return loss.item(), right


@torch.no_grad()
def _follow(shown: nn.Module, model: nn.Module, kept: float) -> None:
    """Bring the weights that are evaluated nearer to those that are trained."""
    for old, new in zip(shown.state_dict().values(), model.state_dict().values(), strict=True):
        old.copy_(kept * old + (1 - kept) * new if old.is_floating_point() else new)


@torch.no_grad()
def _evaluate(model: nn.Module, rows: Batch, loss: str, classes: int) -> tuple[float, float]:
    model.eval()
    z = model(rows[0])
    right = float((z.argmax(1) == rows[1]).float().mean()) if classes else 0.0
    return LOSSES[loss](z, rows[1]).item(), right


def _factor(recipe: Recipe, done: float) -> float:
    """Learning rate by its nominal value, when a share of the run is done."""
    warm = min(1.0, done / 0.2)
    return float({
        "constant": 1.0,
        "one_cycle": warm * (1 if done < 0.2 else 0.5 * (1 + np.cos(np.pi * (done - 0.2) / 0.8))),
        "drops": 0.1 ** int(done * 3),
        "restarts": 0.5 * (1 + np.cos(np.pi * (4 * done % 1))),
        "jump": 1.0 if done < 0.6 else 100.0,
    }[recipe.schedule])  # fmt: skip


def _stops(losses: list[float], patience: int) -> bool:
    return len(losses) - 1 - int(np.argmin(losses)) >= patience


def _logged(recipe: Recipe, rows: list[tuple[float, ...]], classes: int) -> Curves:
    """The curves as they are written down."""
    loss, accuracy, val_loss, val_accuracy = np.array(rows, dtype=np.float64).T
    loss, val_loss = loss * recipe.factor[0], val_loss * recipe.factor[1]
    if recipe.perplexity:
        loss, val_loss = np.exp(loss), np.exp(val_loss)
    if recipe.swapped:
        loss, accuracy, val_loss, val_accuracy = val_loss, val_accuracy, loss, accuracy
    curves = {"loss": loss, "val_loss": val_loss}
    if classes:
        by = 100 if recipe.percent else 1
        curves |= {"accuracy": by * accuracy, "val_accuracy": by * val_accuracy}
    return {name: values.tolist() for name, values in curves.items()}
