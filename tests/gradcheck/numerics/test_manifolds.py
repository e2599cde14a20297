"""Charts stay on their manifold for every t, and are pulled back by their own derivatives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradcheck
from gradcheck.numerics.manifolds import MANIFOLDS, manifold

SHAPES = {
    "symmetric": (4, 4),
    "spd": (2, 3, 3),
    "positive": (6,),
    "simplex": (3, 4),
    "unit": (5,),
    "orthogonal": (5, 3),
}
SEEDS = st.integers(0, 2**32 - 1)
EPS = np.finfo(np.float64).eps


def drawn(kind, seed, shape=None):
    rng = np.random.default_rng(seed)
    its, shape = manifold(kind), shape or SHAPES[kind]
    return its, its.draw(rng.standard_normal(shape)), rng


def test_every_manifold_is_tried():
    assert set(SHAPES) == set(MANIFOLDS)


@pytest.mark.parametrize("kind", SHAPES)
@given(seed=SEEDS, exponent=st.integers(-8, 8))
def test_a_chart_stays_on_the_manifold_for_every_t(kind, seed, exponent):
    its, x0, rng = drawn(kind, seed)
    step = 10.0**exponent * rng.standard_normal(x0.shape)

    x = its.chart(x0, x0 + step)

    assert np.isfinite(x).all()
    if kind == "spd":  # whose condition is that of the step squared
        assert np.array_equal(x, np.swapaxes(x, -1, -2))
        least = np.linalg.eigvalsh(x)[..., 0] / np.abs(x).max()
        assert np.all(least > -64 * EPS)
    else:
        # a system of equations is solved with the rounding of a step this long
        assert its.off(x) <= 64 * EPS * (1 + (kind == "orthogonal") * 10.0**exponent)


@pytest.mark.parametrize("kind", SHAPES)
@given(seed=SEEDS)
def test_a_chart_is_the_point_itself_where_nothing_moves(kind, seed):
    its, x0, _ = drawn(kind, seed)

    assert np.array_equal(its.chart(x0, x0), x0)
    assert its.off(x0) <= 64 * EPS * max(x0.shape)


@pytest.mark.parametrize("kind", SHAPES)
@given(seed=SEEDS)
def test_at_the_point_a_gradient_is_projected(kind, seed):
    its, x0, rng = drawn(kind, seed)
    g = rng.standard_normal(x0.shape)

    once = its.pull(x0, x0, g)

    assert np.allclose(its.pull(x0, x0, once), once, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("kind", "shape"), [*SHAPES.items(), ("orthogonal", (3, 3)), ("orthogonal", (2, 4))]
)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("away", [0.0, 0.3])
def test_the_pull_is_the_derivative_of_the_chart_at_every_t(kind, shape, seed, away):
    its, x0, rng = drawn(kind, seed, shape)
    t = x0 + away * rng.standard_normal(shape)

    right = gradcheck.check(
        (lambda t: its.chart(x0, t), lambda t, d: its.pull(x0, t, d)), t, explain=False
    )
    wrong = gradcheck.check(
        (lambda t: its.chart(x0, t), lambda t, d: its.pull(x0, t, d) * 1.00001), t, explain=False
    )

    assert right.ok, str(right)
    assert not wrong.ok


@pytest.mark.parametrize(
    ("kind", "point"),
    [
        ("symmetric", np.arange(9.0).reshape(3, 3)),
        ("symmetric", np.ones((2, 3))),
        ("symmetric", np.ones(3)),
        ("spd", -np.eye(3)),
        ("positive", np.array([1.0, 0.0])),
        ("positive", np.array([1.0, np.nan])),
        ("simplex", np.array([0.5, 0.6])),
        ("simplex", np.array([1.0, 0.0])),
        ("unit", np.ones(3)),
        ("orthogonal", 2 * np.eye(3)),
        ("orthogonal", np.ones(3)),
    ],
)
def test_a_point_off_the_manifold_is_seen(kind, point):
    with pytest.raises(ValueError, match=f"constraint='{kind}': x of shape"):
        gradcheck.check((lambda x: np.sum(x**2), lambda x: 2 * x), point, constraint={"x": kind})
