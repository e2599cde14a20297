"""Complex tensors of PyTorch and JAX, in the convention of each."""

import numpy as np
import pytest

import gradcheck

REASON = "the extra `integrations` is not installed"
torch = pytest.importorskip("torch", reason=REASON)
jax = pytest.importorskip("jax", reason=REASON)
jnp = jax.numpy
pytestmark = pytest.mark.integration

RNG = np.random.default_rng(0)
Z = RNG.standard_normal(4) + 1j * RNG.standard_normal(4)


def square_in_torch(conjugate):
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z * z

        @staticmethod
        def backward(ctx, grad):
            (z,) = ctx.saved_tensors
            return grad * 2 * z.conj() if conjugate else grad * 2 * z

    return Square, torch.as_tensor(Z)


def square_in_jax(conjugate):
    @jax.custom_vjp
    def square(z):
        return z**2

    def backward(z, grad):
        return (grad * 2 * (z.conj() if conjugate else z),)

    square.defvjp(lambda z: (z**2, z), backward)
    return square, jnp.asarray(Z.astype(np.complex64))


@pytest.mark.parametrize(("make", "right"), [(square_in_torch, True), (square_in_jax, False)])
def test_a_conjugate_is_owed_in_pytorch_and_a_fault_in_jax(make, right):
    assert gradcheck.check(*make(right)).ok

    wrong = gradcheck.check(*make(not right))

    assert wrong.verdict == "FAIL"
    assert wrong.explanations[0].code == "conjugate_missing"


def test_line_of_a_missing_conjugate_is_told_for_pytorch():
    report = gradcheck.check(*square_in_torch(False))

    assert "z.conj()" in report.explanations[0].fix


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_module_with_complex_parameters_passes(dtype):
    module = torch.nn.Linear(4, 3, dtype=getattr(torch, dtype))

    assert gradcheck.check(module, torch.as_tensor(Z).to(getattr(torch, dtype)).repeat(5, 1)).ok


def test_real_to_complex_and_back():
    import jax.numpy as jnp

    x = RNG.standard_normal(6)

    assert gradcheck.check(torch.fft.rfft, torch.as_tensor(x)).ok
    assert gradcheck.check(lambda x: jnp.abs(jnp.fft.rfft(x)), jnp.asarray(x, jnp.float32)).ok
