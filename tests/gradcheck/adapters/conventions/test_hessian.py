"""Hessians: every form they come in, symmetry, and what they are judged by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from gradcheck import TargetError, Verdict, as_target, check, check_jacobian

POINT = np.array([-1.2, 1.0])


def value(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def gradient(x):
    slope = x[1] - x[0] ** 2
    return np.array([-400 * x[0] * slope - 2 * (1 - x[0]), 200 * slope])


def hessian(x):
    H = np.zeros((2, 2))
    H[0, 0] = 1200 * x[0] ** 2 - 400 * x[1] + 2
    H[0, 1] = H[1, 0] = -400 * x[0]
    H[1, 1] = 200
    return H


def wrong_gradient(x):
    return gradient(x) * np.array([1.0, 2.0])


def wrong_hessian(x):
    return hessian(x) * np.array([[1.0, 1.0], [1.0, 0.5]])


def lopsided_hessian(x):
    H = hessian(x)
    H[1, 0] = -40 * x[0]
    return H


def product(x, p):
    return hessian(x) @ p


def together(x):
    return value(x), gradient(x)


FORMS = {
    "three functions": (value, gradient, hessian),
    "a list": [value, gradient, hessian],
    "hessp(x, p)": (value, gradient, product),
    "hessp of arguments without names": (value, gradient, lambda a, b: hessian(a) @ b),
    "hessp(p, x)": (value, gradient, lambda p, x: hessian(x) @ p),
    "f returning both, and hess": (together, hessian),
    "f returning both, and hessp": (together, product),
    "f returning all three": lambda x: (value(x), gradient(x), hessian(x)),
    "sparse": (value, gradient, lambda x: sparse.csr_matrix(hessian(x))),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_right_hessian_passes(form):
    report = check(FORMS[form], POINT)

    assert report.ok, str(report)
    assert {name: part.ok for name, part in report.parts.items()} == {
        "gradient": True,
        "hessian": True,
    }
    assert report.parts["hessian"].contract["symmetric"].holds


WRONG = {
    "three functions": (value, gradient, wrong_hessian),
    "hessp(x, p)": (value, gradient, lambda x, p: wrong_hessian(x) @ p),
    "hessp(p, x)": (value, gradient, lambda p, x: wrong_hessian(x) @ p),
    "f returning both, and hess": (together, wrong_hessian),
    "f returning all three": lambda x: (value(x), gradient(x), wrong_hessian(x)),
}


@pytest.mark.parametrize("form", WRONG)
def test_every_form_of_a_wrong_hessian_fails_alone(form):
    report = check(WRONG[form], POINT)

    assert report.parts["gradient"].ok
    assert report.parts["hessian"].verdict is Verdict.FAIL
    first = report.explanations[0]
    assert (first.code, first.tensors) == ("factor_two", ("hessian.x",))
    assert report.parts["hessian"].tensors["x"].jacobian.region.startswith("entry [1, 1]")


@pytest.mark.parametrize(("second", "ok"), [(hessian, True), (wrong_hessian, False)])
def test_beside_a_wrong_gradient_the_hessian_is_judged_by_the_function(second, ok):
    report = check((value, wrong_gradient, second), POINT)

    assert report.parts["gradient"].verdict is Verdict.FAIL
    assert report.parts["hessian"].ok is ok, str(report)
    assert "second derivatives" in report.parts["hessian"].notes[0]


@pytest.mark.parametrize("is_product", [False, True])
@pytest.mark.parametrize("factor", [1.0, 1.01])
def test_beside_a_wrong_gradient_a_large_hessian_is_judged_along_a_few_directions(
    is_product, factor
):
    x = np.linspace(0.2, 1.2, 40)
    scale = np.ones(40)
    scale[7] = factor

    def second(x):
        return np.diag(-np.sin(x) * scale) + 2.0

    def times(x, p):
        return second(x) @ p

    report = check(
        (
            lambda x: np.sum(np.sin(x)) + np.sum(x) ** 2,
            lambda x: np.cos(x) + 3 * np.sum(x),
            times if is_product else second,
        ),
        x,
        explain=False,
    )

    expected = Verdict.FAIL if factor != 1 else Verdict.PASS
    assert report.parts["hessian"].tensors["x"].verdict is expected, str(report)


def test_an_asymmetric_hessian_is_named_with_both_entries_and_the_wrong_one():
    report = check((value, gradient, lopsided_hessian), POINT)

    first = report.explanations[0]
    promise = report.parts["hessian"].contract["symmetric"]
    assert first.code == "not_symmetric"
    assert "H[1, 0] is 48 where H[0, 1], which is right, is 480" in first.message
    assert promise.measurement == (
        "H[0, 1] is 480 and H[1, 0] is 48; by the numbers H[1, 0] should be 480"
    )


def test_an_asymmetric_product_is_named_too():
    report = check((value, gradient, lambda x, p: lopsided_hessian(x) @ p), POINT)

    assert report.explanations[0].code == "not_symmetric"
    assert "H[1, 0] should be 480" in report.parts["hessian"].contract["symmetric"].measurement


def test_a_large_asymmetric_product_is_seen_along_two_vectors():
    x = np.linspace(0.2, 1.2, 200)

    def times(x, p):
        return -np.sin(x) * p + 0.1 * np.roll(p, 1)

    report = check((lambda x: np.sum(np.sin(x)), np.cos, times), x, explain=False)

    assert report.parts["hessian"].contract["symmetric"].holds is False


def test_by_its_name_a_hessian_is_known_beside_the_gradient_alone():
    def hess(x):
        return lopsided_hessian(x)

    report = check((gradient, hess), POINT)

    assert report.explanations[0].code == "not_symmetric"


def test_a_jacobian_that_is_no_hessian_need_not_be_symmetric():
    matrix = np.random.default_rng(0).standard_normal((4, 4))

    report = check((lambda x: matrix @ np.sin(x), lambda x: matrix * np.cos(x)), np.arange(4.0))

    assert report.ok, str(report)
    assert "symmetric" not in report.contract


def test_a_loss_with_gradients_of_several_shapes_is_no_hessian():
    def loss(x, parameters):
        W, b = parameters
        error = x @ W + b
        return np.sum(error**2) / 2, error @ W.T, [np.outer(x, error), error]

    matrix = np.arange(6.0).reshape(3, 2)

    report = check(loss, np.ones(3), [matrix, np.ones(2)])

    assert report.parts == {}
    assert report.tensors["x"].ok


def test_more_arguments_are_handed_on_and_not_differentiated():
    def f(x, a, b):
        return a * np.sum(x**4) + b * x[0] * x[1]

    def grad(x, a, b):
        return 4 * a * x**3 + b * np.array([x[1], x[0], 0.0])

    def hess(x, a, b):
        H = np.diag(12 * a * x**2)
        H[0, 1] = H[1, 0] = b
        return H

    x = np.array([1.0, 2.0, 3.0])

    matrix = check((f, grad, hess), x, 2.0, 3.0)
    vector = check((f, grad, lambda x, p, a, b: hess(x, a, b) @ p), x, 2.0, 3.0)

    assert matrix.ok, str(matrix)
    assert vector.ok, str(vector)


def test_at_a_minimum_the_gradient_is_not_taken_for_wrong():
    report = check((value, gradient, hessian), np.ones(2))

    assert report.ok, str(report)
    assert report.parts["hessian"].notes == ()


def test_methods_of_one_object_are_a_function_with_its_derivatives():
    class Model:
        def __init__(self, scale):
            self.scale = scale

        def loglike(self, params):
            return self.scale * value(params)

        def score(self, params):
            return self.scale * gradient(params)

        def hessian(self, params):
            return self.scale * hessian(params)

    model = Model(0.5)

    report = check((model.loglike, model.score, model.hessian), POINT)

    assert report.ok, str(report)


def test_as_target_makes_one_target_of_all_three():
    target = as_target((value, gradient, hessian), POINT)

    report = check(target)

    assert report.ok, str(report)
    assert [y.shape for y in target.call(target.tensors).outputs] == [(), (2,)]


@given(st.integers(2, 6), st.integers(0, 2**16), st.data())
def test_any_wrong_pair_of_entries_is_found(size, seed, data):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((size, size))
    matrix += matrix.T
    i, j = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))

    def f(x):
        return 0.5 * np.sin(x) @ matrix @ np.sin(x)

    def grad(x):
        return np.cos(x) * (matrix @ np.sin(x))

    def hess(x, error=0.7):
        H = np.outer(np.cos(x), np.cos(x)) * matrix - np.diag(np.sin(x) * (matrix @ np.sin(x)))
        H[i, j] += error
        H[j, i] = H[i, j]
        return H

    x = rng.uniform(0.2, 1.2, size)
    report = check((f, grad, hess), x, explain=False)
    right = check((f, grad, lambda x: hess(x, 0.0)), x, explain=False)

    found = report.parts["hessian"].tensors["x"].jacobian
    assert right.ok, str(right)
    assert found.rows == tuple(sorted({i, j}))
    assert found.columns == tuple(sorted({i, j}))


def test_three_functions_that_fit_nothing_are_refused_with_what_each_has_to_return():
    with pytest.raises(TargetError, match="the Hessian a square matrix"):
        check((value, gradient, lambda x: np.ones((3, 2))), POINT)


def test_a_pattern_that_is_none_is_refused_by_its_name():
    with pytest.raises(TargetError, match=r"sparsity='diag'.*shape"):
        check_jacobian(lambda x: x**2, lambda x: np.diag(2 * x), POINT, sparsity="diag")
