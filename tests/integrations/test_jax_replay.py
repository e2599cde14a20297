"""What a forward of JAX records has the gradients that JAX returns, and the user's expressions.

All of it in float64, so that the two agree to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

jax: Any = pytest.importorskip("jax")
replayed: Any = pytest.importorskip("tests.integrations.replayed")
operations: Any = pytest.importorskip("gradcheck.adapters.frameworks.traced.jax_operations")

pytestmark = pytest.mark.integration

jnp, nn, lax = jax.numpy, jax.nn, jax.lax
ROUNDING = 1e-10


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape)


X, Y, S = normal(3, 4), normal(3, 4, seed=1), normal(4, 4)
P, U = np.abs(X) + 0.5, 0.1 + 0.8 / (1 + np.exp(-X))
LABELS = np.array([0, 3, 1])
PICKED = np.array([[0, 2], [1, 1], [3, 0]])
IMAGE = normal(2, 5, 6, 3)


def loop(x: Any) -> Any:
    """A loop whose number of rounds is known only when it runs."""
    return lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, jnp.sin(c[1]) * x), (0, x))[1]


def recurrent(x: Any, w: Any) -> Any:
    def step(h: Any, row: Any) -> Any:
        h = jnp.tanh(row + h @ w)
        return h, h * 2

    last, rows = lax.scan(step, jnp.zeros(4), x)
    backwards = lax.scan(step, last, x, reverse=True)
    return rows * last + backwards[1]


# primitive, or what is made of several -> a function, and its arguments
CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "add": (lambda x, y: x + y + 1, (X, Y[:1])),
    "sub": (lambda x, y: x - y, (X, Y)),
    "mul": (lambda x, y: x * y * 2, (X, Y)),
    "div": (lambda x, y: x / y, (X, P)),
    "neg": (lambda x: -x, (X,)),
    "pow": (lambda x, y: x**y, (P, Y)),
    "max": (jnp.maximum, (X, Y)),
    "min": (jnp.minimum, (X, Y)),
    **{
        name: (getattr(jnp, name), (P,))
        for name in ("exp", "exp2", "expm1", "log", "log1p", "sqrt", "cbrt", "square")
    },
    **{name: (getattr(jnp, name), (X,)) for name in ("sin", "cos", "sinh", "cosh", "tanh", "abs")},
    **{name: (getattr(lax, name), (U,)) for name in ("tan", "asin", "acos", "atan")},
    "rsqrt": (lax.rsqrt, (P,)),
    "atan2": (jnp.arctan2, (X, Y)),
    "logistic": (nn.sigmoid, (X,)),
    "erf": (jax.scipy.special.erf, (X,)),
    "erfc": (jax.scipy.special.erfc, (X,)),
    "integer_pow": (lambda x: x**2 + x**3 + x**-1 + x**-2, (P,)),
    "select_n": (lambda x, y: jnp.where(x > 0, x, y) + jnp.where(True, x, 0.0), (X, Y)),
    "clamp": (lambda x: lax.clamp(-0.5, x, 0.7), (X,)),
    "clip": (lambda x: jnp.clip(x, -0.5, 0.7), (X,)),
    "reduce_sum": (lambda x: x.sum() + x.sum(axis=1, keepdims=True), (X,)),
    "reduce_max": (lambda x: x.max(axis=1), (X,)),
    "reduce_min": (lambda x: x.min(axis=0), (X,)),
    "reduce_prod": (lambda x: x.prod(axis=0), (P,)),
    "mean and var": (lambda x: x.mean(axis=0) + x.var(axis=1).sum() + x.std(), (X,)),
    "cumsum": (lambda x: jnp.cumsum(x, axis=1) * lax.cumsum(x, axis=0, reverse=True), (X,)),
    "dot_general": (lambda x, s: x @ s + x @ s.T, (X, S)),
    "product with a vector": (lambda x, s: x @ s[0] + s[:3, 0] @ x @ s[1], (X, S)),
    "product of left sides": (
        lambda x, y: lax.dot_general(x, y, (((0,), (0,)), ((), ()))), (X, Y),
    ),
    "products of batches": (jnp.matmul, (normal(2, 3, 4), normal(2, 4, 3))),
    "einsum": (
        lambda a, b: jnp.einsum("bhij,bkj->bhik", a, b), (normal(2, 3, 4, 2), normal(2, 5, 2)),
    ),
    "conv_general_dilated": (
        lambda x, w: lax.conv_general_dilated(
            x, w, (2, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        ),
        (IMAGE, normal(3, 2, 3, 4)),
    ),
    "transpose": (lambda x: jnp.exp(x.T), (X,)),
    "reshape": (lambda x: jnp.exp(x.reshape(2, 6)), (X,)),
    "broadcast_in_dim": (lambda x: jnp.broadcast_to(x[:, None], (3, 2, 4)) * 2, (X,)),
    "slice": (lambda x: jnp.exp(x[1:, ::2]), (X,)),
    "squeeze": (lambda x: jnp.exp(x[1]) + jnp.squeeze(x[:1], 0), (X,)),
    "expand_dims": (lambda x: jnp.expand_dims(x, 1) * x, (X,)),
    "pad": (lambda x: jnp.exp(jnp.pad(x, ((1, 0), (2, 1)))), (X,)),
    "concatenate": (lambda x, y: jnp.concatenate([x, jnp.exp(y)], axis=1), (X, Y)),
    "stack": (lambda x, y: jnp.stack([x, jnp.exp(y)], axis=1), (X, Y)),
    "unstack": (lambda x: jnp.unstack(x, axis=1)[2] * 2, (X,)),
    "rev": (lambda x: jnp.exp(x[:, ::-1]), (X,)),
    "roll": (lambda x: jnp.exp(jnp.roll(x, 1, axis=1)), (X,)),
    "split": (lambda x: jnp.split(x, [1, 3], axis=1)[1] * 2, (X,)),
    "dynamic_slice": (lambda x: lax.dynamic_slice(x, (1, 3), (2, 2)) * 2, (X,)),
    "dynamic_update_slice": (lambda x, y: lax.dynamic_update_slice(x, y[:2], (2, 0)), (X, Y)),
    "sort": (lambda x: jnp.sort(x, axis=1) * x, (X,)),
    "gather": (lambda x: x[LABELS] + jnp.take_along_axis(x[:3], LABELS[:, None], 1), (S,)),
    "rows of a table": (lambda x: x[PICKED] * 2, (S,)),
    "scatter": (lambda x, y: jnp.exp(x).at[LABELS].set(jnp.sin(y)), (S, Y)),
    "scatter-add": (lambda x, y: x.at[PICKED[:, 1]].add(jnp.sin(y)), (S, Y)),
    "convert_element_type": (lambda x: x.astype(jnp.float64) * 2, (X,)),
    "copy": (lambda x: jnp.array(x, copy=True) * 2, (X,)),
    "sign": (lambda x: jnp.sign(x) * x + jnp.floor(x), (X,)),
    "softmax": (lambda x: nn.softmax(x, axis=-1), (X,)),
    "log_softmax": (lambda x: nn.log_softmax(x, axis=0), (X,)),
    "logsumexp": (lambda x: nn.logsumexp(x, axis=1), (X,)),
    "one hot": (lambda x: (nn.log_softmax(x) * nn.one_hot(LABELS, 4)).sum(1), (X,)),
    "activations": (lambda x: nn.relu(x) + nn.gelu(x) + nn.silu(x) + nn.elu(x), (X,)),
    "softplus": (lambda x: nn.softplus(x) * nn.leaky_relu(x), (X,)),
    "tril": (lambda x: jnp.tril(x) * 2, (S,)),
    "where masked": (lambda x: nn.softmax(jnp.where(Y > 0.5, -jnp.inf, x), axis=1), (X,)),
    "scan": (recurrent, (X, S)),
    "while": (loop, (X,)),
    "cond": (lambda x: lax.cond(x[0, 0] > 9, lambda v: v, lambda v: jnp.sin(v), x), (X,)),
    "checkpoint": (jax.checkpoint(lambda x: jnp.sin(x) ** 2), (X,)),
    "jit": (jax.jit(lambda x: jnp.sin(x) ** 2), (X,)),
    "vmap": (jax.vmap(lambda x: jnp.sin(x) @ S), (X,)),
}  # fmt: skip


def smooth(name: str) -> Callable[..., Any]:
    """Return the function of a case, jitted so that it is a thing of JAX's."""
    return jax.jit(CASES[name][0])


