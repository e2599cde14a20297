"""What a forward of PyTorch records has the gradients that autograd returns, and the user's lines.

All of it in float64, so that the two agree to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch: Any = pytest.importorskip("torch")
replayed: Any = pytest.importorskip("tests.integrations.replayed")
operations: Any = pytest.importorskip("gradcheck.adapters.frameworks.traced.torch_operations")

pytestmark = pytest.mark.integration

F = torch.nn.functional
ROUNDING = 1e-10


def normal(*shape: int, seed: int = 0) -> Any:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def positive(*shape: int) -> Any:
    return normal(*shape).abs() + 0.5


def inside(*shape: int) -> Any:
    return 0.1 + 0.8 * torch.sigmoid(normal(*shape))


X, P, U, S = normal(3, 4), positive(3, 4), inside(3, 4), normal(4, 4)
Y = normal(3, 4, seed=1)
LABELS = torch.tensor([0, 3, 1])
PICKED = torch.tensor([[0, 2], [1, 1], [3, 0]])
IMAGE = normal(2, 4, 7, 6)


def in_place(x: Any) -> Any:
    """Write into a tensor, into a view of one, and read through another view of it."""
    made = torch.zeros(3, 4, dtype=x.dtype)
    column = made[:, 1]
    column.copy_(x[:, 0] * 2)
    made[1].add_(x[2])
    made.t()[3].mul_(0).add_(x[:, 2].sin())
    made += x.exp()
    return made.view(-1) * x.reshape(-1) + column.sum()


# name below autograd -> a function that calls it, and its arguments
CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "add": (lambda x, y: torch.add(x, y, alpha=3), (X, Y)),
    "sub": (lambda x, y: torch.sub(x, y, alpha=3) - 1, (X, Y)),
    "rsub": (lambda x: torch.rsub(x, 2), (X,)),
    "mul": (lambda x, y: x * y * 3, (X, Y[:, :1])),
    "div": (lambda x, y: x / y + 1 / y, (X, P)),
    "pow": (lambda x: x**2 + x**3 + x**-1.5 + 2.0**x, (P,)),
    "pow of two": (torch.pow, (P, Y)),
    **{
        name: (getattr(torch, name), (P,))
        for name in (
            "neg", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt",
            "square", "reciprocal",
        )
    },
    **{
        name: (getattr(torch, name), (X,))
        for name in ("abs", "sin", "cos", "sinh", "cosh", "tanh", "atan", "sigmoid", "erf", "erfc")
    },
    **{name: (getattr(torch, name), (U,)) for name in ("tan", "asin", "acos")},
    "atan2": (torch.atan2, (X, Y)),
    "hypot": (torch.hypot, (X, Y)),
    "special_ndtr": (torch.special.ndtr, (X,)),
    "logaddexp": (torch.logaddexp, (X, Y)),
    "maximum": (torch.maximum, (X, Y)),
    "minimum": (torch.minimum, (X, Y)),
    "relu": (torch.relu, (X,)),
    "clamp": (lambda x: x.clamp(-0.5, 0.7), (X,)),
    "clamp_min": (lambda x: x.clamp_min(0.1), (X,)),
    "clamp_max": (lambda x: x.clamp_max(0.1), (X,)),
    "hardtanh": (F.hardtanh, (2 * X,)),
    "leaky_relu": (F.leaky_relu, (X,)),
    "threshold": (lambda x: F.threshold(x, 0.1, 20.0), (X,)),
    "elu": (F.elu, (X,)),
    "selu": (F.selu, (X,)),
    "gelu": (F.gelu, (X,)),
    "gelu by tanh": (lambda x: F.gelu(x, approximate="tanh"), (X,)),
    "softplus": (lambda x: F.softplus(x, beta=2), (X,)),
    "silu": (F.silu, (X,)),
    "log_sigmoid_forward": (F.logsigmoid, (X,)),
    "_softmax": (lambda x: torch.softmax(x, dim=-1), (X,)),
    "_log_softmax": (lambda x: torch.log_softmax(x, dim=0), (X,)),
    "logsumexp": (lambda x: torch.logsumexp(x, dim=1), (X,)),
    "logsumexp kept": (lambda x: torch.logsumexp(x, dim=(0, 1), keepdim=True), (X,)),
    "native_layer_norm": (lambda x, w, b: F.layer_norm(x, (4,), w, b), (X, S[0], S[1])),
    "native_batch_norm": (
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), (IMAGE, S[0], S[1]),
    ),
    "batch norm evaluated": (lambda x: F.batch_norm(x, S[0], P[0], S[1], S[2]), (IMAGE,)),
    "sum": (lambda x: x.sum() + x.sum(dim=1, keepdim=True) + x.sum((0, 1)), (X,)),
    "mean": (lambda x: x.mean() + x.mean(1, keepdim=True), (X,)),
    "var": (lambda x: x.var(dim=0, unbiased=False) + x.var(), (X,)),
    "std": (lambda x: x.std(dim=1, keepdim=True), (X,)),
    "var_mean": (lambda x: torch.var_mean(x, dim=1), (X,)),
    "amax": (lambda x: x.amax(dim=1), (X,)),
    "amin": (lambda x: x.amin(dim=(0, 1)), (X,)),
    "max": (lambda x: x.max(dim=1).values * x.max(), (X,)),
    "min": (lambda x: x.min(dim=0, keepdim=True)[0], (X,)),
    "prod": (lambda x: x.prod(dim=1), (P,)),
    "cumsum": (lambda x: x.cumsum(dim=1), (X,)),
    "linalg_vector_norm": (lambda x: x.norm(dim=1) + torch.linalg.vector_norm(x, 1), (X,)),
    "mse_loss": (F.mse_loss, (X, Y)),
    "huber_loss": (F.huber_loss, (X, Y)),
    "smooth_l1_loss": (F.smooth_l1_loss, (X, Y)),
    "nll_loss_forward": (lambda x: F.cross_entropy(x, LABELS), (X,)),
    "nll weighted": (lambda x: F.nll_loss(x, LABELS, P[0], reduction="sum"), (X,)),
    "binary_cross_entropy": (lambda p: F.binary_cross_entropy(p, U.flip(0)), (U,)),
    "binary_cross_entropy_with_logits": (
        lambda x: F.binary_cross_entropy_with_logits(x, U, pos_weight=P[0]), (X,),
    ),
    "mm": (lambda x, s: x @ s, (X, S)),
    "bmm": (torch.bmm, (normal(2, 3, 4), normal(2, 4, 3))),
    "mv": (lambda x, v: x @ v, (X, S[0])),
    "dot": (lambda x, v: x[0] @ v, (X, S[0])),
    "vdot": (torch.vdot, (X[0], S[0])),
    "addmm": (lambda x, w, b: F.linear(x, w, b), (X, Y, normal(3))),
    "addmv": (torch.addmv, (normal(3), X, S[0])),
    "baddbmm": (
        lambda a, b, c: torch.baddbmm(a, b, c, beta=0.5, alpha=2),
        (normal(2, 3, 3), normal(2, 3, 4), normal(2, 4, 3)),
    ),
    "einsum": (lambda x, s: torch.einsum("ij,kj->ik", x, s), (X, S)),
    "convolution": (
        lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1),
        (IMAGE, normal(3, 4, 3, 2), normal(3)),
    ),
    "convolution in groups": (
        lambda x, w: F.conv2d(x, w, groups=2, dilation=2), (IMAGE, normal(6, 2, 3, 2)),
    ),
    "convolution of sequences": (F.conv1d, (normal(2, 3, 8), normal(4, 3, 3))),
    "lerp": (lambda x, y: torch.lerp(x, y, 0.3), (X, Y)),
    "addcmul": (lambda x, y, z: torch.addcmul(x, y, z, value=2), (X, Y, P)),
    "addcdiv": (lambda x, y, z: torch.addcdiv(x, y, z), (X, Y, P)),
    "linalg_inv_ex": (torch.linalg.inv, (S,)),
    "t": (lambda x: x.t() * 2, (X,)),
    "transpose": (lambda x: x.transpose(0, 1).exp(), (X,)),
    "permute": (lambda x: x.permute(3, 0, 2, 1).exp(), (IMAGE,)),
    "view": (lambda x: x.view(2, 6).exp(), (X,)),
    "_unsafe_view": (lambda x, s: x.view(3, 1, 4) @ s, (X, S)),
    "reshape": (lambda x: x.t().reshape(2, -1).exp(), (X,)),
    "expand": (lambda x: x[:, :1].expand(-1, 5).exp(), (X,)),
    "unsqueeze": (lambda x: x.unsqueeze(1).exp(), (X,)),
    "squeeze": (lambda x: x[:, None].squeeze(1).exp() + x[None].squeeze().exp(), (X,)),
    "slice": (lambda x: x[1:, ::2].exp(), (X,)),
    "select": (lambda x: x[1].exp(), (X,)),
    "index": (lambda x: x[LABELS, torch.tensor([0, 0, 1])].exp() + x[x > 0].sum(), (S,)),
    "gather": (lambda x: x.gather(1, PICKED).exp(), (X,)),
    "index_select": (lambda x: x.index_select(1, LABELS).exp(), (X,)),
    "embedding": (lambda x: F.embedding(PICKED, x).exp(), (S,)),
    "split": (lambda x: torch.split(x, 3, dim=1)[1].exp(), (X,)),
    "chunk": (lambda x: x.chunk(2, dim=-1)[0] * x.chunk(2, dim=-1)[1], (X,)),
    "split_with_sizes": (lambda x: x.split([1, 3], dim=1)[1].exp(), (X,)),
    "unbind": (lambda x: x.unbind(0)[2].exp(), (X,)),
    "cat": (lambda x, y: torch.cat([x, y.exp()], dim=1), (X, Y)),
    "stack": (lambda x, y: torch.stack([x, y.exp()], dim=1), (X, Y)),
    "flip": (lambda x: x.flip(1).exp(), (X,)),
    "roll": (lambda x: x.roll(1, dims=1).exp() + x.roll(2).exp(), (X,)),
    "repeat": (lambda x: x.repeat(2, 1).exp(), (X,)),
    "constant_pad_nd": (lambda x: F.pad(x, (1, 2, 0, 1), value=0.5).exp(), (X,)),
    "unfold": (lambda x: x.unfold(1, 3, 1).exp(), (X,)),
    "diagonal": (lambda x: x.diagonal().exp(), (S,)),
    "tril": (lambda x: x.tril(-1).exp(), (S,)),
    "triu": (lambda x: x.triu().exp(), (S,)),
    "where": (lambda x, y: torch.where(x > 0, x, y).exp(), (X, Y)),
    "masked_fill": (lambda x: torch.softmax(x.masked_fill(Y > 0.5, float("-inf")), 1), (X,)),
    "index_put": (
        lambda x, y: x.clone().index_put_((LABELS,), y.exp(), accumulate=True), (S, Y),
    ),
    "scatter": (lambda x, y: x.scatter(1, PICKED[:, :1], y.exp()), (X, Y[:, :1])),
    "scatter_add": (lambda x, y: x.exp().scatter_add(1, PICKED, y), (X, Y[:, :2])),
    "index_add": (lambda x, y: x.index_add(0, LABELS, y, alpha=2), (S, Y)),
    "index_copy": (lambda x, y: x.exp().index_copy(0, LABELS, y), (S, Y)),
    "copy": (in_place, (X,)),
    "index_fill": (lambda x: (2 * x).index_fill_(0, LABELS[:1], 2.0).sin(), (X,)),
    "fill": (lambda x: (2 * x).fill_(0.5) * x, (X,)),
    "zero": (lambda x: (2 * x).zero_() + x, (X,)),
    "detach": (lambda x: torch.ones_like(x) * x * x.sign() + torch.floor(x), (X,)),
    "_to_copy": (lambda x: x.to(torch.float64, copy=True).contiguous().clone().exp(), (X,)),
    "_scaled_dot_product_flash_attention_for_cpu": (
        lambda q, k: F.scaled_dot_product_attention(q, k, k.exp(), is_causal=True),
        (normal(2, 2, 3, 4), normal(2, 2, 3, 4, seed=3)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_gradient_of_recording_is_that_of_autograd(name: str) -> None:
    function, inputs = CASES[name]
    assert replayed.disagreement(function, *inputs) < ROUNDING


def test_every_operation_of_the_table_is_tested() -> None:
    """But for those that autograd turns into others, or that hold no more than a tensor's form."""
    forms = {"alias", "clone", "contiguous", "lift_fresh", "view_as"}
    assert set(operations.OPERATIONS) - set(CASES) <= forms


