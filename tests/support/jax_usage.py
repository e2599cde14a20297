"""Identities of JAX with a right and a wrong backward, for the cases of `usage`."""

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="the extra `integrations` is not installed")
jnp = jax.numpy


def drawn(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def identity(factor):
    @jax.custom_vjp
    def link(x):
        return x

    link.defvjp(lambda x: (x, None), lambda _, g: (factor * g,))
    link.factor = factor
    return link


LINKS = RIGHT, WRONG = identity(1.0), identity(1.25)