@pytest.mark.parametrize("name", [name for name in CASES if name != "while"])
def test_gradient_of_recording_is_that_of_jax(name: str) -> None:
    assert replayed.disagreement(smooth(name), *CASES[name][1]) < ROUNDING


def test_gradient_of_a_loop_is_that_of_its_rounds_written_out() -> None:
    """JAX differentiates no ``while_loop`` backwards, so a ``custom_vjp`` does here."""
    rounds = lambda x: jnp.sin(jnp.sin(jnp.sin(x) * x) * x) * x  # noqa: E731
    looped = jax.custom_vjp(loop)
    looped.defvjp(lambda x: (loop(x), x), lambda x, g: jax.vjp(rounds, x)[1](g))
    assert replayed.disagreement(looped, X) < ROUNDING


def test_every_primitive_of_the_table_is_tested() -> None:
    """But for those of transformations, and those that hold no more than an array's form."""
    forms = {
        "add_any", "copy_p", "stop_gradient", "optimization_barrier", "sharding_constraint",
        "name", "reduce_precision",
    }  # fmt: skip
    assert set(operations.OPERATIONS) - set(CASES) <= forms


ELEMENTARY = (
    jnp.tanh, jnp.sin, nn.gelu, nn.softplus, lambda x: nn.softmax(x), lambda x: x - x.mean(0),
    lambda x: x / (1 + (x**2).sum(-1, keepdims=True)), lambda x: x.T.reshape(x.shape),
    lambda x: x @ S, lambda x: jnp.where(x > 0, x, 0.1 * x), lambda x: jnp.cumsum(x, 0) * 0.3,
    lambda x: jnp.concatenate([x[:, 2:], x[:, :2]], 1), lambda x: x * jnp.roll(x, 1, 0),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_gradient_of_random_composition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chosen = [ELEMENTARY[n] for n in rng.integers(len(ELEMENTARY), size=6)]

    @jax.jit
    def composition(x: Any, y: Any) -> Any:
        for step in chosen:
            x = step(x) + 0.1 * y
        return x

    assert replayed.disagreement(composition, normal(3, 4, seed=seed), Y) < ROUNDING


@jax.custom_vjp
def gated(x: Any, w: Any) -> Any:
    gate = nn.sigmoid(x @ w)
    return x * nn.softmax(gate)


def gated_forward(x: Any, w: Any) -> Any:
    return gated(x, w), (x, w)


def gated_backward(kept: Any, g: Any) -> Any:
    return jax.vjp(lambda x, w: x * nn.softmax(nn.sigmoid(x @ w)), *kept)[1](g)


gated.defvjp(gated_forward, gated_backward)


def test_inside_of_custom_vjp_is_seen_with_its_expressions() -> None:
    _, recording = replayed.recording_of(gated, X, S)
    sites = dict.fromkeys(node.site.text for node in recording.nodes if node.site is not None)
    assert list(sites) == ["x @ w", "nn.sigmoid(x @ w)", "nn.softmax(gate)", "x * nn.softmax(gate)"]
    assert replayed.disagreement(gated, X, S) < ROUNDING


def test_unknown_primitive_is_not_recorded() -> None:
    assert replayed.recording_of(jax.jit(jax.scipy.special.digamma), P)[1] is None
