"""Leaves of pytrees, and the parameters of Equinox and flax modules, are judged one by one."""

from functools import partial
from typing import NamedTuple

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict, executor
from gradcheck.isolation import Interpreter

jax = pytest.importorskip("jax", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration

X = np.random.default_rng(0).normal(size=(5, 3))
W = np.random.default_rng(1).normal(size=(3, 2))
B = np.array([0.3, -0.2])


class Pair(NamedTuple):
    w: object
    b: object


CONTAINERS = {
    "dict": (
        {"w": W, "b": B},
        lambda p: (p["w"], p["b"]),
        lambda w, b: {"w": w, "b": b},
        {"p['w']", "p['b']"},
    ),
    "list": ([W, B], tuple, lambda w, b: [w, b], {"p[0]", "p[1]"}),
    "tuple": ((W, B), tuple, lambda w, b: (w, b), {"p[0]", "p[1]"}),
    "named tuple": (Pair(W, B), tuple, Pair, {"p.w", "p.b"}),
    "nested": (
        [{"layer": (W,)}, B],
        lambda p: (p[0]["layer"][0], p[1]),
        lambda w, b: [{"layer": (w,)}, b],
        {"p[0]['layer'][0]", "p[1]"},
    ),
}


@pytest.fixture(autouse=True)
def _in_float64():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def dense(read, fill, wrong):
    """Return ``tanh(X @ w + b)`` of a container, with a wrong gradient where it is asked for."""

    @jax.custom_vjp
    def function(p, X):
        w, b = read(p)
        return jax.numpy.tanh(X @ w + b)

    def forward(p, X):
        y = function(p, X)
        return y, (p, X, y)

    def backward(kept, g):
        p, X, y = kept
        d = g * (1 - y**2)
        dw, db = X.T @ d, d.sum(axis=0)
        return fill(dw * (1.5 if wrong == 0 else 1), db * (wrong != 1)), d @ read(p)[0].T

    function.defvjp(forward, backward)
    return function


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("wrong", [None, 0, 1])
def test_every_leaf_of_a_pytree_is_judged(kind, wrong):
    p, read, fill, names = CONTAINERS[kind]
    p = jax.tree_util.tree_map(jax.numpy.asarray, p)

    report = gradcheck.check(dense(read, fill, wrong), p, X, explain=False)

    assert set(report.tensors) == {*names, "X"}
    assert report.tensors["X"].ok
    assert report.ok is (wrong is None)
    failed = {n for n, t in report.tensors.items() if t.verdict is Verdict.FAIL}
    assert len(failed) == (wrong is not None)


def test_a_function_of_a_pytree_alone_is_checked():
    report = gradcheck.check(lambda p: jax.numpy.sum(p["w"] ** 2), {"w": jax.numpy.asarray(W)})

    assert report.ok
    assert set(report.tensors) == {"p['w']"}


def test_outputs_in_containers_and_of_whole_numbers_are_no_matter():
    def function(x):
        return {"y": x**2, "which": jax.numpy.argmax(x)}

    report = gradcheck.check(function, jax.numpy.asarray(X))

    assert report.ok, str(report)


def test_what_a_function_closes_over_is_named():
    table = jax.numpy.asarray(W)

    for function in (lambda x: x @ table, jax.jit(lambda x: x @ table)):
        report = gradcheck.check(function, jax.numpy.asarray(X), explain=False)

        assert report.ok
        assert [(a.name, a.role) for a in report.unchecked] == [("table", "constant")]


class Model:
    """Keeps a parameter that no gradient is taken of."""

    def __init__(self):
        self.W = jax.numpy.asarray(W)

    def __call__(self, x):
        return x @ self.W


def test_a_parameter_in_an_object_that_is_no_pytree_leaves_the_whole_undecided():
    report = gradcheck.check(Model(), jax.numpy.asarray(X), explain=False)

    assert report.verdict is Verdict.UNDECIDED
    assert [(a.name, a.role) for a in report.unchecked] == [("W", "parameter")]


def test_a_module_of_equinox_is_checked_as_what_is_called_and_as_an_argument():
    eqx = pytest.importorskip("equinox")
    module = eqx.nn.MLP(3, 2, 4, 1, key=jax.random.PRNGKey(0))
    x = jax.numpy.asarray(X[0])

    called = gradcheck.check(module, X[0])
    given = gradcheck.check(lambda module, x: module(x), module, x)

    names = {f"layers[{i}].{name}" for i in (0, 1) for name in ("weight", "bias")}
    assert called.ok, str(called)
    assert given.ok
    assert set(called.tensors) == {*names, "x"}
    assert set(given.tensors) == {*(f"module.{name}" for name in names), "x"}
    assert called.tensors["layers[0].weight"].role == "parameter"


def test_the_variables_of_flax_are_checked():
    linen = pytest.importorskip("flax.linen")
    model = linen.Dense(2)
    variables = model.init(jax.random.PRNGKey(0), X)

    report = gradcheck.check(model.apply, variables, jax.numpy.asarray(X))

    assert report.ok, str(report)
    assert {"variables['params']['kernel']", "variables['params']['bias']"} < set(report.tensors)


def test_a_module_of_nnx_is_checked():
    nnx = pytest.importorskip("flax.nnx")
    module = nnx.Linear(3, 2, rngs=nnx.Rngs(0))

    report = gradcheck.check(module, X.astype(np.float32), explain=False)

    assert set(report.tensors) == {"kernel", "bias", "inputs"}
    assert Verdict.FAIL not in {t.verdict for t in report.tensors.values()}


@jax.custom_vjp
def tanh_dense(x, w):
    return jax.numpy.tanh(x @ w)


def tanh_dense_forward(x, w):
    y = jax.numpy.tanh(x @ w)
    return y, (x, w, y)


def tanh_dense_backward(kept, g):
    x, w, y = kept
    d = g * (1 - y)
    return d @ w.T, x.T @ d


tanh_dense.defvjp(tanh_dense_forward, tanh_dense_backward)


def test_the_line_of_a_custom_vjp_is_told():
    """JAX cannot be forked: the function goes to a new interpreter, which pickle alone refuses."""
    rng = np.random.default_rng(0)
    x, w = (jax.numpy.asarray(rng.normal(size=shape)) for shape in ((5, 4), (4, 3)))

    report = gradcheck.check(tanh_dense, x, w, budget=120.0)

    first = report.explanations[0]
    assert set(first.tensors) == {"x", "w"}
    assert "`d = g * (1 - y)` -> `d = g * (1 - y ** 2)`" in first.fix


def test_another_process_computes_in_the_precision_of_this_one():
    with jax.enable_x64(True):
        packed = executor.pack(partial(float64_of, jax.numpy.ones(2, dtype="float64")))
    with Interpreter() as there:
        assert there.call(opened, (packed,), 120) == "float64"


def float64_of(array):
    return str((array + jax.numpy.ones(2)).dtype)


def opened(packed):
    return executor._open(packed)
