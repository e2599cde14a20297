"""Linear operators: their adjoints, whether they are linear, and products with several columns."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import gradcheck
from gradcheck import TargetError, Verdict

RNG = np.random.default_rng(0)
A = RNG.normal(size=(5, 7))
C = A + 1j * RNG.normal(size=(5, 7))


def operator(matvec, rmatvec, matrix=A, **others):
    return LinearOperator(
        matrix.shape, matvec=matvec, rmatvec=rmatvec, dtype=matrix.dtype, **others
    )


def codes(report):
    return [explanation.code for explanation in report.explanations]


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.complex64, np.int64])
def test_right_operator_of_any_dtype_passes_without_an_input(dtype):
    matrix = (4 * C if np.dtype(dtype).kind == "c" else 4 * A).astype(dtype)

    report = gradcheck.check(aslinearoperator(matrix))

    assert report.ok, str(report)
    assert report.contract["linear"].holds
    assert list(report.tensors) == (["x.real", "x.imag"] if matrix.dtype.kind == "c" else ["x"])


def test_wrong_adjoint_is_found_and_named():
    report = gradcheck.check(operator(lambda x: A @ x, lambda v: -(A.T @ v)))

    assert report.verdict is Verdict.FAIL
    assert codes(report) == ["sign_flipped"]


@pytest.mark.parametrize(
    "rmatvec",
    [
        lambda v: C.T @ v,  # nothing is conjugated
        lambda v: C.conj().T @ v.conj(),  # the cotangent is, and should not be
        lambda v: (C.conj().T @ v).conj(),  # what is returned is
    ],
)
def test_adjoint_without_the_conjugate_is_named(rmatvec):
    report = gradcheck.check(operator(lambda x: C @ x, rmatvec, C))

    assert codes(report)[0] == "conjugate_missing"


def test_adjoint_of_real_numbers_for_complex_ones_is_checked_where_they_are_given():
    report = gradcheck.check(operator(lambda x: A @ x, lambda v: A.T @ v), np.ones(7) + 1j)

    assert report.ok, str(report)
    assert list(report.tensors) == ["x.real", "x.imag"]


def test_map_that_is_linear_over_the_reals_alone_is_not_over_the_complex_numbers():
    conjugated = operator(lambda x: C @ x.conj(), lambda v: C.T @ v.conj(), C)

    report = gradcheck.check(conjugated)

    assert report.tensors["x.real"].verdict is Verdict.PASS
    assert report.tensors["x.imag"].verdict is Verdict.PASS
    assert codes(report) == ["not_linear"]
    conjugated.clinear = False  # as pylops says it
    assert gradcheck.check(conjugated).ok


@pytest.mark.parametrize("size", [1.0, 1e-12])
def test_constant_of_any_size_makes_it_affine(size):
    report = gradcheck.check(operator(lambda x: A @ x + size, lambda v: A.T @ v))

    assert codes(report) == ["not_linear"]
    assert "A(0)" in report.contract["linear"].measurement


@pytest.mark.parametrize(
    "bend", [lambda y: y + 1e-6 * y**3, np.abs, lambda y: np.where(y > 0, y, 0.999 * y)]
)
def test_bend_is_no_linear_map(bend):
    report = gradcheck.check(operator(lambda x: bend(A @ x), lambda v: A.T @ v), explain=False)

    assert report.contract["linear"].holds is False


@pytest.mark.parametrize("size", [4, 12])
def test_solver_of_an_ill_conditioned_system_is_linear_but_for_its_noise(size):
    hilbert = scipy.linalg.hilbert(size)
    factors = scipy.linalg.lu_factor(hilbert)

    report = gradcheck.check(
        operator(
            lambda x: scipy.linalg.lu_solve(factors, x),
            lambda v: scipy.linalg.lu_solve(factors, v, trans=1),
            hilbert,
        )
    )

    assert report.ok, str(report)


def test_sums_of_many_terms_in_low_precision_are_linear():
    rows = np.random.default_rng(1).uniform(size=(3, 4000)).astype(np.float32)

    def in_a_row(x):  # the least accurate order of a sum
        return np.array([np.cumsum(row * x)[-1] for row in rows])

    report = gradcheck.check(operator(in_a_row, lambda v: rows.T @ v, rows), contract=True)

    assert report.contract["linear"].holds, report.contract["linear"].measurement


def test_product_with_several_columns_is_compared_with_one_by_one():
    weights = np.arange(1.0, 3.0)
    matrix = A[:2]

    def with_products(matmat):
        return operator(
            lambda x: weights * (matrix @ x), lambda v: matrix.T @ (weights * v), matrix,
            matmat=matmat,
        )  # fmt: skip

    wrong = gradcheck.check(with_products(lambda X: weights * (matrix @ X)))
    right = gradcheck.check(with_products(lambda X: weights[:, None] * (matrix @ X)))

    assert codes(wrong) == ["matmat_differs"]
    assert right.contract["matmat"].holds
    assert "matmat" not in gradcheck.check(operator(lambda x: A @ x, lambda v: A.T @ v)).contract


class Differences:
    """No subclass of anything."""

    shape = (5, 6)

    def matvec(self, x):
        return np.diff(x)

    def rmatvec(self, v):
        return -np.diff(v, prepend=0, append=0)


def test_object_with_matvec_and_rmatvec_is_an_operator():
    assert gradcheck.check(Differences()).ok
    wrong = Differences()
    wrong.rmatvec = lambda v: np.diff(v, prepend=0, append=0)
    assert codes(gradcheck.check(wrong)) == ["sign_flipped"]


def test_pair_by_these_names_is_an_operator_too():
    def matvec(x):
        return A @ x + 1

    def rmatvec(v):
        return A.T @ v

    assert codes(gradcheck.check((matvec, rmatvec), np.ones(7))) == ["not_linear"]


@pytest.mark.parametrize(
    ("thing", "given", "message"),
    [
        (LinearOperator(A.shape, matvec=lambda x: A @ x, dtype=float), (), "no adjoint"),
        (aslinearoperator(A), (np.ones(3),), r"shape \(5, 7\) .* shape \(3,\) was given"),
        (aslinearoperator(A), (np.ones(7), np.ones(7), np.ones(7)), "takes one vector, but 3"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_the_reason(thing, given, message):
    with pytest.raises(TargetError, match=message):
        gradcheck.check(thing, *given)
