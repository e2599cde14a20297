"""Modules of JAX's libraries as people use them: a right and a wrong backward of each."""

from typing import NamedTuple

import pytest

import gradcheck
from gradcheck import Verdict
from tests.support.jax_usage import LINKS, drawn, jax, jnp
from tests.support.usage import Cases, assert_judged

pytestmark = pytest.mark.integration

CASES = Cases()


@CASES
def equinox_module(link):
    eqx = pytest.importorskip("equinox")

    class Net(eqx.Module):
        layer: object
        scale: object
        name: str = eqx.field(static=True, default="net")

        def __call__(self, x):
            return link(jax.vmap(self.layer)(x)) * self.scale

    return Net(eqx.nn.Linear(3, 2, key=jax.random.key(0)), drawn(2)), drawn(4, 3)


@CASES
def equinox_mlp(link):
    eqx = pytest.importorskip("equinox")
    mlp = eqx.nn.MLP(3, 2, 4, 1, activation=lambda x: link(jnp.tanh(x)), key=jax.random.key(0))
    return lambda mlp, x: jax.vmap(mlp)(x), mlp, drawn(4, 3)


@CASES
def equinox_mlp_among_the_arguments(link):
    eqx = pytest.importorskip("equinox")
    mlp = eqx.nn.MLP(3, 2, 4, 1, activation=jnp.tanh, key=jax.random.key(0))
    return lambda mlp, x: jnp.mean(link(jax.vmap(mlp)(x)) ** 2), mlp, drawn(4, 3)


@CASES
def equinox_filter_jit(link):
    eqx = pytest.importorskip("equinox")
    mlp = eqx.nn.MLP(3, 2, 4, 1, key=jax.random.key(0))
    return eqx.filter_jit(lambda mlp, x: link(jax.vmap(mlp)(x))), mlp, drawn(4, 3)


@CASES
def equinox_dropout(link):
    eqx = pytest.importorskip("equinox")
    drop = eqx.nn.Dropout(0.5)
    return lambda x, key: drop(link(x), key=key), drawn(4, 3), jax.random.key(0)


@CASES
def equinox_filter_value_and_grad(link):
    eqx = pytest.importorskip("equinox")
    mlp = eqx.nn.MLP(3, 2, 4, 1, key=jax.random.key(0))
    f = eqx.filter_value_and_grad(lambda mlp, x: jnp.mean(link(jax.vmap(mlp)(x)) ** 2))
    return f, mlp, drawn(4, 3)


@CASES
def flax_linen_apply(link):
    nn = pytest.importorskip("flax.linen")

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(2)(link(jnp.tanh(nn.Dense(4)(x))))

    net, x = Net(), drawn(4, 3)
    return net.apply, net.init(jax.random.key(0), x), x


@CASES
def flax_linen_batch_norm(link):
    nn = pytest.importorskip("flax.linen")

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return link(nn.BatchNorm(use_running_average=False)(nn.Dense(4)(x)))

    net, x = Net(), drawn(6, 3)
    variables = net.init(jax.random.key(0), x)
    return lambda v, x: net.apply(v, x, mutable=["batch_stats"]), variables, x


@CASES
def flax_linen_bound(link):
    nn = pytest.importorskip("flax.linen")

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x):
            return link(nn.Dense(2)(x))

    net, x = Net(), drawn(4, 3)
    return net.bind(net.init(jax.random.key(0), x)), x


@CASES
def flax_train_state(link):
    nn = pytest.importorskip("flax.linen")
    train_state = pytest.importorskip("flax.training.train_state")
    optax = pytest.importorskip("optax")
    net, x = nn.Dense(2), drawn(4, 3)
    state = train_state.TrainState.create(
        apply_fn=net.apply, params=net.init(jax.random.key(0), x)["params"], tx=optax.adam(1e-3)
    )
    return lambda params, x: link(state.apply_fn({"params": params}, x)), state.params, x


@CASES
def flax_nnx_module(link):
    nnx = pytest.importorskip("flax.nnx")

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.layer = nnx.Linear(3, 2, rngs=rngs)

        def __call__(self, x):
            return link(self.layer(x))

    return Net(nnx.Rngs(0)), drawn(4, 3)


@CASES
def flax_nnx_with_batch_norm(link):
    nnx = pytest.importorskip("flax.nnx")

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.norm = nnx.BatchNorm(3, rngs=rngs)

        def __call__(self, x):
            return link(self.norm(x))

    return Net(nnx.Rngs(0)), drawn(6, 3)


@CASES
def flax_nnx_with_dropout(link):
    nnx = pytest.importorskip("flax.nnx")

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.layer = nnx.Linear(3, 2, rngs=rngs)
            self.drop = nnx.Dropout(0.5, rngs=rngs)

        def __call__(self, x):
            return link(self.drop(self.layer(x)))

    return Net(nnx.Rngs(0)), drawn(6, 3)


@CASES
def flax_nnx_loss(link):
    nnx = pytest.importorskip("flax.nnx")
    model = nnx.Linear(3, 2, rngs=nnx.Rngs(0))
    return lambda model, x: jnp.mean(link(model(x)) ** 2), model, drawn(4, 3)


@CASES
def optax_loss(link):
    optax = pytest.importorskip("optax")
    f = lambda x, y: optax.softmax_cross_entropy_with_integer_labels(link(x), y)  # noqa: E731
    return f, drawn(4, 3), jnp.array([0, 1, 2, 2])


@CASES
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


@CASES
def layer_pair_init_apply(link):
    from jax.example_libraries import stax

    init, apply = stax.serial(stax.Dense(4), stax.Tanh, stax.Dense(2))
    _, params = init(jax.random.key(0), (-1, 3))
    return lambda p, x: link(apply(p, x)), params, drawn(4, 3)


@pytest.mark.parametrize("name", CASES)
def test_the_right_passes_and_the_wrong_fails(name):
    assert_judged(CASES[name], LINKS)


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
