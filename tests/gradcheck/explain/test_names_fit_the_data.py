"""Names whose preconditions the data at hand do not meet are not given."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck

RNG = np.random.default_rng(0)


def codes(target, *inputs):
    return [e.code for e in gradcheck.check(target, *inputs).explanations]


def weighted(axis):
    """Cross-entropy with class weights, taken along the classes or by the label."""

    def softmax(z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    class Loss:
        def __init__(self):
            self.w = np.array([1.0, 2.0, 0.5])

        def loss(self, z, onehot):
            return (
                -np.log((softmax(z) * onehot).sum(axis=1)) * self.w[onehot.argmax(axis=1)]
            ).mean()

        def grad(self, z, onehot):
            by_label = self.w[onehot.argmax(axis=1)][:, None]
            return (softmax(z) - onehot) * (self.w if axis else by_label) / len(z)

    return Loss()


def test_labels_of_zero_and_one_are_not_called_negative():
    onehot = np.eye(3)[[0, 2, 1, 1, 2]]
    report = gradcheck.check(weighted(1), RNG.normal(size=(5, 3)), onehot)

    assert not report.ok
    assert all("negative" not in e.message for e in report.explanations)
    assert report.explanations[0].code == "wrong_axis"
    assert "that of its sample or label" in report.explanations[0].message
    assert gradcheck.check(weighted(0), RNG.normal(size=(5, 3)), onehot).ok


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_no_sign_tells_entries_apart_where_all_have_one(sign):
    x = sign * RNG.uniform(0.5, 2.0, size=(5, 4))

    def gradient(x, g):
        d = 3 * x**2 * g
        d[np.abs(x) > 1] *= 0.7
        return d

    assert "sign_dependent" not in codes((lambda x: x**3, gradient), x)


class Gelu:
    def __init__(self, rounded, dtype=None):
        self.c = (0.0356774, 0.797885, 0.0535161, 0.398942) if rounded else None
        self.dtype = dtype

    def forward(self, x):
        self.x = x
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))

    def backward(self, up):
        k = np.sqrt(2 / np.pi)
        a, b, c, d = self.c or (0.044715 * k, k, 1.5 * 0.044715 * k, k / 2)
        x = self.x if self.dtype is None else self.x.astype(self.dtype)
        u = a * x**3 + b * x
        return up * (0.5 + 0.5 * np.tanh(u) + (c * x**3 + d * x) / np.cosh(u) ** 2)


X = RNG.normal(size=(4, 3))


def test_rounded_constants_are_no_low_precision():
    assert gradcheck.check(Gelu(rounded=False), X).ok
    found = codes(Gelu(rounded=True), X)

    assert found[0] == "uniformly_inaccurate"
    assert "precision_lost" not in found


def test_low_precision_inside_is_still_seen():
    assert codes(Gelu(rounded=False, dtype=np.float32), X)[0] == "precision_lost"


class SummedSoftmax:
    """The sum over a row is differentiated entry by entry: what is left is rounding."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        self.y = e / e.sum(axis=-1, keepdims=True)
        return self.y

    def backward(self, up):
        return (self.y - self.y * self.y.sum(axis=-1, keepdims=True)) * up


def test_what_is_zero_up_to_rounding_is_called_zero():
    assert codes(SummedSoftmax(), RNG.normal(size=(4, 7)))[0] == "zero_gradient"


@pytest.mark.parametrize("gradient", [lambda x: 3 * x, lambda x: x * x, lambda x: np.ones(3)])
def test_a_forward_that_does_not_use_a_tensor_is_named_and_no_change_is_offered(gradient):
    report = gradcheck.check((lambda x: np.float64(0.0), gradient), np.array([0.4, -1.2, 2.0]))

    assert not report.ok
    assert all("->" not in e.fix for e in report.explanations)
    assert [e.code for e in report.explanations] in (["unused_in_forward"], [])


def test_a_saturated_forward_is_not_called_one_that_does_not_use_its_input():
    report = gradcheck.check((lambda x: np.tanh(x), lambda x, g: g), np.full(4, 40.0))

    assert "unused_in_forward" not in [e.code for e in report.explanations]


def test_the_line_of_a_torch_function_is_told():
    torch = pytest.importorskip("torch")

    class TanhDense(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return torch.tanh(x @ w)

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            y = torch.tanh(x @ w)
            d = g * (1 - y)
            return d @ w.T, x.T @ d

    torch.manual_seed(0)
    x, w = (torch.randn(shape, dtype=torch.float64) for shape in ((6, 5), (5, 3)))
    found = gradcheck.check(TanhDense, x, w).explanations[0]

    assert found.tensor == "x, w"
    assert "-> `d = g * (1 - y ** 2)`" in found.fix


class HeldSilu:
    """x sigmoid(x) with the sigmoid held beyond 30, which the backward takes for smooth."""

    def forward(self, x):
        self.x, self.s = x, 1 / (1 + np.exp(-np.clip(x, -30, 30)))
        return x * self.s

    def backward(self, grad):
        return grad * self.s * (1 + self.x * (1 - self.s))


def test_one_wrong_entry_is_no_inaccuracy_of_all_and_no_path_of_the_chain_rule():
    found = codes(HeldSilu(), np.array([[0.3, 1.0, -2.0, -400.0]]))

    assert found
    assert not {"uniformly_inaccurate", "path_missing"}.intersection(found)


def test_a_factor_that_is_told_as_one_is_no_factor():
    found = gradcheck.check(HeldSilu(), np.array([[0.0, 0.0, 0.0, -400.0]])).explanations

    assert all("1 times what it should be" not in e.message for e in found)
    assert "constant_factor" not in [e.code for e in found]
