"""JAX code is checked as it is."""

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

jax = pytest.importorskip("jax", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration

X = np.random.default_rng(0).normal(size=(5, 4))


@pytest.fixture(autouse=True)
def _in_float64():
    jax.config.update("jax_enable_x64", True)


def cube(factor):
    @jax.custom_vjp
    def function(x):
        return x**3

    function.defvjp(lambda x: (x**3, x), lambda x, g: (factor * x**2 * g,))
    return function


def test_custom_vjp_is_checked_right_and_wrong():
    right = gradcheck.check(cube(3.0), X)
    wrong = gradcheck.check(cube(6.0), X)

    assert right.ok, str(right)
    assert wrong.verdict is Verdict.FAIL
    assert wrong.explanations[0].code == "factor_two"


def test_a_plain_function_of_jax_arrays_is_checked():
    def loss(x, w):
        return jax.numpy.mean(jax.numpy.tanh(x @ w) ** 2)

    report = gradcheck.check(loss, jax.numpy.asarray(X), jax.numpy.ones((4, 2)))

    assert report.ok, str(report)
    assert set(report.tensors) == {"x", "w"}


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_low_precision_is_measured_in_float64(dtype):
    jax.config.update("jax_enable_x64", False)
    x = jax.numpy.asarray(X).astype(dtype)

    for function in (jax.jit(jax.numpy.tanh), cube(3.0)):
        report = gradcheck.check(function, x)
        assert report.ok, str(report)
        assert gradcheck.runner.WIDENED in report.notes
    assert gradcheck.check(cube(6.0), x, explain=False).verdict is Verdict.FAIL
