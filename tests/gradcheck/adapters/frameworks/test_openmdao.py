"""Objects written like OpenMDAO's components, without OpenMDAO."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import gradcheck
from gradcheck import TargetError, Verdict

POINT = {"x": np.array([1.0, 2.0, 3.0]), "z": np.array([0.5])}


class Polar:
    """Two outputs of two inputs."""

    def compute(self, inputs, outputs):
        outputs["y"] = inputs["x"] ** 2 * inputs["z"]
        outputs["w"] = np.sin(inputs["z"]) + inputs["x"].sum()

    def compute_partials(self, inputs, partials):
        partials["y", "x"] = np.diag(2 * inputs["x"] * inputs["z"])
        partials["y", "z"] = inputs["x"] ** 2
        partials["w", "x"] = np.ones((1, 3))
        partials["w", "z"] = np.cos(inputs["z"])


class Flipped(Polar):
    def compute_partials(self, inputs, partials):
        super().compute_partials(inputs, partials)
        partials["w", "z"] = -np.cos(inputs["z"])


class Missing(Polar):
    def compute_partials(self, inputs, partials):
        partials["y", "x"] = sparse.diags(2 * inputs["x"] * inputs["z"])
        partials["y", "z"] = inputs["x"] ** 2
        partials["w", "z"] = np.cos(inputs["z"])


def verdicts(report):
    return {name: tensor.verdict for name, tensor in report.tensors.items()}


def named(report):
    return [(explanation.code, explanation.tensors) for explanation in report.explanations]


def test_every_pair_of_a_right_component_is_judged_by_itself():
    report = gradcheck.check(Polar(), POINT)

    assert report.ok, str(report)
    assert set(report.tensors) == {"y wrt x", "y wrt z", "w wrt x", "w wrt z"}


def test_wrong_partial_is_named_and_the_others_are_right():
    report = gradcheck.check(Flipped(), POINT)

    assert named(report) == [("sign_flipped", ("w wrt z",))]
    assert [name for name, v in verdicts(report).items() if v is not Verdict.PASS] == ["w wrt z"]


def test_partial_that_is_not_given_counts_as_zero_and_is_said_to_be_missing():
    report = gradcheck.check(Missing(), POINT)

    assert named(report) == [("zero_gradient", ("w wrt x",))]
    assert "not given, and so taken for zero: w wrt x" in report.notes


def test_output_that_does_not_depend_on_an_input_owes_no_partial():
    class Apart(Polar):
        def compute(self, inputs, outputs):
            outputs["y"] = inputs["x"] ** 2
            outputs["w"] = np.sin(inputs["z"])

        def compute_partials(self, inputs, partials):
            partials["y", "x"] = np.diag(2 * inputs["x"])
            partials["y", "z"] = np.zeros((3, 1))
            partials["w", "z"] = np.cos(inputs["z"])

    report = gradcheck.check(Apart(), POINT)

    assert report.ok, str(report)
    assert set(report.tensors) == {"y wrt x", "w wrt z"}


def test_what_a_component_remembers_from_computing_is_that_of_its_own_inputs():
    class Remembers(Polar):
        def compute(self, inputs, outputs):
            super().compute(inputs, outputs)
            self.cosine = np.cos(inputs["z"])

        def compute_partials(self, inputs, partials):
            super().compute_partials(inputs, partials)
            partials["w", "z"] = self.cosine

    class Stale(Remembers):
        cosine = None

        def compute(self, inputs, outputs):
            Polar.compute(self, inputs, outputs)
            if self.cosine is None:
                self.cosine = np.cos(inputs["z"])

    assert gradcheck.check(Remembers(), POINT).ok
    stale = Stale()
    stale.cosine = np.cos(0.9)
    assert gradcheck.check(stale, POINT).tensors["w wrt z"].verdict is Verdict.FAIL


class Product:
    """Without matrices."""

    adjoint = 1.0

    def compute(self, inputs, outputs):
        outputs["c"] = inputs["a"] @ inputs["b"]

    def compute_jacvec_product(self, inputs, d_inputs, d_outputs, mode):
        assert mode == "rev"
        d_inputs["a"] += np.outer(d_outputs["c"], inputs["b"])
        d_inputs["b"] += self.adjoint * inputs["a"].T @ d_outputs["c"]


def test_products_are_judged_as_matrices_are():
    rng = np.random.default_rng(0)
    point = {"a": rng.normal(size=(2, 3)), "b": rng.normal(size=3)}
    wrong = Product()
    wrong.adjoint = 2.0

    assert gradcheck.check(Product(), point).ok
    assert named(gradcheck.check(wrong, point)) == [("factor_two", ("c wrt b",))]


class Quadratic:
    """Implicit: a residual of inputs and of its own output."""

    sign = 1

    def apply_nonlinear(self, inputs, outputs, residuals):
        residuals["x"] = inputs["a"] * outputs["x"] ** 2 + inputs["b"] * outputs["x"]

    def linearize(self, inputs, outputs, partials):
        partials["x", "a"] = outputs["x"] ** 2
        partials["x", "b"] = outputs["x"]
        partials["x", "x"] = self.sign * (2 * inputs["a"] * outputs["x"] + inputs["b"])


def test_implicit_component_is_judged_by_its_residuals():
    inputs, outputs = {"a": 1.5, "b": -0.5}, {"x": 2.0}
    wrong = Quadratic()
    wrong.sign = -1

    assert gradcheck.check(Quadratic(), inputs, outputs).ok
    assert named(gradcheck.check(wrong, inputs, outputs)) == [("sign_flipped", ("x wrt x",))]


class WrongShape(Polar):
    def compute_partials(self, inputs, partials):
        partials["y", "x"] = 2 * inputs["x"] * inputs["z"]


class WrongName(Polar):
    def compute_partials(self, inputs, partials):
        partials["y", "q"] = np.ones((3, 1))


@pytest.mark.parametrize(
    ("thing", "given", "message"),
    [
        (Polar(), (), "give the inputs by name"),
        (Polar(), (np.ones(3),), "give one dict"),
        (Quadratic(), ({"a": 1.0, "b": 1.0},), "outputs of an implicit component"),
        (WrongShape(), (POINT,), r"y wrt x has shape \(3,\); expected \(3, 3\)"),
        (WrongName(), (POINT,), r"\('y', 'q'\) is set; expected pairs"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_the_reason(thing, given, message):
    with pytest.raises(TargetError, match=message):
        gradcheck.check(thing, *given)
