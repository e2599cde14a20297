"""After a check everything is as it was: passed, failed, broken off, interrupted, from threads."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import gradcheck
from tests.support import ROOT
from tests.support.remembering_layers import LAYERS, Layer, everything, of_object

X = np.random.default_rng(0).normal(size=(5, 4))


def world():
    """Return what is to stay; of the process only where no other thread may have changed it."""
    return everything() if threading.active_count() == 1 else everything()[:2]


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("explain", [True, False])
def test_what_a_layer_changes_is_put_back(kind, explain):
    layer = kind()
    before, own = world(), of_object(layer)

    # changed code may wait for a lock that it keeps: for as long as there is time
    report = gradcheck.check(layer, X, explain=explain, budget=4.0)

    assert report.verdict is gradcheck.Verdict.FAIL
    assert world() == before
    assert of_object(layer) == own


@pytest.mark.parametrize("kind", LAYERS)
def test_what_a_layer_changed_before_it_broke_is_put_back(kind):
    class Broken(kind):
        def backward(self, grad):
            super().backward(grad)
            raise ZeroDivisionError("on purpose")

    layer = Broken()
    before, own = world(), of_object(layer)

    with pytest.raises(Exception, match="on purpose"):
        gradcheck.check(layer, X)

    assert world() == before
    assert of_object(layer) == own


INTERRUPTED = """
import random, signal, sys, time
import numpy as np
import gradcheck
from tests.support.remembering_layers import LAYERS, everything, of_object

X = np.random.default_rng(0).normal(size=(5, 4))
rng, began = random.Random(int(sys.argv[1])), time.monotonic()
gradcheck.check(LAYERS[0](), X, progress=False)
longest = time.monotonic() - began
for moment in range(int(sys.argv[2])):
    layer = rng.choice(LAYERS)()
    before, own = everything(), of_object(layer)
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, longest))
    try:
        gradcheck.check(layer, X, progress=False)
        signal.setitimer(signal.ITIMER_REAL, 0)  # in here, lest it rings after the check unheard
    except KeyboardInterrupt:
        pass
    if everything() != before:
        print(type(layer).__name__, *[(a, b) for a, b in zip(before, everything()) if a != b])
    if of_object(layer) != own:
        print(type(layer).__name__, of_object(layer), own)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers of signals")
def test_an_interruption_at_any_moment_leaves_all_as_it_was():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "1", "50"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.stdout, done.returncode) == ("", 0), done.stderr


def test_threads_that_check_one_class_leave_it_as_it_was():
    codes = [f.__code__ for f in vars(Layer).values() if hasattr(f, "__code__")]
    stdout, before = sys.stdout, everything()[0]
    wrong: list = []

    def check():
        report = gradcheck.check(Layer(), X, progress=False)
        if report.explanations[0].code != "factor_two":
            wrong.append(report)

    def use():
        right = np.tanh(X @ Layer().W)
        while any(thread.is_alive() for thread in threads):
            if not np.array_equal(Layer().forward(X), right) or type(np.zeros(2)) is not np.ndarray:
                wrong.append("other numbers")
            time.sleep(1e-4)  # a loop without a pause keeps the interpreter from those it watches

    threads = [threading.Thread(target=check) for _ in range(4)]
    user = threading.Thread(target=use)
    for thread in (*threads, user):
        thread.start()
    for thread in (*threads, user):
        thread.join()

    assert wrong == []
    assert [f.__code__ for f in vars(Layer).values() if hasattr(f, "__code__")] == codes
    assert sys.stdout is stdout
    assert everything()[0] == before
