"""A function mapped over a batch is compared with a loop over its samples: ``vmap_agrees``."""

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

REASON = "the extra `integrations` is not installed"
pytestmark = pytest.mark.integration
X = np.random.default_rng(0).normal(size=(4, 3))


def softmax_in_torch(axis, vmap=None, backward_axis=-1):
    torch = pytest.importorskip("torch", reason=REASON)

    class Softmax(torch.autograd.Function):
        generate_vmap_rule = vmap is None

        @staticmethod
        def forward(x):
            return torch.softmax(x, axis)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(output)

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return y * (g - (g * y).sum(backward_axis, keepdim=True))

    if vmap is not None:
        Softmax.vmap = staticmethod(vmap(Softmax))
    return Softmax, torch.tensor(X[0])


def moved(axis):
    """Return a rule that puts the batch on the first axis, and says that it is on ``axis``."""

    def rule(function):
        return lambda info, in_dims, x: (function.apply(x.movedim(in_dims[0], 0)), axis)

    return rule


def test_a_rule_that_is_made_of_the_function_agrees():
    report = gradcheck.check(*softmax_in_torch(-1))

    assert report.ok, str(report)
    assert report.contract["vmap_agrees"].holds is True


@pytest.mark.parametrize(("axis", "backward_axis"), [(-1, -1), (0, 0)], ids=["right", "wrong"])
def test_a_rule_of_its_own_is_measured(axis, backward_axis):
    # the sum over axis 0 is that over the features for one sample, and over samples for a batch
    report = gradcheck.check(*softmax_in_torch(axis, moved(0), backward_axis))

    assert all(t.verdict is Verdict.PASS for t in report.tensors.values()), str(report)
    assert report.contract["vmap_agrees"].holds is (axis == -1)
    assert report.verdict is (Verdict.PASS if axis == -1 else Verdict.FAIL)


def test_a_rule_that_raises_is_a_fault():
    def rule(function):
        def raising(info, in_dims, x):
            raise NotImplementedError("later")

        return raising

    report = gradcheck.check(*softmax_in_torch(-1, rule))

    assert report.contract["vmap_agrees"].holds is False
    assert "vmap raises NotImplementedError: later" in report.contract["vmap_agrees"].measurement


def test_a_function_without_a_rule_promises_nothing():
    torch = pytest.importorskip("torch", reason=REASON)

    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    assert "vmap_agrees" not in gradcheck.check(Twice, torch.tensor(X)).contract


@pytest.mark.parametrize("method", ["expand_dims", "wrong", None])
def test_a_custom_vjp_is_mapped_with_its_callback(method):
    jax = pytest.importorskip("jax", reason=REASON)
    jnp = jax.numpy

    def normed(x):  # of one sample; a batch that is handed on whole is normed as one
        return np.asarray(x / np.sqrt(np.sum(x**2)), x.dtype)

    def per_sample(x):
        return np.asarray(x / np.sqrt(np.sum(x**2, axis=-1, keepdims=True)), x.dtype)

    @jax.custom_vjp
    def unit(x):
        host = normed if method == "wrong" else per_sample
        known = None if method is None else "expand_dims"
        return jax.pure_callback(host, jax.ShapeDtypeStruct(x.shape, x.dtype), x, vmap_method=known)

    def backward(x, g):
        size = jnp.sqrt(jnp.sum(x**2))
        return (g / size - x * jnp.sum(x * g) / size**3,)

    unit.defvjp(lambda x: (unit(x), x), backward)

    report = gradcheck.check(unit, jnp.asarray(X[0], jnp.float32))

    if method is None:  # it raises: nobody promised that it can be mapped
        assert "vmap_agrees" not in report.contract
    else:
        assert report.contract["vmap_agrees"].holds is (method == "expand_dims"), str(report)
    assert all(t.verdict is Verdict.PASS for t in report.tensors.values())
