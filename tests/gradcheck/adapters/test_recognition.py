"""Code in signatures and by names that nobody listed: the numbers say what is meant."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from scipy import sparse

import gradcheck

RNG = np.random.default_rng(4)
A, B = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3))
NAMES = ("aa", "bb", "cc")


def signature(order, body):
    """Return a function of arguments that say nothing, given to ``body`` in another order."""
    names = ", ".join(NAMES[: len(order)])
    given = ", ".join(NAMES[i] for i in order)
    scope = {"body": body}
    exec(f"def f({names}): return body({given})", scope)
    return scope["f"]


def softplus(x):
    return np.logaddexp(0, x)


def logistic(x):
    return 1 / (1 + np.exp(-x))


def errors(p, q):
    return np.sqrt(1 + (p - q) ** 2)


def slope_of_errors(p, q):
    return (p - q) / np.sqrt(1 + (p - q) ** 2)


FORMS = {
    "cotangent and input": (softplus, lambda v, x: v * logistic(x), [A]),
    "input alone": (softplus, lambda x: logistic(x), [A]),
    "output alone": (softplus, lambda y: 1 - np.exp(-y), [A]),
    "cotangent and output": (softplus, lambda v, y: v * (1 - np.exp(-y)), [A]),
    "entries of a loss": (errors, slope_of_errors, [A, B]),
    "mean of a loss": (
        lambda p, q: errors(p, q).sum(axis=1),
        lambda p, q: slope_of_errors(p, q) / len(p),
        [A, B],
    ),
    "a single number in an array": (
        lambda p, q: errors(p, q).sum(keepdims=True),
        slope_of_errors,
        [A, B],
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrong", [False, True], ids=["right", "wrong"])
def test_a_pair_is_read_in_every_order_of_its_arguments(form, wrong):
    forward, backward, inputs = FORMS[form]
    body = (lambda *given: 1.75 * backward(*given)) if wrong else backward
    symmetric = form in ("entries of a loss", "mean of a loss", "a single number in an array")

    for order in itertools.permutations(range(backward.__code__.co_argcount)):
        if symmetric and order != (0, 1):
            continue  # the gradient of the other argument: as right, up to its sign
        # what is explained has been read before: that it is asked once shows that it goes on
        is_explained = wrong and order == tuple(range(len(order)))
        report = gradcheck.check((forward, signature(order, body)), *inputs, explain=is_explained)
        assert report.ok is not wrong, str(report)
        if is_explained:
            assert report.explanations[0].code == "constant_factor", str(report)


def rosenbrock_residuals(p):
    return np.array([10 * (p[1] - p[0] ** 2), 1 - p[0], p[2] * p[1]])


def rosenbrock_jacobian(p):
    return np.array([[-20 * p[0], 10, 0], [-1, 0, 0], [0, p[2], p[1]]])


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csc_matrix])
def test_a_jacobian_is_one_dense_or_sparse(kind):
    point = np.array([0.3, -0.7, 1.1])
    wrong = rosenbrock_jacobian(point)
    wrong[2, 2] *= 2

    right = gradcheck.check((rosenbrock_residuals, lambda p: kind(rosenbrock_jacobian(p))), point)
    found = gradcheck.check((rosenbrock_residuals, lambda p: kind(wrong)), point, explain=False)

    assert right.ok, str(right)
    assert [entry.index for entry in found.tensors["p"].worst] == [(2,)]


def test_a_rectangular_jacobian_and_the_scores_of_observations():
    def observed(weights):
        return np.tanh(A @ weights)

    def scores(weights):
        return A * (1 - np.tanh(A @ weights) ** 2)[:, None]

    assert gradcheck.check((observed, scores), B[0]).ok
    assert not gradcheck.check((observed, lambda w: -scores(w)), B[0], explain=False).ok


def test_a_derivative_in_forward_mode_is_checked_as_one_where_a_name_says_so():
    matrix = RNG.normal(size=(2, 3))

    def forward(x):
        return np.sin(matrix @ x)

    def jvp(x, tangent):
        return np.cos(matrix @ x) * (matrix @ tangent)

    def wrong_jvp(x, tangent):
        return -np.cos(matrix @ x) * (matrix @ tangent)

    assert gradcheck.check((forward, jvp), B[0]).ok
    assert not gradcheck.check((forward, wrong_jvp), B[0], explain=False).ok


def test_a_backward_that_lacks_a_transpose_is_no_forward_mode():
    square = RNG.normal(size=(3, 3))
    report = gradcheck.check((lambda x: square @ x, lambda d, x: square @ d), B[0])

    assert report.explanations[0].code == "transposed"


def named(forward, backward, body, back):
    """Return an object that has a forward and a backward by these names."""
    return type("Thing", (), {forward: body, backward: back})()


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        ("forward_propagate", "back_propagate"),
        ("evaluate", "evaluate_derivative"),
        ("transfer", "transfer_prime"),
        ("feedForward", "calcGrads"),
        ("direct", "prime"),
        ("go", "pullback_of_go"),
    ],
)
def test_methods_are_found_by_the_words_of_their_names(forward, backward):
    def body(self, x):
        self.seen = x
        return softplus(x)

    def back(self, delta):
        return delta * logistic(self.seen)

    def halved(self, delta):
        return delta * logistic(self.seen) / 2

    assert gradcheck.check(named(forward, backward, body, back), A).ok
    assert not gradcheck.check(named(forward, backward, body, halved), A, explain=False).ok


def test_a_forward_that_remembers_only_when_told_is_told():
    class Square:
        def forward(self, x, verbose=False, keep=False):
            if keep:
                self.kept = x
            return x**2

        def backward(self, delta):
            return 2 * delta * self.kept

    assert gradcheck.check(Square(), A).ok


@pytest.mark.parametrize("empty", [{}, [], ()], ids=["dict", "list", "tuple"])
def test_gradients_of_no_parameters_come_in_an_empty_container(empty):
    class Cube:
        def forward(self, x):
            self.x = x
            return x**3

        def backward(self, delta):
            return 3 * delta * self.x**2, empty

    assert gradcheck.check(Cube(), A).ok


def test_gradients_of_the_parameters_of_parts_go_by_the_names_they_have_there():
    class Scale:
        def __init__(self):
            self.w = np.array([1.0, 2.0, 3.0])

    class Whole:
        def __init__(self):
            self.scale = Scale()

        def forward(self, x):
            self.x = x
            return x * self.scale.w

        def backward(self, delta):
            return delta * self.scale.w, {"w": (delta * self.x).sum(axis=0)}

    report = gradcheck.check(Whole(), A)

    assert report.ok, str(report)
    assert "scale.w" in report.tensors


def test_a_single_gradient_of_two_inputs_alike_is_that_of_the_one_it_fits():
    report = gradcheck.check((lambda u, w: np.sum(u**2 * w), lambda u, w: u**2), A, B)

    assert report.ok
    assert set(report.tensors) == {"w"}
    assert any("that of w" in note for note in report.notes)


def test_a_wrapped_gradient_takes_whatever_it_is_given():
    def logged(function):
        def call(*args, **kwargs):
            return function(*args, **kwargs)

        return call

    assert gradcheck.check((lambda x: np.sum(x**2), logged(lambda x: 2 * x)), A).ok
    assert not gradcheck.check((lambda x: np.sum(x**2), logged(lambda x: x)), A, explain=False).ok


def test_a_method_that_returns_gradients_alone_is_refused_in_its_own_name():
    class Net:
        def backprop(self, x, y):
            return [x, y], [x]

    with pytest.raises(gradcheck.TargetError, match=r"backprop returned 2 values.*gradients"):
        gradcheck.check(Net().backprop, A, B)


class Table:
    """As much of a data frame as a function may ask for."""

    def __init__(self, array, index, columns):
        self.array, self.index, self.columns = np.asarray(array), index, columns

    def to_numpy(self):
        return self.array

    def __getitem__(self, column):
        return self.array[:, self.columns.index(column)]


def test_functions_see_the_tables_they_were_given():
    table = Table(A[:, :2], list(range(5)), ["age", "dose"])

    def loss(w, data):
        return float(np.sum((data["age"] * w[0] + data["dose"] * w[1]) ** 2))

    def gradient(w, data):
        error = data["age"] * w[0] + data["dose"] * w[1]
        return 2 * np.array([error @ data["age"], error @ data["dose"]])

    report = gradcheck.check((loss, gradient), np.array([0.2, -0.4]), table)

    assert report.tensors["w"].verdict is gradcheck.Verdict.PASS


def test_a_network_that_begins_at_its_targets_is_called_in_one_way(capsys):
    class Net:
        def __init__(self):
            self.W = B.copy()

        def forward(self, X):
            return X @ self.W.T

        def backward(self, X, y):
            sys.stdout.write("called\n")  # which a check cannot put back
            raise RuntimeError("no gradient today")

        def compute_loss(self, output, y):
            return np.mean((output - y) ** 2)

    with pytest.raises(RuntimeError, match="no gradient today"):
        gradcheck.check(Net(), A, np.ones((5, 5)))
    assert capsys.readouterr().out == "called\n"


class Errors:
    """Called, it returns the mean; the gradient is that of what its other method returns."""

    def __call__(self, p, q):
        return self.each(p, q).mean()

    def loss(self, p, q):
        return errors(p, q)

    def gradient(self, p, q):
        return slope_of_errors(p, q)

    each = loss


def test_of_several_forwards_the_one_is_taken_that_the_gradient_belongs_to():
    report = gradcheck.check(Errors(), A[:, 0], A[:, 1])

    assert report.ok, str(report)


@pytest.mark.parametrize(
    "wrong",
    [lambda e: e * (1 + e), lambda e: e - (1 + e), lambda e: 1 / e, lambda e: e / (3 + e)],
)
def test_a_wrong_gradient_is_not_read_in_another_way_by_chance(wrong):
    class Link:
        def value(self, f):
            return np.log1p(np.exp(f))

        def value_derivative(self, f):
            return wrong(np.exp(f))

    report = gradcheck.check(Link(), np.random.default_rng(3).normal(size=8))

    assert report.verdict is gradcheck.Verdict.FAIL
    assert "the output" not in str(report.notes), report


class Shrinking:
    """Its derivative is told from the output, which no name says, and is wrong."""

    def forward(self, z):
        return np.where(np.abs(z) < 0.6, 0.0, z)

    def backward(self, z):
        return (z != 3) * 1.0


def test_of_readings_that_no_number_tells_apart_the_one_is_told_that_a_change_makes_right():
    report = gradcheck.check(Shrinking(), A)

    assert report.verdict is gradcheck.Verdict.FAIL
    assert report.explanations[0].edits[0].after == "return (z != 0) * 1.0"
    assert any("one change makes it agree" in note for note in report.notes), report


@pytest.mark.parametrize(("inputs", "outputs"), [(3, 3), (4, 2), (400, 400), (1000, 3)])
def test_forward_mode_of_arrays_of_any_size(inputs, outputs):
    rng = np.random.default_rng(inputs)
    matrix, x = rng.normal(size=(outputs, inputs)) / inputs, rng.normal(size=inputs)

    def f(x):
        return np.sin(matrix @ x)

    def jvp(x, tangent):
        return np.cos(matrix @ x) * (matrix @ tangent)

    def halved(tangent, x):
        return np.cos(matrix @ x) * (matrix @ tangent) / 2

    assert gradcheck.check((f, jvp), x).ok
    report = gradcheck.check((f, halved), x)
    assert report.verdict == "FAIL"
    assert report.explanations[0].code == "factor_two"


class Sine:
    def __init__(self, matrix, factor):
        self.matrix, self.factor = matrix, factor

    def forward(self, x):
        return np.sin(self.matrix @ x)

    def backward(self, x, grad):
        return self.matrix.T @ (np.cos(self.matrix @ x) * grad)

    def jvp(self, x, tangent):
        return self.factor * np.cos(self.matrix @ x) * (self.matrix @ tangent)


@pytest.mark.parametrize("as_triple", [False, True])
def test_a_jvp_beside_a_backward_is_judged_by_itself(as_triple):
    def target(factor):
        sine = Sine(RNG.normal(size=(2, 3)), factor)
        return (sine.forward, sine.backward, sine.jvp) if as_triple else sine

    right, wrong = gradcheck.check(target(1), B[0]), gradcheck.check(target(2), B[0])

    assert right.ok
    assert right.parts["jvp"].ok
    assert wrong.verdict == wrong.parts["jvp"].verdict == "FAIL"
    assert wrong.tensors["x"].verdict == "PASS"
