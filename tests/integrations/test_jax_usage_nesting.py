"""Arguments and results of JAX code, nested in any way: each with a right and a wrong backward."""

from dataclasses import dataclass
from typing import NamedTuple

import pytest

from tests.support.jax_usage import LINKS, drawn, jax, jnp
from tests.support.usage import Cases, assert_judged

pytestmark = pytest.mark.integration

CASES = Cases()


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


@CASES
def custom_vjp_of_a_tree(link):
    @jax.custom_vjp
    def dense(p, x):
        return x @ p["w"] + p["b"]

    def backward(kept, g):
        p, x = kept
        return {"w": link.factor * x.T @ g, "b": g.sum(0)}, g @ p["w"].T

    dense.defvjp(lambda p, x: (dense(p, x), (p, x)), backward)
    return dense, {"w": drawn(3, 2), "b": drawn(2)}, drawn(4, 3)


@CASES
def custom_vjp_with_several_outputs(link):
    @jax.custom_vjp
    def both(x):
        return jnp.sin(x), {"c": jnp.cos(x)}

    def backward(x, g):
        return (link.factor * g[0] * jnp.cos(x) - g[1]["c"] * jnp.sin(x),)

    both.defvjp(lambda x: (both(x), x), backward)
    return both, drawn(4, 3)


@CASES
def pair_on_a_tree(link):
    f = lambda p: jnp.sum(p["w"] ** 3) + jnp.sum(p["b"] ** 2)  # noqa: E731
    return (f, lambda p: {"w": 3 * p["w"] ** 2, "b": link.factor * 2 * p["b"]}), {
        "w": drawn(3, 2),
        "b": drawn(2),
    }


@CASES
def pair_on_a_registered_tree(link):
    f = lambda p: jnp.sum(p.w**3) + jnp.sum(p.b**2)  # noqa: E731
    return (f, lambda p: Registered(3 * p.w**2, link.factor * 2 * p.b)), Registered(
        drawn(3, 2), drawn(2)
    )


@CASES
def key_argument(link):
    f = lambda key, x: link(x) * jax.random.normal(key, x.shape)  # noqa: E731
    return f, jax.random.key(0), drawn(4, 3)


@CASES
def old_key_argument(link):
    f = lambda x, key: link(x) * jax.random.normal(key, x.shape)  # noqa: E731
    return f, drawn(4, 3), jax.random.PRNGKey(0)


@CASES
def bool_mask(link):
    return lambda x, keep: jnp.where(keep, link(x), 0.0), drawn(4, 3), drawn(4, 3, seed=1) > 0


@CASES
def keyword_only_default(link):
    def scaled(x, *, scale=2.0):
        return link(x) * scale

    return scaled, drawn(4, 3)


@CASES
def registered_class(link):
    return lambda p, x: link(x @ p.w) + p.b, Registered(drawn(3, 2), drawn(2)), drawn(4, 3)


@CASES
def registered_dataclass(link):
    return lambda p, x: link(x @ p.w) + p.b, Data(drawn(3, 2), drawn(2)), drawn(4, 3)


@CASES
def named_tuple(link):
    return lambda p, x: link(x @ p.w) + p.b, Pair(drawn(3, 2), drawn(2)), drawn(4, 3)


@CASES
def nested_lists_with_none(link):
    return (
        lambda ps, x: link(x @ ps[0]["w"]) + ps[1][0],
        [{"w": drawn(3, 2), "b": None}, (drawn(2), None)],
        drawn(4, 3),
    )


@CASES
def outputs_of_every_nesting(link):
    return lambda x: {"a": link(x), "b": [x, (x * 2, None)], "c": Pair(x, 1.0)}, drawn(4, 3)


@CASES
def outputs_with_integers(link):
    return lambda x: (link(x), jnp.argmax(x)), drawn(4, 3)


@pytest.mark.parametrize("name", CASES)
def test_the_right_passes_and_the_wrong_fails(name):
    assert_judged(CASES[name], LINKS)
