"""Tensors in containers, and those that a module or function keeps, are judged or named."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

torch = pytest.importorskip("torch", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration

X = torch.tensor(np.random.default_rng(0).normal(size=(5, 3)))
W = torch.tensor(np.random.default_rng(1).normal(size=(3, 2)))
B = torch.tensor([0.3, -0.2], dtype=torch.float64)


class Dense(torch.autograd.Function):
    """Forgets the samples but one in the gradient of the bias."""

    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return x @ w + b

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g @ w.T, x.T @ g, g[0]


class Pair(NamedTuple):
    w: object
    b: object


@dataclass
class Cell:
    w: object
    b: object


CONTAINERS = {
    "dict": ({"w": W, "b": B}, lambda p: (p["w"], p["b"]), "p['w']", "p['b']"),
    "list": ([W, B], tuple, "p[0]", "p[1]"),
    "tuple": ((W, B), tuple, "p[0]", "p[1]"),
    "named tuple": (Pair(W, B), tuple, "p.w", "p.b"),
    "dataclass": (Cell(W, B), lambda p: (p.w, p.b), "p.w", "p.b"),
    "nested": ({"a": [W, {"b": B}]}, lambda p: (p["a"][0], p["a"][1]["b"]), "p['a'][0]", None),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_every_tensor_in_a_container_is_judged(kind):
    p, read, w, b = CONTAINERS[kind]

    right = gradcheck.check(lambda p, x: x @ read(p)[0] + read(p)[1], p, X, explain=False)
    wrong = gradcheck.check(lambda p, x: Dense.apply(x, *read(p)), p, X, explain=False)

    assert right.ok, str(right)
    assert len(right.tensors) == 3
    assert right.tensors[w].role == "parameter"
    failed = {n for n, t in wrong.tensors.items() if t.verdict is Verdict.FAIL}
    assert failed == {b or "p['a'][1]['b']"}


class Module(torch.nn.Module):
    """Keeps a parameter, a buffer, a frozen parameter, and tensors that are not registered."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(W.clone())
        self.register_buffer("mask", torch.tensor([1.0, 0.5], dtype=torch.float64))
        self.frozen = torch.nn.Parameter(B.clone(), requires_grad=False)
        self.unused = torch.nn.Parameter(B.clone())
        self.held = {"scale": torch.full((2,), 1.5, dtype=torch.float64, requires_grad=True)}
        self.plain = [B * 2]

    def forward(self, x):
        y = x @ self.weight * self.mask + self.frozen
        return y * self.held["scale"] + self.plain[0]


def test_what_a_module_keeps_is_judged_or_named():
    report = gradcheck.check(Module(), X, explain=False)

    assert report.ok, str(report)
    assert set(report.tensors) == {"x", "weight", "scale"}
    assert {(a.name, a.role) for a in report.unchecked} == {
        ("mask", "constant"),
        ("frozen", "frozen"),
        ("plain[0]", "constant"),
    }


def test_a_parameter_that_is_detached_has_a_gradient_that_is_wrong():
    class Detached(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(W.clone())

        def forward(self, x):
            return x @ self.weight.detach()

    report = gradcheck.check(Detached(), X, explain=False)

    assert report.tensors["weight"].verdict is Verdict.FAIL


def test_what_a_function_closes_over_is_judged_where_it_is_trained():
    w = W.clone().requires_grad_()
    constant = B.clone()

    report = gradcheck.check(lambda x: x @ w + constant, X, explain=False)
    wrong = gradcheck.check(lambda x: Dense.apply(x, constant[:, None].T.repeat(3, 1), w[0]), X)

    assert report.ok, str(report)
    assert set(report.tensors) == {"x", "w"}
    assert [(a.name, a.role) for a in report.unchecked] == [("constant", "constant")]
    assert wrong.tensors["w"].verdict is Verdict.FAIL
    assert torch.equal(w, W)


def forward_mode(factor, size=4):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            ctx.save_for_forward(x, w)
            return x**3 * w

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            return 3 * x**2 * w * g, x**3 * g

        @staticmethod
        def jvp(ctx, dx, dw):
            x, w = ctx.saved_tensors
            moved = 0 if dx is None else factor * x**2 * w * dx
            return moved + (0 if dw is None else x**3 * dw)

    rng = np.random.default_rng(3)
    return Cube, torch.tensor(rng.uniform(0.5, 1, size)), torch.tensor(rng.uniform(0.5, 1, size))


@pytest.mark.parametrize("size", [4, 300])
def test_a_jvp_is_judged_beside_the_backward(size):
    right, *inputs = forward_mode(3, size)
    wrong, *_ = forward_mode(2, size)

    assert gradcheck.check(right, *inputs).ok

    report = gradcheck.check(wrong, *inputs, explain=size == 4)
    assert report.verdict is Verdict.FAIL
    assert all(tensor.ok for tensor in report.tensors.values())
    part = report.parts["jvp"]
    assert {n for n, t in part.tensors.items() if t.verdict is Verdict.FAIL} == {"x"}
    assert "jvp.x" in str(report)
