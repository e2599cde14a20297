"""PyTorch code is left as it was, in whatever mode and with whatever result it is checked."""

import contextlib

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

torch = pytest.importorskip("torch", reason="the extra `integrations` is not installed")
nn = torch.nn
pytestmark = pytest.mark.integration

X = torch.tensor(np.random.default_rng(0).normal(size=(5, 3)))
MODES = {
    "none": contextlib.nullcontext,
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "enable_grad": torch.enable_grad,
    "anomaly": lambda: torch.autograd.detect_anomaly(check_nan=False),
    "autocast": lambda: torch.autocast("cpu", enabled=False),
    "single-threaded": lambda: torch.autograd.set_multithreading_enabled(False),
}


class Link(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        if ctx.factor is None:
            raise RuntimeError("no backward")
        return ctx.factor * g, None


class Net(nn.Module):
    def __init__(self, factor):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(3, 4).double()
        self.norm = nn.BatchNorm1d(4).double()
        self.drop = nn.Dropout(0.5)
        self.factor = factor

    def forward(self, x):
        return Link.apply(self.drop(self.norm(self.layer(x))), self.factor)


def settings():
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.is_anomaly_enabled(),
        torch.get_default_dtype(),
        torch.are_deterministic_algorithms_enabled(),
        torch._C._is_multithreading_enabled(),
    )


def remembered(net):
    return {
        **{name: tensor.clone() for name, tensor in net.state_dict().items()},
        **{
            f"{name}.grad": p.grad.clone()
            for name, p in net.named_parameters()
            if p.grad is not None
        },
        "generator": torch.get_rng_state(),
        "training": torch.tensor([module.training for module in net.modules()]),
        "recorded": torch.tensor([p.requires_grad for p in net.parameters()]),
    }


@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
@pytest.mark.parametrize("factor", [1.0, 1.25, None], ids=["PASS", "FAIL", "exception"])
@pytest.mark.parametrize("mode", MODES)
def test_everything_is_as_before(mode, factor):
    net = Net(factor)
    net.norm.weight.requires_grad_(False)
    net.layer.weight.grad = gradient = torch.ones_like(net.layer.weight)
    given = X.clone().requires_grad_()
    given.grad = torch.full_like(given, 2.0)

    with MODES[mode]():
        before, set_before = remembered(net), settings()
        if factor is None:
            with pytest.raises(RuntimeError, match="no backward"):
                gradcheck.check(net, given)
        else:
            report = gradcheck.check(net, given, explain=False)
            expected = Verdict.PASS if factor == 1.0 else Verdict.FAIL
            wrong = [n for n, t in report.tensors.items() if t.verdict is Verdict.FAIL]
            assert bool(wrong) == (expected is Verdict.FAIL), str(report)
        assert settings() == set_before

    after = remembered(net)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert net.layer.weight.grad is gradient
    assert torch.equal(given, X)
    assert torch.equal(given.grad, torch.full_like(X, 2.0))


def test_default_dtype_and_device_stay_and_change_nothing():
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    try:
        report = gradcheck.check(lambda x: Link.apply(x, 1.25).sin(), X, explain=False)
        assert torch.get_default_dtype() is torch.float64
        assert torch.get_default_device().type == "meta"
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)

    assert report.verdict is Verdict.FAIL


def test_a_generator_that_is_given_is_held_and_put_back():
    generator = torch.Generator().manual_seed(3)
    before = generator.get_state()

    report = gradcheck.check(
        lambda x, g: x * torch.rand(x.shape, generator=g, dtype=x.dtype), X, generator
    )

    assert report.ok, str(report)
    assert torch.equal(generator.get_state(), before)


def test_a_frozen_parameter_is_named_as_such():
    net = nn.Linear(3, 2).double()
    net.weight.requires_grad_(False)

    report = gradcheck.check(net, X)

    assert set(report.tensors) == {"input", "bias"}
    assert [(u.name, u.role) for u in report.unchecked] == [("weight", "frozen")]
    assert "weight" in str(report)


def test_tied_weights_are_judged_once_by_all_their_uses():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(3, 3, bias=False).double()
            self.two = nn.Linear(3, 3, bias=False).double()
            self.two.weight = self.one.weight

        def forward(self, x):
            return self.two(self.one(x).tanh())

    report = gradcheck.check(Tied(), X)

    assert report.ok, str(report)
    assert list(report.tensors) == ["x", "one.weight"]


def test_a_lazy_module_stays_lazy():
    net = nn.LazyLinear(2, dtype=torch.float64)

    report = gradcheck.check(net, X)

    assert report.ok, str(report)
    assert set(report.tensors) == {"input", "weight", "bias"}
    assert net.has_uninitialized_params()


def test_the_entries_of_a_sparse_input_are_its_stored_values():
    dense = torch.tensor([[1.5, 0.0], [0.0, -2.0], [0.5, 0.0]], dtype=torch.float64)

    report = gradcheck.check(lambda a, x: a @ x, dense.to_sparse(), torch.ones(2, 1).double())

    assert report.ok, str(report)
    assert report.tensors["a"].shape == (3,)


@pytest.mark.parametrize(
    ("function", "given", "said"),
    [
        (lambda x: x.sum().item(), X, r"without a tensor in it.*not what \.item"),
        (lambda x: x.sin(), X.to("meta"), "x is on the device 'meta'"),
    ],
    ids=["item", "meta"],
)
def test_what_cannot_be_checked_is_refused_with_the_way_out(function, given, said):
    with pytest.raises(gradcheck.TargetError, match=said):
        gradcheck.check(function, given)
