"""OpenMDAO's components and problems are checked as they are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import gradcheck
from gradcheck import TargetError, Verdict

om = pytest.importorskip("openmdao.api", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration


class Square(om.ExplicitComponent):
    """y = x^2 + 3 z by a pattern and a constant, w = z^2 + sum(x) with one partial by OpenMDAO."""

    sign = 1.0

    def setup(self):
        self.add_input("x", np.ones(3))
        self.add_input("z", 2.0)
        self.add_output("y", np.zeros(3))
        self.add_output("w", 0.0)

    def setup_partials(self):
        self.declare_partials("y", "x", rows=[0, 1, 2], cols=[0, 1, 2])
        self.declare_partials("y", "z", val=3.0)
        self.declare_partials("w", "z")
        self.declare_partials("w", "x", method="cs")

    def compute(self, inputs, outputs):
        outputs["y"] = inputs["x"] ** 2 + 3 * inputs["z"]
        outputs["w"] = inputs["z"] ** 2 + inputs["x"].sum()

    def compute_partials(self, inputs, partials):
        partials["y", "x"] = 2 * inputs["x"]
        partials["w", "z"] = 2 * inputs["z"] * self.sign


class Quadratic(om.ImplicitComponent):
    sign = 1.0

    def setup(self):
        for name, value in {"a": 1.0, "b": -8.0, "c": 3.0}.items():
            self.add_input(name, value)
        self.add_output("x", 5.0)
        self.declare_partials("*", "*")

    def apply_nonlinear(self, inputs, outputs, residuals):
        residuals["x"] = inputs["a"] * outputs["x"] ** 2 + inputs["b"] * outputs["x"] + inputs["c"]

    def solve_nonlinear(self, inputs, outputs):
        a, b, c = inputs["a"], inputs["b"], inputs["c"]
        outputs["x"] = (-b + np.sqrt(b**2 - 4 * a * c)) / (2 * a)

    def linearize(self, inputs, outputs, partials):
        partials["x", "a"] = outputs["x"] ** 2
        partials["x", "b"] = self.sign * outputs["x"]
        partials["x", "c"] = 1.0
        partials["x", "x"] = 2 * inputs["a"] * outputs["x"] + inputs["b"]
        self.slope = partials["x", "x"]

    def solve_linear(self, d_outputs, d_residuals, mode):
        if mode == "fwd":
            d_outputs["x"] = d_residuals["x"] / self.slope.ravel()
        else:
            d_residuals["x"] = d_outputs["x"] / self.slope.ravel()


def problem(square=1.0, quadratic=1.0):
    """Return x, z -> Square -> Quadratic -> f, the partials of both times these factors."""
    made = om.Problem(reports=False)
    source = made.model.add_subsystem("source", om.IndepVarComp())
    source.add_output("x", np.array([1.0, 2.0, 3.0]))
    source.add_output("z", 1.5)
    made.model.add_subsystem("square", Square()).sign = square
    group = made.model.add_subsystem("group", om.Group())
    group.add_subsystem("root", Quadratic()).sign = quadratic
    made.model.add_subsystem("sum", om.ExecComp("f = q**2 + sum(y)", y=np.zeros(3)))
    made.model.connect("source.x", "square.x")
    made.model.connect("source.z", "square.z")
    made.model.connect("square.w", "group.root.c")
    made.model.connect("group.root.x", "sum.q")
    made.model.connect("square.y", "sum.y")
    return made


def named(report):
    return [(explanation.code, explanation.tensors) for explanation in report.explanations]


def test_component_is_checked_without_a_problem_of_its_own():
    report = gradcheck.check(Square())

    assert report.ok, str(report)
    assert list(report.tensors) == ["y wrt x", "y wrt z", "w wrt z"]


def test_partial_that_openmdao_approximates_is_said_and_not_judged():
    (left,) = gradcheck.check(Square()).unchecked

    assert left.name == "w wrt x"
    assert "approximated by cs" in left.reason


def test_wrong_partial_is_named_at_the_inputs_given():
    wrong = Square()
    wrong.sign = -1.0

    report = gradcheck.check(wrong, {"x": np.arange(3.0), "z": 0.7})

    assert named(report) == [("sign_flipped", ("w wrt z",))]


def test_wrong_constant_is_found():
    class Constant(Square):
        def setup_partials(self):
            super().setup_partials()
            self.declare_partials("y", "z", val=1.5)

    assert named(gradcheck.check(Constant())) == [("factor_two", ("y wrt z",))]


def test_partial_that_is_not_declared_is_found():
    class Undeclared(Square):
        def setup_partials(self):
            self.declare_partials("y", "x", diagonal=True)
            self.declare_partials("w", "*", val=1.0)

    report = gradcheck.check(Undeclared())

    assert named(report) == [("zero_gradient", ("y wrt z",))]
    assert "not given, and so taken for zero: y wrt z" in report.notes


def test_pattern_that_leaves_out_an_entry_is_found_where_it_is():
    class Pattern(Square):
        def setup_partials(self):
            self.declare_partials("y", "x", rows=[0, 1], cols=[0, 1])
            self.declare_partials("y", "z", val=3.0)
            self.declare_partials("w", "*")

        def compute_partials(self, inputs, partials):
            partials["y", "x"] = 2 * inputs["x"][:2]
            partials["w", "z"] = 2 * inputs["z"]
            partials["w", "x"] = 1.0

    report = gradcheck.check(Pattern())

    assert report.tensors["y wrt x"].verdict is Verdict.FAIL
    assert [entry.index for entry in report.tensors["y wrt x"].worst] == [(2,)]


def test_sparse_matrix_as_value_is_read():
    class Sparse(Square):
        def setup_partials(self):
            self.declare_partials("y", "x", val=sparse.eye(3, format="csr"))
            self.declare_partials("y", "z", val=3.0)
            self.declare_partials("w", "z")
            self.declare_partials("w", "x", method="fd")

        def compute_partials(self, inputs, partials):
            partials["y", "x"] = sparse.diags(2 * inputs["x"]).tocsr()
            partials["w", "z"] = 2 * inputs["z"]

    assert gradcheck.check(Sparse()).ok


class Product(om.ExplicitComponent):
    forward = adjoint = 1.0

    def setup(self):
        self.add_input("a", np.arange(1.0, 7.0).reshape(2, 3))
        self.add_input("b", np.ones(3))
        self.add_output("c", np.zeros(2))

    def compute(self, inputs, outputs):
        outputs["c"] = inputs["a"] @ inputs["b"]

    def compute_jacvec_product(self, inputs, d_inputs, d_outputs, mode):
        if mode == "fwd":
            d_outputs["c"] += self.forward * d_inputs["a"] @ inputs["b"]
            d_outputs["c"] += inputs["a"] @ d_inputs["b"]
        else:
            d_inputs["a"] += np.outer(d_outputs["c"], inputs["b"])
            d_inputs["b"] += self.adjoint * inputs["a"].T @ d_outputs["c"]


def test_products_without_a_matrix_are_judged():
    wrong = Product()
    wrong.adjoint = 2.0

    assert gradcheck.check(Product()).ok
    assert named(gradcheck.check(wrong)) == [("factor_two", ("c wrt b",))]


def test_products_in_forward_mode_are_judged_beside_those_in_reverse():
    wrong = Product()
    wrong.forward = -1.0

    report = gradcheck.check(wrong)

    assert report.parts["fwd"].tensors["c wrt a"].verdict is Verdict.FAIL
    assert report.tensors["c wrt a"].verdict is Verdict.PASS
    assert named(report) == [("sign_flipped", ("fwd.c wrt a",))]


def test_component_with_forward_products_alone_is_judged_by_them():
    class Forward(Product):
        def compute_jacvec_product(self, inputs, d_inputs, d_outputs, mode):
            if mode == "fwd":
                super().compute_jacvec_product(inputs, d_inputs, d_outputs, mode)

    wrong = Forward()
    wrong.forward = -1.0

    assert gradcheck.check(Forward()).ok
    assert named(gradcheck.check(wrong)) == [("sign_flipped", ("c wrt a",))]


def test_implicit_component_is_judged_by_its_residuals():
    wrong = Quadratic()
    wrong.sign = -1.0

    assert gradcheck.check(Quadratic()).ok
    assert named(gradcheck.check(wrong)) == [("sign_flipped", ("x wrt b",))]


def test_problem_is_judged_by_its_components_and_its_totals():
    report = gradcheck.check(problem())

    assert report.ok, str(report)
    assert list(report.parts) == ["square", "group.root"]
    assert {"sum.f wrt source.x", "sum.f wrt source.z"} <= set(report.tensors)


@pytest.mark.parametrize(
    ("factors", "culprit", "total"),
    [
        ({"square": -1.0}, "square.w wrt z", "sum.f wrt source.z"),
        ({"quadratic": -1.0}, "group.root.x wrt b", "sum.f wrt group.root.b"),
    ],
)
def test_component_whose_partial_spoils_a_total_is_named(factors, culprit, total):
    report = gradcheck.check(problem(**factors))

    assert named(report) == [("sign_flipped", (culprit,))]
    assert report.tensors[total].verdict is Verdict.FAIL


def test_design_variables_and_responses_are_what_totals_are_of():
    made = problem()
    made.model.add_design_var("source.x")
    made.model.add_objective("sum.f")

    assert list(gradcheck.check(made).tensors) == ["sum.f wrt source.x"]
    assert list(gradcheck.check(problem(), {"source.z": 0.3}).tensors) == ["sum.f wrt source.z"]


def test_totals_are_of_the_entries_that_were_declared():
    made = problem(square=-1.0)
    made.model.add_design_var("source.x", indices=[0, 2])
    made.model.add_objective("sum.f")
    made.model.add_constraint("square.y", indices=[1], upper=9.0)

    report = gradcheck.check(made, explain=False)

    assert report.tensors["sum.f wrt source.x"].shape == (2,)
    assert report.tensors["sum.f wrt source.x"].verdict is Verdict.PASS
    assert "square.y wrt source.x" not in report.tensors  # y[1] depends on neither x[0] nor x[2]


def test_problem_is_left_with_its_solution():
    made = problem()
    made.setup()
    made.set_val("source.z", 0.3)
    made.run_model()
    before = made.model._outputs.asarray(copy=True)

    gradcheck.check(made)

    assert np.array_equal(made.model._outputs.asarray(), before)


def test_unknown_input_is_refused():
    with pytest.raises(TargetError, match="no variable q; expected some of x, z"):
        gradcheck.check(Square(), {"q": 1.0})
