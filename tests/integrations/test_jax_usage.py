"""JAX as people use it: every form judged, with a right and a wrong backward in each.

A case is a function of ``link``, an identity that the case puts somewhere into its forward. Its
backward is right, or gives 1.25 times the gradient: so no PASS is one of something unseen.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

jax = pytest.importorskip("jax", reason="the extra `integrations` is not installed")
jnp = jax.numpy
pytestmark = pytest.mark.integration


def drawn(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def identity(factor):
    @jax.custom_vjp
    def link(x):
        return x

    link.defvjp(lambda x: (x, None), lambda _, g: (factor * g,))
    link.factor = factor
    return link


RIGHT, WRONG = identity(1.0), identity(1.25)
CASES = {}


def case(make):
    CASES[make.__name__] = make
    return make


class Pair(NamedTuple):
    w: object
    b: object


@jax.tree_util.register_pytree_node_class
class Registered:
    def __init__(self, w, b):
        self.w, self.b = w, b

    def tree_flatten(self):
        return (self.w, self.b), None

    @classmethod
    def tree_unflatten(cls, _, parts):
        return cls(*parts)


@jax.tree_util.register_dataclass
@dataclass
class Data:
    w: object
    b: object


@case
def function_itself(link):
    return link, drawn(4, 3)


@case
def plain_function(link):
    return lambda x, w: jnp.tanh(link(x @ w)), drawn(4, 3), drawn(3, 2)


@case
def jitted(link):
    return jax.jit(lambda x, w: jnp.tanh(link(x @ w))), drawn(4, 3), drawn(3, 2)


@case
def jitted_with_static_argument(link):
    f = jax.jit(lambda x, mode: link(x) * (2 if mode == "twice" else 1), static_argnums=1)
    return f, drawn(4, 3), "twice"


@case
def vmapped(link):
    return jax.vmap(lambda x: jnp.sum(link(x) ** 2)), drawn(4, 3)


@case
def custom_vjp_with_nondiff_arguments(link):
    @partial(jax.custom_vjp, nondiff_argnums=(1,))
    def power(x, n):
        return x**n

    power.defvjp(lambda x, n: (x**n, x), lambda n, x, g: (link.factor * g * n * x ** (n - 1),))
    return power, drawn(4, 3), 3


@case
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


@case
def custom_vjp_of_a_tree(link):
    @jax.custom_vjp
    def dense(p, x):
        return x @ p["w"] + p["b"]

    def backward(kept, g):
        p, x = kept
        return {"w": link.factor * x.T @ g, "b": g.sum(0)}, g @ p["w"].T

    dense.defvjp(lambda p, x: (dense(p, x), (p, x)), backward)
    return dense, {"w": drawn(3, 2), "b": drawn(2)}, drawn(4, 3)


@case
def custom_vjp_with_several_outputs(link):
    @jax.custom_vjp
    def both(x):
        return jnp.sin(x), {"c": jnp.cos(x)}

    def backward(x, g):
        return (link.factor * g[0] * jnp.cos(x) - g[1]["c"] * jnp.sin(x),)

    both.defvjp(lambda x: (both(x), x), backward)
    return both, drawn(4, 3)


@case
def custom_vjp_with_keyword_default(link):
    @partial(jax.custom_vjp, nondiff_argnums=(1,))
    def scaled(x, factor=2.0):
        return x * factor

    scaled.defvjp(lambda x, k: (x * k, None), lambda k, _, g: (link.factor * g * k,))
    return scaled, drawn(4, 3)


@case
def custom_jvp(link):
    @jax.custom_jvp
    def cube(x):
        return x**3

    cube.defjvp(lambda p, t: (p[0] ** 3, link.factor * 3 * p[0] ** 2 * t[0]))
    return cube, drawn(4, 3)


@case
def custom_jvp_with_defjvps(link):
    @jax.custom_jvp
    def times(x, y):
        return x * y

    times.defjvps(lambda t, _, x, y: link.factor * t * y, lambda t, _, x, y: t * x)
    return times, drawn(4, 3), drawn(4, 3, seed=1)


@case
def pair(link):
    return (lambda x: jnp.sum(x**3), lambda x: link.factor * 3 * x**2), drawn(4, 3)


@case
def pair_on_a_tree(link):
    f = lambda p: jnp.sum(p["w"] ** 3) + jnp.sum(p["b"] ** 2)  # noqa: E731
    return (f, lambda p: {"w": 3 * p["w"] ** 2, "b": link.factor * 2 * p["b"]}), {
        "w": drawn(3, 2),
        "b": drawn(2),
    }


@case
def pair_on_a_registered_tree(link):
    f = lambda p: jnp.sum(p.w**3) + jnp.sum(p.b**2)  # noqa: E731
    return (f, lambda p: Registered(3 * p.w**2, link.factor * 2 * p.b)), Registered(
        drawn(3, 2), drawn(2)
    )


@case
def pair_with_grad_of_jax(link):
    f = lambda x: jnp.sum(link(x) ** 3)  # noqa: E731
    return (f, jax.grad(f)), drawn(4, 3)


@case
def value_and_grad(link):
    return jax.value_and_grad(lambda x: jnp.sum(link(x) ** 3)), drawn(4, 3)


@case
def value_and_grad_of_parameters(link):
    f = jax.value_and_grad(lambda p, x: jnp.mean(link(x @ p["w"]) ** 2))
    return f, {"w": drawn(3, 2)}, drawn(4, 3)


@case
def key_argument(link):
    f = lambda key, x: link(x) * jax.random.normal(key, x.shape)  # noqa: E731
    return f, jax.random.key(0), drawn(4, 3)


@case
def old_key_argument(link):
    f = lambda x, key: link(x) * jax.random.normal(key, x.shape)  # noqa: E731
    return f, drawn(4, 3), jax.random.PRNGKey(0)


@case
def bool_mask(link):
    return lambda x, keep: jnp.where(keep, link(x), 0.0), drawn(4, 3), drawn(4, 3, seed=1) > 0


@case
def keyword_only_default(link):
    def scaled(x, *, scale=2.0):
        return link(x) * scale

    return scaled, drawn(4, 3)


@case
def partial_function(link):
    return partial(lambda w, x: link(x @ w), drawn(3, 2)), drawn(4, 3)


@case
def tree_partial(link):
    return jax.tree_util.Partial(lambda w, x: link(x @ w), drawn(3, 2)), drawn(4, 3)


@case
def registered_class(link):
    return lambda p, x: link(x @ p.w) + p.b, Registered(drawn(3, 2), drawn(2)), drawn(4, 3)


@case
def registered_dataclass(link):
    return lambda p, x: link(x @ p.w) + p.b, Data(drawn(3, 2), drawn(2)), drawn(4, 3)


@case
def named_tuple(link):
    return lambda p, x: link(x @ p.w) + p.b, Pair(drawn(3, 2), drawn(2)), drawn(4, 3)


@case
def nested_lists_with_none(link):
    return (
        lambda ps, x: link(x @ ps[0]["w"]) + ps[1][0],
        [{"w": drawn(3, 2), "b": None}, (drawn(2), None)],
        drawn(4, 3),
    )


@case
def outputs_of_every_nesting(link):
    return lambda x: {"a": link(x), "b": [x, (x * 2, None)], "c": Pair(x, 1.0)}, drawn(4, 3)


@case
def outputs_with_integers(link):
    return lambda x: (link(x), jnp.argmax(x)), drawn(4, 3)


@case
def complex_function(link):
    @jax.custom_vjp
    def double(z):
        return 2 * z

    double.defvjp(lambda z: (2 * z, None), lambda _, g: (link.factor * 2 * g,))
    return double, drawn(4, 3) + 1j * drawn(4, 3, seed=1)


@case
def scan(link):
    def step(h, x):
        h = link(jnp.tanh(h + x))
        return h, h

    return lambda x: jax.lax.scan(step, jnp.zeros(3), x), drawn(5, 3)


@case
def remat(link):
    return jax.checkpoint(lambda x: jnp.sin(link(x))), drawn(4, 3)


@case
def pure_callback(link):
    @jax.custom_vjp
    def sine(x):
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    sine.defvjp(lambda x: (sine(x), x), lambda x, g: (link.factor * g * jnp.cos(x),))
    return sine, drawn(4, 3)


@case
def numpy_arrays(link):
    return jax.jit(lambda x: jnp.sin(link(x))), np.random.default_rng(0).normal(size=(4, 3))


@case
def bound_method(link):
    class Model:
        def __init__(self):
            self.scale = 2.0

        def loss(self, x):
            return jnp.sum(link(x) ** 2) * self.scale

    return Model().loss, drawn(4, 3)


@case
def callable_object(link):
    class Model:
        def __call__(self, p, x):
            return link(x @ p["w"])

    return Model(), {"w": drawn(3, 2)}, drawn(4, 3)


@case
def equinox_module(link):
    eqx = pytest.importorskip("equinox")

    class Net(eqx.Module):
        layer: object
        scale: object
        name: str = eqx.field(static=True, default="net")

        def __call__(self, x):
            return link(jax.vmap(self.layer)(x)) * self.scale

    return Net(eqx.nn.Linear(3, 2, key=jax.random.key(0)), drawn(2)), drawn(4, 3)


@case
def equinox_mlp(link):
    eqx = pytest.importorskip("equinox")
    mlp = eqx.nn.MLP(3, 2, 4, 1, activation=lambda x: link(jnp.tanh(x)), key=jax.random.key(0))
    return lambda mlp, x: jax.vmap(mlp)(x), mlp, drawn(4, 3)


@case
def equinox_mlp_among_the_arguments(link):
    eqx = pytest.importorskip("equinox")
    mlp = eqx.nn.MLP(3, 2, 4, 1, activation=jnp.tanh, key=jax.random.key(0))
    return lambda mlp, x: jnp.mean(link(jax.vmap(mlp)(x)) ** 2), mlp, drawn(4, 3)


@case
def equinox_filter_jit(link):
    eqx = pytest.importorskip("equinox")
    mlp = eqx.nn.MLP(3, 2, 4, 1, key=jax.random.key(0))
    return eqx.filter_jit(lambda mlp, x: link(jax.vmap(mlp)(x))), mlp, drawn(4, 3)


@case
def equinox_dropout(link):
    eqx = pytest.importorskip("equinox")
    drop = eqx.nn.Dropout(0.5)
    return lambda x, key: drop(link(x), key=key), drawn(4, 3), jax.random.key(0)


@case
def equinox_filter_value_and_grad(link):
    eqx = pytest.importorskip("equinox")
    mlp = eqx.nn.MLP(3, 2, 4, 1, key=jax.random.key(0))
    f = eqx.filter_value_and_grad(lambda mlp, x: jnp.mean(link(jax.vmap(mlp)(x)) ** 2))
    return f, mlp, drawn(4, 3)


@case
def flax_linen_apply(link):
    nn = pytest.importorskip("flax.linen")

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(2)(link(jnp.tanh(nn.Dense(4)(x))))

    net, x = Net(), drawn(4, 3)
    return net.apply, net.init(jax.random.key(0), x), x


@case
def flax_linen_batch_norm(link):
    nn = pytest.importorskip("flax.linen")

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return link(nn.BatchNorm(use_running_average=False)(nn.Dense(4)(x)))

    net, x = Net(), drawn(6, 3)
    variables = net.init(jax.random.key(0), x)
    return lambda v, x: net.apply(v, x, mutable=["batch_stats"]), variables, x


@case
def flax_linen_bound(link):
    nn = pytest.importorskip("flax.linen")

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return link(nn.Dense(2)(x))

    net, x = Net(), drawn(4, 3)
    return net.bind(net.init(jax.random.key(0), x)), x


@case
def flax_train_state(link):
    nn = pytest.importorskip("flax.linen")
    train_state = pytest.importorskip("flax.training.train_state")
    optax = pytest.importorskip("optax")
    net, x = nn.Dense(2), drawn(4, 3)
    state = train_state.TrainState.create(
        apply_fn=net.apply, params=net.init(jax.random.key(0), x)["params"], tx=optax.adam(1e-3)
    )
    return lambda params, x: link(state.apply_fn({"params": params}, x)), state.params, x


@case
def flax_nnx_module(link):
    nnx = pytest.importorskip("flax.nnx")

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.layer = nnx.Linear(3, 2, rngs=rngs)

        def __call__(self, x):
            return link(self.layer(x))

    return Net(nnx.Rngs(0)), drawn(4, 3)


@case
def flax_nnx_with_batch_norm(link):
    nnx = pytest.importorskip("flax.nnx")

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.norm = nnx.BatchNorm(3, rngs=rngs)

        def __call__(self, x):
            return link(self.norm(x))

    return Net(nnx.Rngs(0)), drawn(6, 3)


@case
def flax_nnx_with_dropout(link):
    nnx = pytest.importorskip("flax.nnx")

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.layer = nnx.Linear(3, 2, rngs=rngs)
            self.drop = nnx.Dropout(0.5, rngs=rngs)

        def __call__(self, x):
            return link(self.drop(self.layer(x)))

    return Net(nnx.Rngs(0)), drawn(6, 3)


@case
def flax_nnx_loss(link):
    nnx = pytest.importorskip("flax.nnx")
    model = nnx.Linear(3, 2, rngs=nnx.Rngs(0))
    return lambda model, x: jnp.mean(link(model(x)) ** 2), model, drawn(4, 3)


@case
def optax_loss(link):
    optax = pytest.importorskip("optax")
    f = lambda x, y: optax.softmax_cross_entropy_with_integer_labels(link(x), y)  # noqa: E731
    return f, drawn(4, 3), jnp.array([0, 1, 2, 2])


@case
def haiku_like(link):
    def init(key, x):
        return {"linear": {"w": jax.random.normal(key, (x.shape[-1], 2)), "b": jnp.zeros(2)}}

    def apply(params, key, x):
        keep = jax.random.bernoulli(key, 0.5, x.shape)
        return link((x * keep) @ params["linear"]["w"]) + params["linear"]["b"]

    class Transformed(NamedTuple):
        init: object
        apply: object

    net, x = Transformed(init, apply), drawn(4, 3)
    return net.apply, net.init(jax.random.key(0), x), jax.random.key(1), x


@case
def layer_pair_init_apply(link):
    from jax.example_libraries import stax

    init, apply = stax.serial(stax.Dense(4), stax.Tanh, stax.Dense(2))
    _, params = init(jax.random.key(0), (-1, 3))
    return lambda p, x: link(apply(p, x)), params, drawn(4, 3)


@pytest.mark.parametrize("name", CASES)
def test_the_right_passes_and_the_wrong_fails(name):
    reports = []
    for link in (RIGHT, WRONG):
        thing, *inputs = CASES[name](link)
        reports.append(gradcheck.check(thing, *inputs, explain=False))
    right, wrong = reports

    assert right.verdict is Verdict.PASS, str(right)
    assert wrong.verdict is Verdict.FAIL, str(wrong)


def test_a_module_that_is_closed_over_is_named_with_the_way_to_pass_it():
    eqx = pytest.importorskip("equinox")
    linear = eqx.nn.Linear(3, 2, key=jax.random.key(0))

    report = gradcheck.check(jax.vmap(linear), drawn(4, 3))

    assert report.verdict is Verdict.UNDECIDED
    assert "pass it, or the module that holds it, as an argument" in " ".join(str(report).split())


def test_a_linen_module_without_variables_is_refused_with_the_way_to_give_them():
    linen = pytest.importorskip("flax.linen")

    with pytest.raises(gradcheck.TargetError, match=r"module\.apply, module\.init\(key, x\), x"):
        gradcheck.check(linen.Dense(2), drawn(4, 3))


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
