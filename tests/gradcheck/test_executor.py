"""A check made by an executor gives the report that is made here, whatever befalls a worker."""

from __future__ import annotations

import importlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import gradcheck

LAYERS = '''
import multiprocessing, os, signal
import numpy as np

class Dense:
    """Right in W and x; the bias gradient keeps the last sample."""
    def __init__(self):
        rng = np.random.default_rng(0)
        self.W, self.b = rng.normal(size=(4, 3)), rng.normal(size=3)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, g):
        self.dW, self.db = self.x.T @ g, g[-1]
        return g @ self.W.T

class Dropout:
    """Draws from the global generator, whose state has to travel with it."""
    def forward(self, x):
        self.mask = (np.random.random(x.shape) < 0.5) / 0.5
        return x * self.mask
    def backward(self, g):
        return g * self.mask

class Deadly(Dense):
    """Kills the processes of a pool."""
    def __init__(self):
        super().__init__()
        self.home = multiprocessing.parent_process()
    def forward(self, x):
        if multiprocessing.parent_process() is not self.home:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(x)

class Moody(Dense):
    """Raises where it is moved far enough."""
    def forward(self, x):
        if not np.array_equal(x, np.ones((5, 4))):
            raise RuntimeError("no mood for this input")
        return super().forward(x)
'''


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layers")
    (folder / "layers_of_a_user.py").write_text(LAYERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield importlib.import_module("layers_of_a_user")


@pytest.fixture(scope="module")
def processes():
    # spawned, since forking a process with threads is unsafe
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield pool


def inputs():
    return np.random.default_rng(1).normal(size=(5, 4))


def test_processes_give_the_identical_report(layers, processes):
    here = gradcheck.check(layers.Dense(), inputs())
    there = gradcheck.check(layers.Dense(), inputs(), executor=processes)
    assert here.verdict is gradcheck.Verdict.FAIL
    assert here.to_dict() == there.to_dict()


def test_threads_give_the_identical_report(layers):
    here = gradcheck.check(layers.Dense(), inputs())
    with ThreadPoolExecutor(2) as pool:
        assert gradcheck.check(layers.Dense(), inputs(), executor=pool).to_dict() == here.to_dict()


def test_the_global_generator_travels_along(layers, processes):
    np.random.seed(3)  # noqa: NPY002 (the layer draws from it)
    here = gradcheck.check(layers.Dropout(), inputs())
    there = gradcheck.check(layers.Dropout(), inputs(), executor=processes)
    assert here.to_dict() == there.to_dict()


def test_a_network_is_checked_layer_by_layer_elsewhere(layers, processes):
    network = [layers.Dense()]
    here = gradcheck.check(network, inputs())
    there = gradcheck.check(network, inputs(), executor=processes)
    assert here.parts.keys() == {"layers[0]"}
    assert here.to_dict() == there.to_dict()


def test_killed_workers_change_nothing_but_a_warning(layers):
    here = gradcheck.check(layers.Deadly(), inputs())
    with (
        ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool,
        pytest.warns(RuntimeWarning, match="a worker gave no answer"),
    ):
        there = gradcheck.check(layers.Deadly(), inputs(), executor=pool)
    assert here.to_dict() == there.to_dict()


def test_what_a_layer_raises_elsewhere_is_raised_here(layers, processes):
    with pytest.raises(RuntimeError, match="no mood"):
        gradcheck.check(layers.Moody(), np.ones((5, 4)), executor=processes)


def test_what_cannot_be_sent_is_refused_with_the_way_out(processes, monkeypatch):
    monkeypatch.setitem(importlib.sys.modules, "cloudpickle", None)
    with pytest.raises(gradcheck.TargetError, match="Define it in a module"):
        gradcheck.check((lambda x: x**2, lambda x: 2 * x), np.ones(3), executor=processes)


class Impatient:
    """Presses Ctrl-C as soon as its parameter is moved, which is after the input was judged."""

    def __init__(self, features=4):
        self.W = np.ones((features, 3))

    def forward(self, x):
        if not (self.W == 1).all():
            raise KeyboardInterrupt
        self.x = x
        return x @ self.W

    def backward(self, g):
        self.dW = self.x.T @ g
        return g @ self.W.T


def test_interrupted_check_returns_what_was_judged():
    layer = Impatient()
    report = gradcheck.check(layer, inputs(), mode="element")  # one tensor after the other
    assert report.interrupted
    assert report.tensors["x"].verdict is gradcheck.Verdict.PASS
    assert report.tensors["W"].verdict is gradcheck.Verdict.UNDECIDED
    assert report.verdict is gradcheck.Verdict.UNDECIDED
    assert "interrupted" in str(report)
    np.testing.assert_array_equal(layer.W, np.ones((4, 3)))
    assert not hasattr(layer, "dW")


def test_interrupted_network_keeps_the_layers_that_were_judged(layers):
    report = gradcheck.check([layers.Dense(), Impatient(3)], inputs())
    assert report.interrupted
    assert report.parts["layers[0]"].verdict is gradcheck.Verdict.FAIL
    assert report.verdict is gradcheck.Verdict.FAIL


def test_interrupted_assertion_stops_the_test_run():
    with pytest.raises(KeyboardInterrupt, match="interrupted"):
        gradcheck.assert_gradients(Impatient(), inputs())


def are_alike(one, other):
    """Whether reports are the same, but for the last bits of numbers.

    Sums are rounded by where their terms lie in memory, and a bound is a multiple of roundings.
    """
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(are_alike(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(are_alike, one, other))
    if isinstance(one, float):
        return one == pytest.approx(other, rel=0.1, abs=1e-9)
    return one == other


@pytest.mark.integration
def test_dask_cluster_gives_the_identical_report_though_a_worker_is_killed(layers):
    distributed = pytest.importorskip("distributed")
    here = gradcheck.check(layers.Dense(), inputs())
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        executor = client.get_executor()
        first = gradcheck.check(layers.Dense(), inputs(), executor=executor)
        next(iter(cluster.workers.values())).process.process.kill()
        second = gradcheck.check(layers.Dense(), inputs(), executor=executor)
    for report in (first, second):
        assert are_alike(report.to_dict(), here.to_dict())


@pytest.mark.integration
def test_the_line_of_a_layer_of_a_script_is_found_elsewhere(processes):
    pytest.importorskip("cloudpickle")

    class Local:
        def forward(self, x):
            self.x = x
            return x**3

        def backward(self, grad):
            return 3 * self.x * grad

    here = gradcheck.check(Local(), inputs())
    there = gradcheck.check(Local(), inputs(), executor=processes)

    assert "test_executor.py" in here.explanations[0].fix
    assert here.to_dict() == there.to_dict()
