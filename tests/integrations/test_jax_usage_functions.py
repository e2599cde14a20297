"""JAX's functions as people write them: a right and a wrong backward of each."""

from functools import partial

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from tests.support.jax_usage import LINKS, RIGHT, WRONG, drawn, jax, jnp
from tests.support.usage import Cases, assert_judged

pytestmark = pytest.mark.integration

CASES = Cases()


@CASES
def function_itself(link):
    return link, drawn(4, 3)


@CASES
def plain_function(link):
    return lambda x, w: jnp.tanh(link(x @ w)), drawn(4, 3), drawn(3, 2)


@CASES
def jitted(link):
    return jax.jit(lambda x, w: jnp.tanh(link(x @ w))), drawn(4, 3), drawn(3, 2)


@CASES
def jitted_with_static_argument(link):
    f = jax.jit(lambda x, mode: link(x) * (2 if mode == "twice" else 1), static_argnums=1)
    return f, drawn(4, 3), "twice"


@CASES
def vmapped(link):
    return jax.vmap(lambda x: jnp.sum(link(x) ** 2)), drawn(4, 3)


@CASES
def custom_vjp_with_nondiff_arguments(link):
    @partial(jax.custom_vjp, nondiff_argnums=(1,))
    def power(x, n):
        return x**n

    power.defvjp(lambda x, n: (x**n, x), lambda n, x, g: (link.factor * g * n * x ** (n - 1),))
    return power, drawn(4, 3), 3


@CASES
def custom_vjp_with_integers(link):
    @jax.custom_vjp
    def rows(table, index):
        return table[index]

    def backward(kept, g):
        shape, index = kept
        none = np.zeros(index.shape, jax.dtypes.float0)
        return jnp.zeros(shape).at[index].add(link.factor * g), none

    rows.defvjp(lambda t, i: (t[i], (t.shape, i)), backward)
    return rows, drawn(5, 3), jnp.array([0, 2, 2])


@CASES
def custom_vjp_with_keyword_default(link):
    @partial(jax.custom_vjp, nondiff_argnums=(1,))
    def scaled(x, factor=2.0):
        return x * factor

    scaled.defvjp(lambda x, k: (x * k, None), lambda k, _, g: (link.factor * g * k,))
    return scaled, drawn(4, 3)


@CASES
def custom_jvp(link):
    @jax.custom_jvp
    def cube(x):
        return x**3

    cube.defjvp(lambda p, t: (p[0] ** 3, link.factor * 3 * p[0] ** 2 * t[0]))
    return cube, drawn(4, 3)


@CASES
def custom_jvp_with_defjvps(link):
    @jax.custom_jvp
    def times(x, y):
        return x * y

    times.defjvps(lambda t, _, x, y: link.factor * t * y, lambda t, _, x, y: t * x)
    return times, drawn(4, 3), drawn(4, 3, seed=1)


@CASES
def pair(link):
    return (lambda x: jnp.sum(x**3), lambda x: link.factor * 3 * x**2), drawn(4, 3)


@CASES
def pair_with_grad_of_jax(link):
    f = lambda x: jnp.sum(link(x) ** 3)  # noqa: E731
    return (f, jax.grad(f)), drawn(4, 3)


@CASES
def value_and_grad(link):
    return jax.value_and_grad(lambda x: jnp.sum(link(x) ** 3)), drawn(4, 3)


@CASES
def value_and_grad_of_parameters(link):
    f = jax.value_and_grad(lambda p, x: jnp.mean(link(x @ p["w"]) ** 2))
    return f, {"w": drawn(3, 2)}, drawn(4, 3)


@CASES
def partial_function(link):
    return partial(lambda w, x: link(x @ w), drawn(3, 2)), drawn(4, 3)


@CASES
def tree_partial(link):
    return jax.tree_util.Partial(lambda w, x: link(x @ w), drawn(3, 2)), drawn(4, 3)


@CASES
def complex_function(link):
    @jax.custom_vjp
    def double(z):
        return 2 * z

    double.defvjp(lambda z: (2 * z, None), lambda _, g: (link.factor * 2 * g,))
    return double, drawn(4, 3) + 1j * drawn(4, 3, seed=1)


@CASES
def scan(link):
    def step(h, x):
        h = link(jnp.tanh(h + x))
        return h, h

    return lambda x: jax.lax.scan(step, jnp.zeros(3), x), drawn(5, 3)


@CASES
def remat(link):
    return jax.checkpoint(lambda x: jnp.sin(link(x))), drawn(4, 3)


@CASES
def pure_callback(link):
    @jax.custom_vjp
    def sine(x):
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    sine.defvjp(lambda x: (sine(x), x), lambda x, g: (link.factor * g * jnp.cos(x),))
    return sine, drawn(4, 3)


@CASES
def numpy_arrays(link):
    return jax.jit(lambda x: jnp.sin(link(x))), np.random.default_rng(0).normal(size=(4, 3))


@CASES
def bound_method(link):
    class Model:
        def __init__(self):
            self.scale = 2.0

        def loss(self, x):
            return jnp.sum(link(x) ** 2) * self.scale

    return Model().loss, drawn(4, 3)


@CASES
def callable_object(link):
    class Model:
        def __call__(self, p, x):
            return link(x @ p["w"])

    return Model(), {"w": drawn(3, 2)}, drawn(4, 3)


@pytest.mark.parametrize("name", CASES)
def test_the_right_passes_and_the_wrong_fails(name):
    assert_judged(CASES[name], LINKS)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("link", [RIGHT, WRONG], ids=["PASS", "FAIL"])
def test_x64_stays_as_it_was(wide, link):
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", wide)
    try:
        report = gradcheck.check(lambda x: jnp.sin(link(x)), drawn(4, 3), explain=False)
        assert jax.config.jax_enable_x64 is wide
    finally:
        jax.config.update("jax_enable_x64", before)

    assert report.verdict is (Verdict.PASS if link is RIGHT else Verdict.FAIL)
