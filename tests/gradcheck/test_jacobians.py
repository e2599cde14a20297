"""Jacobians: every form they come in, and what is said of wrong ones."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.linalg import aslinearoperator

from gradcheck import TargetError, Verdict, as_target, check, check_jacobian
from gradcheck.checking.jacobian.claimed import ClaimedJacobian
from gradcheck.report.plots.matrices import panels
from tests.support.wrong_jacobians import SLIPS, Slip

X = np.array([0.4, -0.9, 1.2, 0.7, -0.3, 1.6])
BAND = [-1, 0, 1]


def stencil(u):
    r = u**3
    r[1:] += np.sin(u[:-1])
    r[:-1] += u[:-1] * u[1:]
    return r


def jacobian_of_stencil(u):
    inner = np.append(u[1:], 0.0)
    return np.diag(3 * u**2 + inner) + np.diag(np.cos(u[:-1]), -1) + np.diag(u[:-1], 1)


def diagonals_of_stencil(u):
    stored = np.zeros((3, len(u)))
    stored[0, 1:] = u[:-1]
    stored[1] = 3 * u**2 + np.append(u[1:], 0.0)
    stored[2, :-1] = np.cos(u[:-1])
    return stored


def located(report):
    (tensor,) = report.tensors.values()
    return tensor.jacobian


FORMS = {
    "array": jacobian_of_stencil,
    "nested lists": lambda u: jacobian_of_stencil(u).tolist(),
    "csr_matrix": lambda u: sparse.csr_matrix(jacobian_of_stencil(u)),
    "coo_array": lambda u: sparse.coo_array(jacobian_of_stencil(u)),
    "lil_matrix": lambda u: sparse.lil_matrix(jacobian_of_stencil(u)),
    "dia_array": lambda u: sparse.dia_array(jacobian_of_stencil(u)),
    "linear operator": lambda u: aslinearoperator(jacobian_of_stencil(u)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_right_jacobian_passes(form):
    said = check_jacobian(stencil, FORMS[form], X)
    recognised = check((stencil, FORMS[form]), X)

    assert said.ok, str(said)
    assert recognised.ok, str(recognised)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_wrong_jacobian_fails_and_its_row_is_named(form):
    right = FORMS["array"]

    def wrong(u):
        J = right(u)
        J[3] *= 1.5
        return {"array": J, "nested lists": J.tolist()}.get(form, sparse.csr_array(J))

    report = check((stencil, wrong), X)

    assert report.verdict is Verdict.FAIL
    assert located(report).rows == (3,)
    assert "row 3 of 6" in str(report)


def test_banded_form_is_that_of_solve_banded():
    report = check_jacobian(stencil, diagonals_of_stencil, X, banded=(1, 1))

    assert report.ok, str(report)


def test_banded_form_of_another_number_of_diagonals_is_refused():
    with pytest.raises(TargetError, match=r"banded=\(1, 2\) asks for 4 diagonals.*\(3, 6\)"):
        check_jacobian(stencil, diagonals_of_stencil, X, banded=(1, 2))


@pytest.mark.parametrize("banded", [(1, -1), (1,), (1, 1, 1)])
def test_banded_takes_two_numbers_of_diagonals(banded):
    with pytest.raises((ValueError, TypeError), match="banded="):
        check_jacobian(stencil, diagonals_of_stencil, X, banded=banded)


def test_jacobians_by_several_inputs_are_each_that_of_its_input():
    def product(a, b):
        return MATRIX[:, :4] @ (a * b)

    def jacobians(a, b):
        return MATRIX[:, :4] * b, -MATRIX[:, :4] * a

    report = check((product, jacobians), X[:4], X[2:])

    assert report.tensors["a"].ok
    assert report.tensors["b"].jacobian.region == "every entry of the Jacobian (6, 4)"
    assert report.explanations[0].code == "sign_flipped"


def test_rows_of_an_input_of_two_axes_are_not_taken_for_samples():
    x = np.arange(6.0).reshape(2, 3) / 7

    report = check_jacobian(lambda x: np.tanh(x).ravel(), by_entries, x)

    assert report.ok, str(report)
    assert report.contract["single_sample"].holds is None


def by_entries(x):
    return np.diag(1 - np.tanh(x.ravel()) ** 2)


@given(
    st.lists(st.integers(1, 3), min_size=0, max_size=2),
    st.lists(st.integers(1, 3), min_size=1, max_size=2),
    st.booleans(),
    st.integers(0, 2**16),
)
def test_outputs_and_inputs_of_any_shape_are_recognised(outputs, own, flat, seed):
    rng = np.random.default_rng(seed)
    rows, columns = int(np.prod(outputs)), int(np.prod(own))
    matrix = rng.standard_normal((rows, columns))
    x = rng.uniform(0.5, 1.5, own)

    def function(x):
        return (matrix @ x.reshape(-1) ** 2).reshape(outputs)

    def jacobian(x):
        return (2 * matrix * x.reshape(-1)).reshape((rows, columns) if flat else (*outputs, *own))

    report = check_jacobian(function, jacobian, x)

    assert report.ok, str(report)


@pytest.mark.parametrize(
    ("function", "jacobian", "x"),
    [
        (lambda x: np.sum(x**2), lambda x: 2 * x[None], X),
        (lambda x: np.array([np.sum(x**2)]), lambda x: 2 * x, X),
        (lambda x: np.array([np.sum(x**2)]), lambda x: 2 * x[None], X),
        (lambda t: t**2 * X, lambda t: 2 * t[0] * X[:, None], np.array([0.7])),
        (lambda t: t**2 * X, lambda t: 2 * t[0] * X, np.array([0.7])),
    ],
)
def test_one_output_or_one_entry_may_go_without_its_axis(function, jacobian, x):
    report = check_jacobian(function, jacobian, x)

    assert report.ok, str(report)


def test_an_array_that_is_no_jacobian_is_refused_with_its_shape():
    with pytest.raises(TargetError, match=r"\(3, 6\) is no Jacobian of \(6,\) by \[\(6,\)\]"):
        check_jacobian(stencil, lambda u: jacobian_of_stencil(u)[:3], X)


MATRIX = np.arange(1.0, 25.0).reshape(6, 4)


def test_transposed_shape_is_named_with_the_advice_to_transpose():
    report = check((lambda x: np.tanh(MATRIX @ x / 9), by_columns), X[:4])

    first = report.explanations[0]
    assert first.code == "transposed"
    assert first.edits[0].after.endswith("* MATRIX / 9")
    assert report.contract["jacobian_shape"].holds is False


def test_a_jacobian_is_given_what_the_function_calls_by_the_same_name():
    slip = next(slip for slip in SLIPS if slip.name == "decay_by_rows")

    report = check((slip.function, slip.jacobian), slip.x)

    first = report.explanations[0]
    assert (first.code, first.tensors) == ("transposed", ("p",))
    assert any(note.startswith("decay_by_rows(p) is read") for note in report.notes)


def by_columns(x):
    return ((1 - np.tanh(MATRIX @ x / 9) ** 2)[:, None] * MATRIX / 9).T


def test_a_column_where_a_row_belongs_is_transposed_though_its_numbers_are_right():
    report = check_jacobian(lambda x: np.array([np.sum(x**2)]), lambda x: 2 * x[:, None], X)

    assert [e.code for e in report.explanations] == ["transposed"]
    assert "(1, 6)" in str(report)


@given(st.integers(2, 7), st.integers(2, 7), st.integers(0, 2**16), st.floats(0.01, 3.0), st.data())
def test_any_wrong_entry_is_found_and_its_row_and_column_are_named(
    rows, columns, seed, error, data
):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((rows, columns))
    i, j = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    x = rng.uniform(0.5, 1.5, columns)

    def wrong(x):
        J = matrix * np.cos(x)
        J[i, j] += error
        return J

    report = check((lambda x: matrix @ np.sin(x), wrong), x, contract=False, explain=False)

    found = located(report)
    assert report.verdict is Verdict.FAIL
    assert (found.rows, found.columns) == ((i,), (j,))
    assert found.region == f"entry [{i}, {j}] of the Jacobian ({rows}, {columns})"
    assert found.worst[0].analytic - found.worst[0].numerical == pytest.approx(error)


@given(st.integers(0, 2**16), st.data())
def test_wrong_rows_columns_and_blocks_are_named_as_such(seed, data):
    rng = np.random.default_rng(seed)
    matrix = rng.uniform(0.5, 1.5, (6, 5))
    top, left = data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))
    kinds = {
        "row": (np.s_[top, :], f"row {top} of 6"),
        "rows": (np.s_[[top, top + 2], :], f"rows {top}, {top + 2} of 6"),
        "column": (np.s_[:, left], f"column {left} of 5"),
        "block": (
            np.s_[top : top + 3, left : left + 2],
            f"block [{top}:{top + 3}, {left}:{left + 2}]",
        ),
    }
    part, words = kinds[data.draw(st.sampled_from(sorted(kinds)))]

    def wrong(x):
        J = matrix * np.cos(x)
        J[part] *= -1.7
        return J

    x = rng.uniform(0.2, 1.2, 5)
    report = check((lambda x: matrix @ np.sin(x), wrong), x, contract=False, explain=False)

    assert located(report).region == f"{words} of the Jacobian (6, 5)"


def test_of_a_jacobian_too_large_to_be_measured_wrong_columns_are_found_and_rows_counted():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((5, 400))

    def wrong(x):
        J = matrix * np.cos(x)
        J[2, 37] += 1.0
        return J

    x = rng.uniform(0.2, 1.2, 400)
    report = check((lambda x: matrix @ np.sin(x), wrong), x, explain=False)

    assert (located(report).rows, located(report).columns) == ((2,), (37,))


# sparsity


def test_declared_sparsity_is_verified():
    pattern = abs(np.subtract.outer(np.arange(6), np.arange(6))) <= 1

    right = check_jacobian(stencil, jacobian_of_stencil, X, sparsity=pattern)
    also = check_jacobian(stencil, jacobian_of_stencil, X, sparsity=sparse.csr_array(pattern))

    assert right.ok, str(right)
    assert also.ok, str(also)


def test_an_entry_outside_of_the_declared_sparsity_is_named():
    pattern = abs(np.subtract.outer(np.arange(6), np.arange(6))) <= 1
    pattern[3, 4] = False

    report = check_jacobian(stencil, jacobian_of_stencil, X, sparsity=pattern)

    (first,) = report.explanations
    assert first.code == "sparsity_too_small"
    assert "[3, 4] = 0.7" in first.evidence


@pytest.mark.parametrize("seed", range(4))
def test_entries_outside_of_a_large_pattern_are_named(seed):
    u = np.random.default_rng(seed).uniform(0.3, 1.3, 200)
    pattern = sparse.diags_array([np.ones(200), np.ones(199)], offsets=[0, 1])

    report = check_jacobian(stencil, jacobian_of_stencil, u, sparsity=pattern)

    named = [f"[{row}, {row - 1}] = {np.cos(u[row - 1]):.4g}" for row in range(1, 7)]
    assert ", ".join(named) in report.explanations[0].evidence


def test_an_entry_that_a_large_sparse_jacobian_lacks_is_named():
    u = np.linspace(0.3, 1.3, 200)

    def without_one(u):
        J = jacobian_of_stencil(u)
        J[120, 121] = 0.0
        return sparse.csr_array(J)

    report = check((stencil, without_one), u)

    assert report.explanations[0].code == "sparsity_too_small"
    assert f"[120, 121] = {u[120]:.4g}" in report.explanations[0].message


def test_sparsity_of_another_shape_is_refused():
    with pytest.raises(TargetError, match=r"sparsity has shape \(2, 6\).*\(6, 6\)"):
        check_jacobian(stencil, jacobian_of_stencil, X, sparsity=np.ones((2, 6)))


def test_entries_that_a_sparse_jacobian_does_not_store_are_its_sparsity():
    def without_lower(u):
        return sparse.csr_array(np.triu(jacobian_of_stencil(u)))

    report = check((stencil, without_lower), X)

    assert report.explanations[0].code == "sparsity_too_small"
    assert located(report).region.startswith("the diagonal -1")


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_columns_without_a_common_row_are_measured_together(form):
    u = np.linspace(0.3, 1.3, 120)

    def wrong(u):
        J = jacobian_of_stencil(u)
        J[40, 41] *= 2
        return form(J)

    target = as_target((stencil, wrong), u)
    claimed = ClaimedJacobian.at_point_of(target, "u", wrong(u))
    entries = claimed.entries()

    assert entries.is_whole
    assert entries.report().region.startswith("entry [40, 41]")
    # the point, six for each of three groups of columns, and six along each of two directions
    assert claimed.evaluator.forwards == 1 + 6 * 3 + 6 * 2


# names and lines


def lines_marked(function):
    lines, start = inspect.getsourcelines(function)
    return {start + n for n, line in enumerate(lines) if "# wrong" in line}


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_slip_is_named_first_at_its_line_and_its_region(slip: Slip):
    report = check_jacobian(slip.function, slip.jacobian, slip.x, banded=slip.banded)

    first = report.explanations[0]
    lines = {edit.line for edit in first.edits}
    lines |= {int(place.rpartition(":")[2]) for place in first.places}
    assert first.code in slip.codes, str(report)
    assert slip.region in located(report).region
    if slip.name not in LINE_UNKNOWN:
        assert lines & lines_marked(slip.jacobian), str(report)


# A number by itself is no expression that is disturbed.
LINE_UNKNOWN = {"held_sparse_without_square"}


def test_report_says_it_in_text_html_and_json(tmp_path):
    slip = next(slip for slip in SLIPS if slip.name == "saturation_row_zero")

    report = check((slip.function, slip.jacobian), slip.x)

    html = report.save(tmp_path / "report.html").read_text()
    content = report.to_dict()["tensors"]["x"]["jacobian"]
    assert "row 3 of 6 of the Jacobian (6, 4)" in report.text(details=True)
    assert "row 3 of 6 of the Jacobian (6, 4)" in html
    assert "worst entries of the Jacobian of x" in html
    assert content["rows"] == [3]
    assert content["columns"] == [0, 1, 2, 3]
    assert content["worst"][0]["index"][0] == 3


def test_the_matrix_itself_is_drawn_with_its_wrong_entries():
    A = np.random.default_rng(0).normal(size=(6, 4))

    def jacobian(x):
        J = A.copy()
        J[1:3, 2:] *= -1
        return J

    tensor = check((lambda x: A @ x, jacobian), np.ones(4)).tensors["x"]

    drawn = panels(tensor)
    assert drawn.wrong.nonzero()[0].tolist() == [1, 1, 2, 2]
    assert np.allclose(drawn.analytic, jacobian(None))
    assert np.allclose(drawn.numerical, A)