ELEMENTARY = (
    torch.tanh, torch.sin, F.gelu, F.softplus, lambda x: x.softmax(-1), lambda x: x - x.mean(0),
    lambda x: x / (1 + x.square().sum(-1, keepdim=True)), lambda x: x.t().reshape(x.shape),
    lambda x: x @ S, lambda x: torch.where(x > 0, x, 0.1 * x), lambda x: x.cumsum(0) * 0.3,
    lambda x: torch.cat([x[:, 2:], x[:, :2]], 1), lambda x: x * x.roll(1, 0),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_gradient_of_random_composition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chosen = [ELEMENTARY[n] for n in rng.integers(len(ELEMENTARY), size=6)]

    def composition(x: Any, y: Any) -> Any:
        for step in chosen:
            x = step(x) + 0.1 * y
        return x

    assert replayed.disagreement(composition, normal(3, 4, seed=seed), Y) < ROUNDING


class Gated(torch.autograd.Function):  # type: ignore[misc]
    """Written in the old style, its forward using the context and numbers of its own."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        gate = torch.sigmoid(x @ w)
        ctx.save_for_backward(x, w, gate)
        return x * gate

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w, gate = ctx.saved_tensors
        back = g * x * gate * (1 - gate)
        return g * gate + back @ w.t(), x.t() @ back


def test_inside_of_autograd_function_is_seen_with_its_expressions() -> None:
    _, recording = replayed.recording_of(Gated, X, S)
    sites = [node.site.text for node in recording.nodes if node.site is not None]
    assert sites == ["x @ w", "torch.sigmoid(x @ w)", "x * gate"]
    assert replayed.disagreement(Gated, X, S) < ROUNDING


def test_module_is_recorded_with_its_parameters() -> None:
    torch.manual_seed(0)
    layers = torch.nn.Linear(4, 5), torch.nn.LayerNorm(5), torch.nn.GELU(), torch.nn.Linear(5, 2)
    assert replayed.disagreement(torch.nn.Sequential(*layers).double(), X) < ROUNDING


def test_unknown_operation_is_not_recorded() -> None:
    assert replayed.recording_of(lambda x: torch.special.i0(x), X)[1] is None
