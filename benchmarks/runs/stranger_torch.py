"""Training loops in PyTorch as strangers write them, by the step and by the epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.runs.stranger_loops import Pair, Row, Sets

Loss = Callable[[Tensor, Tensor], Tensor]


class Recurrent(nn.Module):
    """Reads an image row by row."""

    def __init__(self, side: int, classes: int) -> None:
        super().__init__()
        self.side = side
        self.cell = nn.GRU(side, 32, batch_first=True)
        self.head = nn.Linear(32, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cell(x.view(len(x), -1, self.side))[0][:, -1])  # type: ignore[no-any-return]


def model_of(name: str, features: int, outputs: int) -> nn.Module:
    """Return a network by its name."""
    side = round(features**0.5)
    if name == "recurrent":
        return Recurrent(side, outputs)
    if name == "conv":
        return nn.Sequential(
            nn.Unflatten(1, (1, side, side)), nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(),
            nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Dropout(0.25), nn.Linear(128, outputs),
        )  # fmt: skip
    if name == "dropout":
        return nn.Sequential(
            nn.Dropout(0.2), nn.Linear(features, 128), nn.ReLU(), nn.Dropout(0.6),
            nn.Linear(128, outputs),
        )  # fmt: skip
    if name == "dead":
        model = nn.Sequential(nn.Linear(features, 32), nn.ReLU(), nn.Linear(32, outputs))
        nn.init.constant_(model[0].bias, -60.0)  # type: ignore[arg-type]
        return model
    if name == "residual":
        return nn.Sequential(
            nn.Linear(features, 48), nn.LayerNorm(48), nn.GELU(), nn.Linear(48, 48), nn.GELU(),
            nn.Linear(48, outputs),
        )  # fmt: skip
    wide = {"wide": 256, "thin": 16}.get(name, 64)
    return nn.Sequential(nn.Linear(features, wide), nn.ReLU(), nn.Linear(wide, outputs))


LOSSES: dict[str, Loss] = {
    "ce": functional.cross_entropy,
    "smooth": lambda z, y: functional.cross_entropy(z, y, label_smoothing=0.2),
    "weighted": lambda z, y: functional.cross_entropy(z, y, torch.linspace(0.5, 3, z.shape[1])),
    "sum": lambda z, y: functional.cross_entropy(z, y, reduction="sum"),
    "bce": lambda z, y: functional.binary_cross_entropy_with_logits(z[:, 0], y.float()),
    "mse": lambda z, y: functional.mse_loss(z, y),
    "huber": lambda z, y: functional.huber_loss(z, y),
    "batch": lambda z, y: functional.nll_loss(functional.log_softmax(z.flatten(), 0).view_as(z), y),
    "columns": lambda z, y: functional.nll_loss(functional.log_softmax(z, 0), y),
    "twice": lambda z, y: functional.cross_entropy(functional.softmax(z, 1), y),
    "log": lambda z, y: -torch.log(functional.softmax(30 * z, 1)[torch.arange(len(y)), y]).mean(),
}


def epochs_of(
    sets: Sets, rng: np.random.Generator, model: str = "plain", loss: str = "ce", check: str = "",
    optimizer: str = "adam", rate: float = 1e-3, schedule: str = "", decay: float = 0.0,
    batch: int = 32, epochs: int = 30, noise: float = 0.0, warm: int = 0, patience: int = 0,
    every: int = 0, **faults: Any,
) -> Iterator[Row]:  # fmt: skip
    """A loop by the epoch, or with a row every so many steps, as Trainers log."""
    torch.manual_seed(int(rng.integers(2**31)))
    torch.set_num_threads(1)
    outputs = 1 if loss in ("bce", "mse", "huber") else sets.classes
    net = model_of(model, sets.train[0].shape[1], outputs)
    if warm:
        _fit(net, _tensors(sets.rest, loss), warm)
    X, y = _tensors(sets.train, loss)
    stepper = _stepper(net if not faults.get("stray") else model_of(model, X.shape[1], outputs),
                       optimizer, rate, decay)  # fmt: skip
    total, steps = epochs * -(-len(X) // batch), 0
    scheduler = _scheduler(stepper, schedule, total)
    seen: list[tuple[float, float]] = []
    best: list[float] = []
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for i in range(0, len(X), batch):
            rows = order[i : i + batch]
            net.train()
            x = X[rows] + noise * torch.randn(len(rows), X.shape[1])
            z = net(x)
            cost = LOSSES[loss](z, y[rows])
            if not faults.get("accumulates"):
                stepper.zero_grad()
            (-cost if faults.get("ascends") else cost).backward()  # type: ignore[no-untyped-call]
            stepper.step()
            scheduler.step()
            steps += 1
            seen.append((cost.item(), _right(z, y[rows])))
            if every and steps % every == 0:
                yield (*_mean(seen), *_checked(net, sets, check or loss, loss))
                seen = []
        if every:
            continue
        row = (*_mean(seen), *_checked(net, sets, check or loss, loss))
        seen = []
        yield row
        best.append(row[2])
        if patience and len(best) - 1 - int(np.argmin(best)) >= patience:
            return


def _tensors(rows: Pair, loss: str) -> tuple[Tensor, Tensor]:
    y = torch.tensor(rows[1])
    return torch.tensor(rows[0]).float(), y.float() if loss in ("mse", "huber") else y.long()


def _right(z: Tensor, y: Tensor) -> float:
    if z.shape[1] == 1 and y.is_floating_point():
        return float(1 - ((z.detach() - y) ** 2).mean() / y.var().clamp(min=1e-6))
    answers = z[:, 0] > 0 if z.shape[1] == 1 else z.argmax(1)
    return float((answers == y).float().mean())


def _mean(seen: list[tuple[float, float]]) -> tuple[float, float]:
    loss, accuracy = np.mean(seen, axis=0)
    return float(loss), float(accuracy)


@torch.no_grad()
def _checked(net: nn.Module, sets: Sets, check: str, loss: str) -> Row:
    net.eval()
    row: list[float] = []
    sound = loss if loss in ("bce", "mse", "huber") else "ce"
    for rows, name in ((sets.val, check), (sets.rest, sound)):
        x, y = _tensors(rows, loss)
        z = net(x)
        row += [LOSSES[name](z, y).item(), _right(z, y)]
    return tuple(row)


def _fit(net: nn.Module, rows: tuple[Tensor, Tensor], epochs: int) -> None:
    """Pretrain."""
    stepper = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(epochs):
        for part in torch.randperm(len(rows[0])).split(32):  # type: ignore[no-untyped-call]
            stepper.zero_grad()
            functional.cross_entropy(net(rows[0][part]), rows[1][part]).backward()  # type: ignore[no-untyped-call]
            stepper.step()


def _stepper(net: nn.Module, name: str, rate: float, decay: float) -> torch.optim.Optimizer:
    makers: dict[str, Callable[..., torch.optim.Optimizer]] = {
        "adam": torch.optim.AdamW, "sgd": torch.optim.SGD, "adagrad": torch.optim.Adagrad,
        "momentum": lambda p, **k: torch.optim.SGD(p, momentum=0.9, **k),
    }  # fmt: skip
    return makers[name](net.parameters(), lr=rate, weight_decay=decay)


def _scheduler(stepper: torch.optim.Optimizer, name: str, total: int) -> Any:
    kinds = torch.optim.lr_scheduler
    if name == "cyclic":
        rate = stepper.param_groups[0]["lr"]
        return kinds.CyclicLR(stepper, rate / 10, rate, max(1, total // 12), cycle_momentum=False)
    if name == "restarts":
        return kinds.CosineAnnealingWarmRestarts(stepper, max(1, total // 5))
    if name == "linear":
        warm = max(1, total // 10)
        return kinds.LambdaLR(stepper, lambda s: min(s / warm, max(0.0, (total - s) / total)))
    if name == "exponential":
        return kinds.ExponentialLR(stepper, 0.02 ** (1 / total))
    return kinds.LambdaLR(stepper, lambda s: 1.0)


def adversarial(rng: np.random.Generator, epochs: int = 60) -> dict[str, list[float]]:
    """Two networks against one another on a ring of points: neither loss has to fall."""
    torch.manual_seed(int(rng.integers(2**31)))
    G = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
    D = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    g, d = (torch.optim.Adam(n.parameters(), 1e-3, betas=(0.5, 0.9)) for n in (G, D))
    log: dict[str, list[float]] = {"epoch": [], "d_loss": [], "g_loss": []}
    for epoch in range(epochs):
        sums = np.zeros(2)
        for _ in range(20):
            angle = 6.283 * torch.rand(64)
            real, fake = torch.stack([angle.cos(), angle.sin()], 1), G(torch.randn(64, 4))
            one, zero = torch.ones(64, 1), torch.zeros(64, 1)
            bce = functional.binary_cross_entropy_with_logits
            cost = bce(D(real), one) + bce(D(fake.detach()), zero)
            d.zero_grad()
            cost.backward()  # type: ignore[no-untyped-call]
            d.step()
            other = bce(D(fake), one)
            g.zero_grad()
            other.backward()  # type: ignore[no-untyped-call]
            g.step()
            sums += [cost.item(), other.item()]
        for name, value in zip(log, (epoch, *(sums / 20)), strict=True):
            log[name].append(float(value))
    return log


def reinforced(rng: np.random.Generator, epochs: int = 80) -> dict[str, list[float]]:
    """A policy gradient on noisy slot machines: the reward climbs, the loss says nothing."""
    torch.manual_seed(int(rng.integers(2**31)))
    policy = nn.Linear(1, 6)
    stepper = torch.optim.Adam(policy.parameters(), 0.03)
    payout = torch.linspace(-1, 1, 6)
    log: dict[str, list[float]] = {"episode": [], "reward": [], "policy_loss": []}
    for episode in range(epochs):
        choice = torch.distributions.Categorical(logits=policy(torch.ones(32, 1)))
        action = choice.sample()  # type: ignore[no-untyped-call]
        reward = payout[action] + torch.randn(32)
        cost = -(choice.log_prob(action) * (reward - reward.mean())).mean()  # type: ignore[no-untyped-call]
        stepper.zero_grad()
        cost.backward()
        stepper.step()
        for name, value in zip(log, (episode, reward.mean().item(), cost.item()), strict=True):
            log[name].append(float(value))
    return log


def autoencoder(sets: Sets, rng: np.random.Generator, epochs: int = 40) -> dict[str, list[float]]:
    """Reconstruction and a penalty on the code, logged apart and as their sum."""
    torch.manual_seed(int(rng.integers(2**31)))
    X, V = (torch.tensor(s[0]).float() for s in (sets.train, sets.val))
    E, D = nn.Linear(X.shape[1], 16), nn.Linear(8, X.shape[1])
    stepper = torch.optim.Adam([*E.parameters(), *D.parameters()], 3e-3)

    def parts(x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = E(x.clamp(-3, 3)).tanh().mul(3).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (log_var / 2).exp()
        kl = 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(1).mean()
        return ((D(z) - x.clamp(-3, 3)) ** 2).sum(1).mean(), kl

    names = ("loss", "recon_loss", "kl_loss", "val_loss", "val_recon_loss", "val_kl_loss")
    log: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(epochs):
        seen = []
        for rows in torch.randperm(len(X)).split(32):  # type: ignore[no-untyped-call]
            recon, kl = parts(X[rows])
            stepper.zero_grad()
            (recon + kl).backward()  # type: ignore[no-untyped-call]
            stepper.step()
            seen.append((recon.item() + kl.item(), recon.item(), kl.item()))
        with torch.no_grad():
            recon, kl = parts(V)
        values = (*np.mean(seen, axis=0), (recon + kl).item(), recon.item(), kl.item())
        for name, value in zip(names, values, strict=True):
            log[name].append(float(value))
    return log
