"""A recording is that of its thread: other threads get plain arrays from NumPy meanwhile."""

from __future__ import annotations

import itertools
import threading

import numpy as np

from gradcheck.adapters import as_target
from gradcheck.checking.evaluator import Evaluator
from gradcheck.explain.trace.record import record


def test_other_threads_get_plain_arrays_while_a_forward_is_recorded():
    looks, traced = itertools.count(), itertools.count()  # which a check cannot turn back

    def look():
        next(looks)
        if {type(np.zeros(2)), type(np.array([1.0])), type(np.asarray([2.0]))} != {np.ndarray}:
            next(traced)

    def forward(x):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        return np.zeros(3) + x**2

    target = as_target((forward, lambda x, grad: 2 * x * grad), np.arange(3.0))
    before = next(looks)

    recording = record(Evaluator(target), target.tensors)

    assert recording is not None
    assert recording.gradient("x", (np.ones(3),)).tolist() == [0.0, 2.0, 4.0]
    assert next(looks) == before + 2
    assert next(traced) == 0
