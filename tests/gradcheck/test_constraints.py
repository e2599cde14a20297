"""check(constraint=): moves stay inside, and the part of a gradient along it is what counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradcheck
from gradcheck.numerics.manifolds import manifold

SHAPES = {
    "symmetric": (4, 4),
    "spd": (3, 3),
    "positive": (6,),
    "simplex": (2, 4),
    "unit": (5,),
    "orthogonal": (4, 2),
}
SEEDS = st.integers(0, 2**16)
RNG = np.random.default_rng(0)
SYMMETRIC = manifold("spd").draw(RNG.standard_normal((4, 4)))


def log_det(X):
    return np.linalg.slogdet(X)[1]


class Inside:
    """A smooth function of a point on a manifold, which nothing but such points may reach."""

    def __init__(self, kind, shape, seed):
        rng = np.random.default_rng(seed)
        self.its = manifold(kind)
        self.x = self.its.draw(rng.standard_normal(shape))
        self.weights, self.across, self.along = rng.standard_normal((3, *shape))

    def value(self, x):
        assert self.its.off(x) < 1e-12
        return np.sum(np.sin(self.weights * x)) + np.sum(x**2)

    def gradient(self, x):
        return self.weights * np.cos(self.weights * x) + 2 * x

    def normal(self, x):
        """A part that no move along the manifold shows."""
        if self.its is manifold("simplex"):
            return np.broadcast_to(self.across[..., :1], x.shape)
        return self.across - self.its.pull(x, x, self.across)

    def tangent(self, x):
        return self.its.pull(x, x, self.along)

    def check(self, gradient, kind, **options):
        return gradcheck.check((self.value, gradient), self.x, constraint=kind, **options)


@pytest.mark.parametrize("kind", SHAPES)
@settings(max_examples=8)
@given(seed=SEEDS)
def test_the_part_across_the_constraint_is_free_and_the_part_along_it_is_not(kind, seed):
    f = Inside(kind, SHAPES[kind], seed)

    right = f.check(lambda x: f.gradient(x) + f.normal(x), kind, contract=False)
    wrong = f.check(
        lambda x: f.gradient(x) + 1e-6 * f.tangent(x), kind, contract=False, explain=False
    )

    assert right.ok, str(right)
    assert max(t.resolution for t in right.tensors.values()) < 1e-7
    assert wrong.verdict is gradcheck.Verdict.FAIL, str(wrong)


@pytest.mark.parametrize("kind", SHAPES)
def test_a_constraint_is_told_and_every_promise_kept(kind):
    f = Inside(kind, SHAPES[kind], 0)

    report = f.check(f.gradient, kind)

    assert report.ok, str(report)
    assert list(report.tensors) == ["x"]
    assert "moved within its constraint" in report.notes[0]
    assert all(p.holds is not False for p in report.contract.values()), report.text(details=True)


@pytest.mark.parametrize("kind", SHAPES)
def test_a_sign_keeps_its_name_under_a_constraint(kind):
    f = Inside(kind, SHAPES[kind], 1)

    report = f.check(lambda x: -f.gradient(x), kind)

    assert report.explanations[0].code == "sign_flipped", str(report)


def test_without_the_constraint_the_same_gradient_fails():
    given = (lambda X: np.sum(X**2), lambda X: 2 * X + np.triu(X, 1) - np.tril(X, -1))

    assert gradcheck.check(given, SYMMETRIC, constraint="symmetric").ok
    assert not gradcheck.check(given, SYMMETRIC, explain=False).ok


@pytest.mark.parametrize("constraint", ["symmetric", None])
@pytest.mark.parametrize(
    ("often", "gradient"),
    [
        ("twice", lambda G: 2 * G - np.diag(np.diag(G))),
        ("half", lambda G: (G + np.diag(np.diag(G))) / 2),
    ],
)
def test_entries_beside_the_diagonal_counted_otherwise_are_named(constraint, often, gradient):
    report = gradcheck.check(
        (log_det, lambda X: gradient(np.linalg.inv(X))), SYMMETRIC, constraint=constraint
    )

    first = report.explanations[0]
    assert first.code == "factor_two"
    assert f"beside its diagonal are counted {often}" in first.message


def test_a_gradient_in_one_triangle_passes():
    def gradient(X):
        G = np.linalg.inv(X)
        return np.tril(2 * G - np.diag(np.diag(G)))

    assert gradcheck.check((log_det, gradient), SYMMETRIC, constraint="symmetric").ok


def test_a_projection_says_the_tangent_space():
    given = (log_det, lambda X: np.linalg.inv(X) + np.triu(X, 1) - np.tril(X, -1))

    assert gradcheck.check(given, SYMMETRIC, constraint=lambda X, d: (d + d.T) / 2).ok
    assert not gradcheck.check(given, SYMMETRIC, constraint=lambda X, d: d, explain=False).ok


class Linear:
    """A layer of orthonormal columns whose gradient has a part across them."""

    def __init__(self):
        self.W = np.linalg.qr(RNG.standard_normal((4, 3)))[0]

    def forward(self, x):
        assert np.allclose(self.W.T @ self.W, np.eye(3), rtol=0, atol=1e-12)
        self.x = x
        return x @ self.W

    def backward(self, d):
        self.dW = self.x.T @ d + self.W @ np.ones((3, 3))
        return d @ self.W.T


def test_a_dict_binds_parameters_by_name():
    layer, x = Linear(), RNG.standard_normal((5, 4))
    before = layer.W.copy()

    report = gradcheck.check(layer, x, constraint={"W": "orthogonal"})

    assert report.ok, str(report)
    assert {"x", "W"} == set(report.tensors)
    assert np.array_equal(layer.W, before)
    assert report.contract["batch_independent"].holds  # of x, which is free


def test_float32_is_judged_within_its_constraint():
    weights = RNG.standard_normal((4, 4)).astype(np.float32)
    pair = (lambda X: (X @ X) * weights, lambda X, d: (d * weights) @ X.T + X.T @ (d * weights))

    report = gradcheck.check(pair, SYMMETRIC.astype(np.float32), constraint="spd")

    assert report.ok, str(report)
    assert report.tensors["X"].dtype == "float32"


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("sym", "constraint='sym': expected one of symmetric, positive"),
        ({"Y": "symmetric"}, r"\['Y'\] are none of the tensors \['X'\]"),
        ("orthogonal", r"X of shape \(4, 4\) is off by .*np.linalg.qr"),
        (lambda X, d: 2 * d, "has to be the orthogonal projection"),
        (lambda X, d: d[0], r"returned the shape \(4,\), expected that of X, \(4, 4\)"),
    ],
)
def test_what_binds_nothing_is_refused(constraint, message):
    with pytest.raises(ValueError, match=message):
        gradcheck.check((log_det, np.linalg.inv), SYMMETRIC, constraint=constraint)


def test_a_wrong_type_of_constraint_is_refused():
    with pytest.raises(TypeError, match="constraint=3: expected"):
        gradcheck.check((log_det, np.linalg.inv), SYMMETRIC, constraint=3)


@pytest.mark.parametrize("kind", ["positive", "simplex"])
@pytest.mark.parametrize("seed", range(3, 9))
def test_entries_of_all_sizes_are_moved_by_their_own(kind, seed):
    """Beside zero a chart bends as far from it as an entry is, however large its neighbours."""
    rng = np.random.default_rng(seed)
    x = manifold(kind).draw(3 * rng.standard_normal(12))
    weights = rng.standard_normal(12)

    def value(x):
        return np.sum(np.sin(weights * x) + weights * x**2)

    def gradient(x):
        return weights * np.cos(weights * x) + 2 * weights * x

    right = gradcheck.check((value, gradient), x, constraint=kind, contract=False, explain=False)
    wrong = gradcheck.check(
        (value, lambda x: 1.0001 * gradient(x)), x, constraint=kind, contract=False, explain=False
    )

    assert right.ok, str(right)
    assert wrong.verdict is gradcheck.Verdict.FAIL
