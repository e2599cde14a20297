"""Complex arrays: both parts judged, conventions told, a missing conjugate named with its line."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradcheck
from gradcheck.adapters.complex_convention import Convention


def random(*shape, seed=0, dtype=np.complex128):
    rng = np.random.default_rng([seed, *shape])
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)


# Holomorphic functions of one number, and their derivatives.
HOLOMORPHIC = {
    "square": (lambda z: z**2, lambda z: 2 * z),
    "exp": (np.exp, np.exp),
    "sin": (np.sin, np.cos),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "inverse": (lambda z: 1 / (z + 3), lambda z: -1 / (z + 3) ** 2),
}

# Real functions of complex arrays, and their gradients dL/dx + i dL/dy.
REAL = {
    "squares": (lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * z),
    "modulus": (lambda z: np.sum(np.abs(z)), lambda z: z / np.abs(z)),
    "real part": (lambda z: np.sum((z**2).real), lambda z: 2 * z.conj()),
    "phase": (lambda z: np.sum(np.angle(z)), lambda z: 1j * z / np.abs(z) ** 2),
}


@pytest.mark.parametrize("name", HOLOMORPHIC)
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1))
def test_pullback_of_a_holomorphic_function_is_the_conjugate_of_its_derivative(name, seed):
    f, derivative = HOLOMORPHIC[name]
    z = random(4, seed=seed)

    report = gradcheck.check((f, lambda v, z: v * np.conj(derivative(z))), z)

    assert report.ok, str(report)
    assert [name.partition(".")[2] for name in report.tensors] == ["real", "imag"]
    assert report.contract["holomorphic"].holds
    assert not any("complex arrays are read" in note for note in report.notes)


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_derivative_itself_is_read_as_one(name):
    f, derivative = HOLOMORPHIC[name]

    assert gradcheck.check((f, derivative), random(4)).ok


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_convention_without_conjugates_passes_and_is_told(name):
    f, derivative = HOLOMORPHIC[name]

    report = gradcheck.check((f, lambda v, z: v * derivative(z)), random(4))

    assert report.ok, str(report)
    assert any(Convention.CONJUGATE.value in note for note in report.notes)


@pytest.mark.parametrize("convention", Convention)
@pytest.mark.parametrize("name", REAL)
def test_gradient_of_a_real_number_passes_in_every_convention(name, convention):
    f, gradient = REAL[name]
    to_it = {
        Convention.GRADIENT: lambda g: g,
        Convention.CONJUGATE: np.conj,
        Convention.BY_CONJUGATE: lambda g: g / 2,
        Convention.BY_VARIABLE: lambda g: g.conj() / 2,
    }[convention]

    report = gradcheck.check((f, lambda z: to_it(gradient(z))), random(5))

    assert report.ok, str(report)
    told = [note for note in report.notes if "complex arrays are read" in note]
    assert len(told) == (convention is not Convention.GRADIENT)
    assert all(convention.value in note for note in told)


@pytest.mark.parametrize("name", REAL)
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), factor=st.sampled_from([-1, 3, 1j, -1j, 0.25]))
def test_gradient_that_is_right_in_no_convention_fails(name, seed, factor):
    f, gradient = REAL[name]

    report = gradcheck.check(
        (f, lambda z: factor * gradient(z)), random(5, seed=seed), explain=False
    )

    assert report.verdict == "FAIL"


class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return np.tanh(x @ self.W + self.b)

    def backward(self, grad):
        grad = grad * np.conj(1 - np.tanh(self.x @ self.W + self.b) ** 2)
        self.dW = self.x.conj().T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.conj().T


class DenseWithoutOneConjugate(Dense):
    def backward(self, grad):
        grad = grad * np.conj(1 - np.tanh(self.x @ self.W + self.b) ** 2)
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.conj().T


class DenseWithOneTooMany(Dense):
    def backward(self, grad):
        grad = grad * np.conj(1 - np.tanh(self.x @ self.W + self.b) ** 2)
        self.dW = self.x.conj().T @ grad
        self.db = grad.conj().sum(axis=0)
        return grad @ self.W.conj().T


@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
def test_layer_with_complex_parameters_passes(dtype):
    layer = Dense(random(4, 3, dtype=dtype), random(3, dtype=dtype))

    report = gradcheck.check(layer, random(5, 4, dtype=dtype))

    assert report.ok, str(report)
    assert set(report.tensors) == {
        f"{name}.{part}" for name in ("x", "W", "b") for part in ("real", "imag")
    }


@pytest.mark.parametrize(
    ("layer", "tensor", "change"),
    [
        (DenseWithoutOneConjugate, "W", "self.x.T.conj() @ grad"),
        (DenseWithOneTooMany, "b", "self.db = grad.sum(axis=0)"),
    ],
)
def test_missing_or_superfluous_conjugate_is_named_with_its_line(layer, tensor, change):
    report = gradcheck.check(layer(random(4, 3), random(3)), random(5, 4))

    first = report.explanations[0]
    assert first.code == "conjugate_missing"
    assert set(first.tensors) <= {f"{tensor}.real", f"{tensor}.imag"}
    assert change in first.fix


@settings(max_examples=3)
@given(seed=st.integers(0, 2**32 - 1), axes=st.sampled_from([(3, 4), (4, 4), (1, 5)]))
def test_transpose_in_place_of_the_adjoint_is_found_beside_a_right_gradient(seed, axes):
    def forward(A, z):
        return A @ z

    def backward(v, A, z):
        return np.outer(v, z.conj()), A.T @ v

    report = gradcheck.check((forward, backward), random(*axes, seed=seed), random(axes[1]))

    assert report.verdict == "FAIL"
    assert {t.partition(".")[0] for t, r in report.tensors.items() if r.verdict == "FAIL"} in (
        {"z"},
        {"A"},  # in the other convention it is the other one that is right
    )
    assert report.explanations[0].code == "conjugate_missing"


def test_real_input_with_complex_output_passes():
    def backward(v):
        return np.fft.ifft(np.concatenate([v, np.zeros(5 - len(v))])).real * 5

    report = gradcheck.check((np.fft.rfft, backward), np.random.default_rng(0).normal(size=5))

    assert report.ok, str(report)
    assert report.contract.get("holomorphic") is None


def test_complex_jacobian_and_forward_mode_pass():
    A = random(6, 4)

    def jacobian(z):
        return A * np.exp(z)

    def jvp(z, tangent):
        return A @ (np.exp(z) * tangent)

    for claim in (jacobian, jvp):
        report = gradcheck.check((lambda z: A @ np.exp(z), claim), random(4))
        assert report.ok, str(report)


def test_containers_of_complex_arrays_pass():
    def loss(params, x):
        return np.sum(np.abs(x @ params["W"]) ** 2)

    def gradient(params, x):
        y = x @ params["W"]
        return {"W": 2 * x.conj().T @ y}, 2 * y @ params["W"].conj().T

    assert gradcheck.check((loss, gradient), {"W": random(4, 3)}, random(5, 4)).ok


def test_target_takes_complex_tensors():
    square = gradcheck.Target(
        "square",
        {"z": random(3)},
        forward=lambda tensors: tensors["z"] ** 2,
        vjp=lambda tensors, v: {"z": v * np.conj(2 * tensors["z"])},
    )

    report = gradcheck.check(square)

    assert report.ok, str(report)


def test_function_of_the_conjugate_is_not_holomorphic():
    report = gradcheck.check((lambda z: z.conj() * 2, lambda v: 2 * v.conj()), random(4))

    assert report.ok, str(report)
    assert report.contract["holomorphic"].holds is False
    assert not report.contract["holomorphic"].required


def test_complex_gradient_of_a_real_tensor_is_refused_with_what_to_return():
    with pytest.raises(gradcheck.TargetError, match=r"the gradient of x.*gradient\.real"):
        gradcheck.check((lambda x: np.sum(x**2), lambda x: 2 * x + 0j), np.arange(1.0, 4.0))
