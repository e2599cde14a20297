"""Changes of a backward are written as the framework of its arrays has them."""

from __future__ import annotations

import ast

import numpy as np
import pytest

import gradcheck
from gradcheck.explain.source.mutations.scope import Scope
from gradcheck.explain.source.mutations.words import words_of

jax = pytest.importorskip("jax")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.integration

PHRASES = ("np.exp(A)", "A[..., ::-1]", "A.size", "np.add.at(A, C, B)")


def scope(array, **modules):
    return Scope({"A": array}, namespace={"A": array, **modules})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (scope(np.ones(2), np=np), PHRASES),
        (
            scope(torch.ones(2), torch=torch),
            ("torch.exp(A)", "A.flip(-1)", "A.numel()", "A.index_add_(0, C, B)"),
        ),
        (
            scope(jax.numpy.ones(2), jnp=jax.numpy),
            ("jnp.exp(A)", "A[..., ::-1]", "A.size", "A = A.at[C].add(B)"),
        ),
    ],
    ids=["numpy", "torch", "jax"],
)
def test_words_are_those_of_the_framework(given, expected):
    assert tuple(map(given.written, PHRASES)) == expected


def test_what_torch_writes_otherwise_computes_the_same():
    array = np.arange(24.0).reshape(2, 3, 4)
    phrases = words_of([torch.ones(1)]).phrases
    for phrase in ("A[::-1]", "A[..., ::-1]", "A[..., ::-1, ::-1]", "A.size"):
        np.testing.assert_array_equal(
            eval(phrases[phrase], {"A": torch.from_numpy(array)}), eval(phrase, {"A": array})
        )


@pytest.mark.parametrize(
    ("source", "is_module"),
    [("torch", True), ("jax.numpy", True), ("x", False), ("self.numpy", False)],
)
def test_a_module_is_told_from_an_object(source, is_module):
    known = scope(torch.ones(2), torch=torch, jax=jax)

    assert known.is_module(ast.parse(source, mode="eval").body) is is_module


class TanhTwice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = torch.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * (1 - torch.tanh(y) ** 2)


class Embedding(torch.autograd.Function):
    @staticmethod
    def forward(ctx, table, index):
        ctx.save_for_backward(table, index)
        return table[index]

    @staticmethod
    def backward(ctx, grad):
        table, index = ctx.saved_tensors
        gradient = torch.zeros_like(table)
        gradient[index] = grad
        return gradient, None


class OtherHalf(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.clamp(x, min=0) ** 2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 2 * torch.clamp(x, max=0)


@pytest.mark.parametrize(
    ("function", "others", "after"),
    [
        (TanhTwice, (), "return grad * (1 - y ** 2)"),
        (Embedding, (torch.tensor([0, 2, 0, 1]),), "gradient.index_add_(0, index, grad)"),
        (OtherHalf, (), "return grad * 2 * torch.clamp(x, min=0)"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_change_is_told_in_torch(function, others, after):
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 3)))

    report = gradcheck.check(function, x, *others)

    assert [edit.after for e in report.explanations for edit in e.edits] == [after]


@jax.custom_vjp
def looked_up(table, index):
    return table[index]


def looked_up_forward(table, index):
    return table[index], (table, index)


def looked_up_backward(saved, grad):
    table, index = saved
    gradient = jax.numpy.zeros_like(table)
    gradient = gradient.at[index].set(grad)
    return gradient, None


looked_up.defvjp(looked_up_forward, looked_up_backward)


def test_the_change_is_told_in_jax():
    table = jax.numpy.asarray(np.random.default_rng(0).normal(size=(4, 3)))

    report = gradcheck.check(looked_up, table, jax.numpy.array([0, 2, 0, 1]), budget=120.0)

    edits = [edit.after for e in report.explanations for edit in e.edits]
    assert edits == ["gradient = gradient.at[index].add(grad)"]
