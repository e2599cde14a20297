"""Identities of PyTorch with a right and a wrong backward, for the cases of `usage`."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `integrations` is not installed")
nn = torch.nn


def drawn(*shape, seed=0, dtype=torch.float64):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape)).to(dtype)


class Right(torch.autograd.Function):
    """Returns what it is given."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return g


class Wrong(Right):
    """The same, with too much of the gradient."""

    @staticmethod
    def backward(ctx, g):
        return 1.25 * g


LINKS = RIGHT, WRONG = Right.apply, Wrong.apply


class Linear(nn.Module):
    """A linear map whose output goes through ``link``."""

    def __init__(self, link, wrap=lambda layer: layer):
        super().__init__()
        torch.manual_seed(0)
        self.layer = wrap(nn.Linear(3, 2).double())
        self.link = link

    def forward(self, x):
        return self.link(self.layer(x))


def factor_of(link):
    return 1.25 if link is WRONG else 1.0


def function(**members):
    """Return an autograd function with these static methods."""
    return type(
        "Custom", (torch.autograd.Function,), {k: staticmethod(v) for k, v in members.items()}
    )
