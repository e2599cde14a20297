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


class BatchMean(torch.autograd.Function):
    """Centres a batch; the mean beside it is marked as not differentiable."""

    @staticmethod
    def forward(ctx, x):
        mean = x.mean(0)
        ctx.mark_non_differentiable(mean)
        return x - mean, mean

    @staticmethod
    def backward(ctx, grad, _):
        return grad - grad.mean(0)


class BatchMeanForgotten(BatchMean):
    @staticmethod
    def backward(ctx, grad, _):
        return grad.clone()


def test_outputs_that_carry_no_gradient_are_left_out_and_said():
    right = gradcheck.check(BatchMean, torch.tensor(X))
    wrong = gradcheck.check(BatchMeanForgotten, torch.tensor(X))

    assert right.ok, str(right)
    assert any("output 1 carries no gradient" in note for note in right.notes)
    assert wrong.tensors["x"].verdict is Verdict.FAIL


def test_a_detached_output_claims_that_its_gradient_is_zero():
    report = gradcheck.check(lambda x: x.detach() ** 2, torch.tensor(X))

    assert report.verdict is Verdict.FAIL


def test_an_output_without_derivative_is_undecided():
    report = gradcheck.check(lambda x: (x > 0).sum(), torch.tensor(X))

    assert report.verdict is Verdict.UNDECIDED
    assert "whole numbers" in report.tensors["x"].reason


LOW = ["float32", "float16", "bfloat16"]


@pytest.mark.parametrize("dtype", LOW)
def test_low_precision_is_measured_in_float64(dtype):
    torch.manual_seed(0)
    kind = getattr(torch, dtype)
    x = torch.tensor(X).to(kind)
    factor = torch.arange(1.0, 5.0, dtype=kind)
    layer = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.LayerNorm(6))
    subjects = [
        lambda x: torch.tanh(x) * factor,
        lambda x: x.max(1).values + torch.zeros(5, dtype=kind),
        lambda x: torch.nn.functional.dropout(x, 0.5),
        layer.to(kind),
    ]

    for subject in subjects:
        report = gradcheck.check(subject, x, contract=False)
        assert report.ok, str(report)
        assert gradcheck.runner.WIDENED in report.notes


@pytest.mark.parametrize("dtype", LOW)
def test_wrong_gradients_in_low_precision_are_found(dtype):
    report = gradcheck.check(Doubled, torch.tensor(X).to(getattr(torch, dtype)), explain=False)

    assert report.verdict is Verdict.FAIL


def test_parameters_in_low_precision_keep_their_values():
    layer = torch.nn.Linear(4, 3)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    gradcheck.check(layer, torch.tensor(X, dtype=torch.float32))

    assert all(torch.equal(before[n], v) for n, v in layer.state_dict().items())
    assert layer.weight.dtype is torch.float32


def test_the_gradient_of_a_draw_is_a_convention():
    drawn = gradcheck.check(lambda mean: torch.normal(mean, 1.0), torch.tensor(X))
    dropped = gradcheck.check(lambda x: torch.nn.functional.dropout(x, 0.5), torch.tensor(X))

    assert drawn.tensors["mean"].verdict is Verdict.UNDECIDED
    assert "drawn at random" in drawn.tensors["mean"].reason
    assert dropped.tensors["x"].verdict is Verdict.PASS


def test_writes_to_one_place_are_a_convention_and_others_are_not():
    x = torch.tensor(X[:1, :3].reshape(1, 1, 3))

    def unpooled(indices):
        places = torch.tensor([[indices]])
        unpool = torch.nn.functional.max_unpool1d
        return gradcheck.check(lambda x: unpool(x, places, 2), x, explain=False)

    assert unpooled([0, 2, 5]).ok
    assert unpooled([0, 0, 5]).tensors["x"].verdict is Verdict.UNDECIDED


def test_points_outside_of_the_domain_are_no_errors():
    a = np.eye(3) + 1e-3 * X[:3, :3]
    report = gradcheck.check(
        lambda a: torch.linalg.cholesky(a @ a.T - 0.9 * torch.eye(3, dtype=a.dtype)),
        torch.tensor(a),
    )

    assert report.ok, str(report)
