"""The gradient of a gradient, of PyTorch and JAX code."""

import numpy as np
import pytest

import gradcheck

REASON = "the extra `integrations` is not installed"
torch = pytest.importorskip("torch", reason=REASON)
jax = pytest.importorskip("jax", reason=REASON)
equinox = pytest.importorskip("equinox", reason=REASON)
jnp = jax.numpy
pytestmark = pytest.mark.integration

X = np.random.default_rng(0).standard_normal((3, 4))


def cube_in_torch(second):
    class CubeBackward(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, grad):
            ctx.save_for_backward(x, grad)
            return grad * 3 * x**2

        @staticmethod
        def backward(ctx, h):
            x, grad = ctx.saved_tensors
            return second(h, grad, x), h * 3 * x**2

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return CubeBackward.apply(x, grad)

    return Cube, torch.as_tensor(X)


def cube_in_jax(hold):
    @jax.custom_vjp
    def cube(x):
        return x**3

    cube.defvjp(lambda x: (x**3, x), lambda x, grad: (grad * 3 * hold(x) ** 2,))
    return cube, jnp.asarray(X, jnp.float32)


def test_right_second_backward_passes():
    report = gradcheck.check(*cube_in_torch(lambda h, grad, x: h * grad * 6 * x), order=2)

    assert report.ok, str(report)
    assert list(report.parts["backward"].tensors) == ["x", "grad_output"]


def test_wrong_second_backward_is_named_with_its_line_though_the_first_is_right():
    target = cube_in_torch(lambda h, grad, x: h * grad * 3 * x)

    assert gradcheck.check(*target).ok

    report = gradcheck.check(*target, order=2)

    assert report.parts["backward"].verdict == report.verdict == "FAIL"
    first = report.explanations[0]
    assert (first.code, first.tensors) == ("factor_two", ("backward.x",))
    assert "6" in first.fix


def test_what_is_held_in_a_pullback_of_jax_is_found():
    assert gradcheck.check(*cube_in_jax(lambda x: x), order=2).ok

    report = gradcheck.check(*cube_in_jax(jax.lax.stop_gradient), order=2)

    assert report.parts["backward"].tensors["x"].verdict == "FAIL"
    assert report.parts["backward"].tensors["grad_output"].verdict == "PASS"


def test_modules_functions_and_complex_tensors_pass():
    import equinox
    import jax

    x = torch.as_tensor(X)
    layers = torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2)
    module = torch.nn.Sequential(*layers).double()
    dense = equinox.nn.MLP(4, 2, 5, 1, activation=jax.numpy.tanh, key=jax.random.key(0))

    assert gradcheck.check(module, x, order=2).ok
    assert gradcheck.check(lambda x, y: torch.sin(x) * y, x, x + 1, order=2).ok
    assert gradcheck.check(lambda z: z**3, x + 1j * x.flip(0), order=2).ok
    assert gradcheck.check(dense, jax.numpy.ones(4), order=2).ok


def test_order_of_numpy_code_is_refused_with_what_to_pass():
    with pytest.raises(gradcheck.TargetError, match=r"\(f, gradient, Hessian\)"):
        gradcheck.check((lambda x: np.sum(x**2), lambda x: 2 * x), np.ones(3), order=2)
