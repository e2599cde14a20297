"""PyTorch code is checked as it is."""

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

torch = pytest.importorskip("torch", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration

X = np.random.default_rng(0).normal(size=(5, 4))


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad


class Doubled(Cube):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 6 * x**2 * grad


def test_autograd_functions_are_checked_right_and_wrong():
    right = gradcheck.check(Cube, torch.tensor(X))
    wrong = gradcheck.check(Doubled, torch.tensor(X))

    assert right.ok, str(right)
    assert wrong.explanations[0].code == "factor_two"


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_module_is_checked_with_its_parameters_and_left_as_it_was(dtype):
    module = torch.nn.Sequential(
        torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), torch.nn.Tanh(), torch.nn.Linear(6, 3)
    ).to(dtype)
    before = {name: value.clone() for name, value in module.state_dict().items()}

    report = gradcheck.check(module, torch.tensor(X, dtype=dtype))

    assert Verdict.FAIL not in {t.verdict for t in report.tensors.values()}, str(report)
    assert dtype is torch.float32 or report.ok, str(report)
    assert {"0.weight", "0.bias", "1.weight", "3.bias"} <= set(report.tensors)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())


def test_a_plain_function_of_tensors_is_checked():
    def loss(x, labels):
        return torch.nn.functional.cross_entropy(x, labels)

    report = gradcheck.check(loss, torch.tensor(X), torch.tensor([0, 1, 3, 2, 2]))

    assert report.ok, str(report)
    assert list(report.tensors) == ["x"]
