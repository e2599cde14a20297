"""An activation's derivative at the input is told from a backward that takes the cotangent."""

import numpy as np

import gradcheck

X = np.random.default_rng(0).normal(size=(4, 3))


class Tanh:
    def __call__(self, z):
        return np.tanh(z)

    def grad(self, z):
        return 1 - np.tanh(z) ** 2


class WrongTanh(Tanh):
    def grad(self, z):
        return 2 * (1 - np.tanh(z) ** 2)


class Square:
    def forward(self, x):
        return x**2

    def backward(self, x):
        return 2 * x


class OfOutput:
    def forward(self, z):
        return 1 / (1 + np.exp(-z))

    def derivative(self, a):
        return a * (1 - a)


class OfOutputByTheNameOfTheInput(OfOutput):
    def derivative(self, z):
        return z * (1 - z)


class OfNeither(OfOutput):
    def derivative(self, z):
        return z * (2 - z)


class Doubling:
    def forward(self, x):
        return 2 * x

    def backward(self, x):
        return 2 * x


class Remembering:
    def forward(self, x):
        self.x = x
        return np.tanh(x)

    def backward(self, x):
        return x * (1 - np.tanh(self.x) ** 2)


class Leaky:
    def __init__(self):
        self.slope = 0.1

    def fn(self, x):
        return np.where(x > 0, x, self.slope * x)

    def derivative(self, x):
        return np.where(x > 0, 1.0, self.slope)


def test_derivative_at_the_input_is_multiplied_by_the_cotangent():
    for activation in (Tanh(), Square(), Leaky()):
        report = gradcheck.check(activation, X)

        assert report.ok, str(report)
        assert report.target.startswith(type(activation).__name__)


def test_derivative_in_terms_of_the_output_is_told_by_its_argument_or_its_numbers():
    assert gradcheck.check(OfOutput(), X).ok
    by_numbers = gradcheck.check(OfOutputByTheNameOfTheInput(), X)
    assert by_numbers.ok
    assert any("the output" in note for note in by_numbers.notes)
    assert not gradcheck.check(OfNeither(), X, explain=False).ok


def test_wrong_derivative_is_named():
    assert gradcheck.check(WrongTanh(), X).explanations[0].code == "factor_two"


def test_backward_of_a_linear_function_or_of_a_remembered_input_takes_the_cotangent():
    for layer in (Doubling(), Remembering()):
        report = gradcheck.check(layer, X)

        assert report.ok, str(report)


def test_layer_whose_backward_ignores_the_cotangent_is_still_found():
    class Ignoring(Tanh):
        def grad(self, delta):
            return np.ones_like(delta)

    assert "upstream_ignored" in {e.code for e in gradcheck.check(Ignoring(), X).explanations}
