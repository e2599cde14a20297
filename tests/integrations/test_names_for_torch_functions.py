"""Wrong autograd functions are told by the bug's name and the line, as those of NumPy are."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import gradcheck
from gradcheck.explain.catalogue import Bug

torch: Any = pytest.importorskip("torch", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration

F: Any = torch.autograd.Function


class LayerNorm(F):  # type: ignore[misc]
    """Forgets that the variance depends on the input."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, b: Any) -> Any:
        mu = x.mean(dim=-1, keepdim=True)
        xc = x - mu
        inv = (xc.pow(2).mean(dim=-1, keepdim=True) + 1e-5).rsqrt()
        xhat = xc * inv
        ctx.save_for_backward(xhat, inv, w)
        return xhat * w + b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        xhat, inv, w = ctx.saved_tensors
        gx = g * w
        dx = inv * (gx - gx.mean(dim=-1, keepdim=True))  # wrong
        return dx, (g * xhat).sum(dim=0), g.sum(dim=0)


class Linear(F):  # type: ignore[misc]
    """Takes the gradient of the bias from one sample."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, b: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x.mm(w.t()) + b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return g.mm(w), g.t().mm(x), g[0]  # wrong


class SquaredReLU(F):  # type: ignore[misc]
    """Forgets the factor of the square."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        z = x @ w
        ctx.save_for_backward(x, w, z)
        return torch.relu(z).square()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w, z = ctx.saved_tensors
        dz = g * torch.relu(z)  # wrong
        return dz @ w.t(), x.t() @ dz


class CrossEntropy(F):  # type: ignore[misc]
    """Forgets that the loss is a mean."""

    @staticmethod
    def forward(ctx: Any, logits: Any, y: Any) -> Any:
        p = torch.softmax(logits, dim=1)
        ctx.save_for_backward(p, y)
        return -torch.log(p.gather(1, y[:, None])).mean()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        p, y = ctx.saved_tensors
        d = p.clone()
        d[torch.arange(len(y)), y] -= 1
        return g * d, None  # wrong


class Swish(F):  # type: ignore[misc]
    """Forgets the factor inside of the sigmoid."""

    @staticmethod
    def forward(ctx: Any, x: Any, beta: Any) -> Any:
        s = torch.sigmoid(beta * x)
        ctx.save_for_backward(x, beta, s)
        return x * s

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, _, s = ctx.saved_tensors
        ds = s * (1 - s)
        return g * (s + x * ds), (g * x * x * ds).sum()  # wrong


class Attention(F):  # type: ignore[misc]
    """Forgets the scale in the gradient of the keys."""

    @staticmethod
    def forward(ctx: Any, q: Any, k: Any, v: Any) -> Any:
        scale = q.shape[-1] ** -0.5
        a = torch.softmax(q @ k.mT * scale, dim=-1)
        ctx.save_for_backward(q, k, v, a)
        ctx.scale = scale
        return a @ v

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        q, k, v, a = ctx.saved_tensors
        da = g @ v.mT
        ds = a * (da - (da * a).sum(dim=-1, keepdim=True))
        return ds @ k * ctx.scale, ds.mT @ q, a.mT @ g  # wrong


class Gather(F):  # type: ignore[misc]
    """Writes over what rows got that were taken before."""

    @staticmethod
    def forward(ctx: Any, table: Any, idx: Any) -> Any:
        ctx.save_for_backward(idx)
        ctx.shape = table.shape
        return table[idx] * 2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (idx,) = ctx.saved_tensors
        d = torch.zeros(ctx.shape, dtype=g.dtype)
        d[idx] = 2 * g  # wrong
        return d, None


class Gate(F):  # type: ignore[misc]
    """Forgets one of two ways to the input."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any, u: Any) -> Any:
        a = torch.sigmoid(x @ w)
        b = torch.tanh(x @ u)
        ctx.save_for_backward(x, w, u, a, b)
        return a * b

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w, _, a, b = ctx.saved_tensors
        da = g * b * a * (1 - a)
        db = g * a * (1 - b**2)
        return da @ w.t(), x.t() @ da, x.t() @ db  # wrong


class Setup(F):  # type: ignore[misc]
    """Forgets a square in the derivative of tanh."""

    @staticmethod
    def forward(x: Any, w: Any) -> Any:
        h = torch.tanh(x @ w)
        return h * h

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> Any:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        h = torch.tanh(x @ w)
        dz = 2 * g * h * (1 - h)  # wrong
        return dz @ w.t(), x.t() @ dz


class Sums(F):  # type: ignore[misc]
    """Sums along the other axis."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        e = torch.exp(x)
        s = e.sum(dim=1, keepdim=True)
        ctx.save_for_backward(e, s, w)
        return torch.log(s) * w

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        e, s, w = ctx.saved_tensors
        back = (g * w).sum(dim=0, keepdim=True)  # wrong
        return back * e / s, (g * torch.log(s)).sum(dim=0)


def normal(*shape: int) -> Any:
    return torch.from_numpy(np.random.default_rng(len(shape)).normal(size=shape))


X, W, V = normal(5, 4), normal(4, 3), normal(4)
CASES: dict[Any, tuple[Bug, tuple[Any, ...]]] = {
    LayerNorm: (Bug.PATH_MISSING, (X, V, V)),
    Linear: (Bug.LAST_SAMPLE_ONLY, (X, W.T.contiguous(), V[:3])),
    SquaredReLU: (Bug.FACTOR_TWO, (X, W)),
    CrossEntropy: (Bug.FACTOR_BATCH_SIZE, (X, torch.tensor([0, 2, 1, 3, 1]))),
    Swish: (Bug.PATH_MISSING, (X, torch.tensor(0.7, dtype=torch.float64))),
    Attention: (Bug.CONSTANT_FACTOR, (normal(2, 5, 4), normal(2, 5, 4).flip(1), normal(2, 5, 3))),
    Gather: (Bug.OVERWRITTEN_NOT_ACCUMULATED, (X, torch.tensor([0, 1, 1, 4]))),
    Gate: (Bug.PATH_MISSING, (X, W, W.flip(0))),
    Setup: (Bug.DERIVATIVE_AT_WRONG_POINT, (X, W)),
    Sums: (Bug.WRONG_AXIS, (X, V)),
}


@pytest.mark.parametrize("function", CASES)
def test_name_and_line_are_told(function: Any) -> None:
    code, inputs = CASES[function]
    report = gradcheck.check(function, *inputs)
    lines, start = inspect.getsourcelines(function)
    wrong = start + next(n for n, line in enumerate(lines) if "# wrong" in line)
    told = str(report).partition("\nwhere ")[0]
    assert f": {code} in" in told, told
    assert f".py:{wrong}:" in told or f" or {wrong}:" in told, told
