"""The audit of libraries: what is a function of one variable, its truth, and kinds of errors."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from mpmath import mp

from benchmarks.audit import table, worker
from benchmarks.audit.classify import Kind, disagreements
from benchmarks.audit.forms import Alone, Beside, InRow
from benchmarks.audit.libraries.library import same_dtype
from benchmarks.audit.measure import measure
from benchmarks.audit.slices import slices
from benchmarks.audit.truth import UNDEFINED, slope


class Pair:
    """A function of arrays and its gradient, as a library would have them."""

    def __init__(self, forward: Callable, gradient: Callable) -> None:
        self.forward, self.gradient = forward, gradient

    def __call__(self, *arrays):
        return self.forward(*arrays)


class Small:
    """A library of one operator."""

    version = "1"
    dtypes = ("float64", "float32")

    def operators(self) -> Iterator:
        return iter(())

    def value(self, function, x, dtype):
        with np.errstate(all="ignore"):
            return np.asarray(function(x.astype(dtype)), dtype=np.float64)

    def slope(self, function, x, dtype):
        given = x.astype(dtype)
        with np.errstate(all="ignore"):
            result = np.asarray(function(given))
            gradient = function.gradient(given) if isinstance(function, Pair) else result
        same_dtype(result, given)
        return result.astype(np.float64), np.asarray(gradient, dtype=np.float64)

    def full_like(self, x, c):
        return np.full_like(x, c)

    def stack(self, columns):
        return np.stack(columns, -1)


def found(name: str, forward: Callable, gradient: Callable) -> set[tuple[str, Kind, bool]]:
    """Return what the audit says of one operator: dtype, kind, and whether it is confirmed."""
    (each,) = slices(Small(), name, Pair(forward, gradient))
    said = disagreements(measure(Small(), each, ["float64", "float32"]))
    return {(dtype, d.kind, d.confirmed) for dtype, d in said if d.kind is not Kind.ABSORBED}


RIGHT = {
    "sin": (np.sin, np.cos),
    "square": (np.square, lambda x: 2 * x),
    "abs": (np.abs, np.sign),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "floor": (np.floor, np.zeros_like),
    "exp": (np.exp, np.exp),
    "of no formula": (lambda x: x * np.arctan(x), lambda x: np.arctan(x) + x / (1 + x * x)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_gradient_is_not_reported(name):
    assert found(name, *RIGHT[name]) == set()


def sinc_gradient(x):
    with np.errstate(all="ignore"):
        p = x.dtype.type(np.pi)
        slope = (p * x * np.cos(p * x) - np.sin(p * x)) / (p * x * x)
    return np.where(x == 0, x.dtype.type(0), slope)


WRONG = {
    Kind.WRONG: ("sin", np.sin, lambda x: np.cos(x) * x.dtype.type(1.1), "float64"),
    Kind.NAN: ("square", np.square, lambda x: np.where(x == 0, np.nan, 2 * x), "float64"),
    Kind.OVERFLOW: ("tanh", np.tanh, lambda x: np.where(x > 80, np.inf, 1 - np.tanh(x) ** 2),
                    "float64"),
    Kind.KINK: ("abs", np.abs, lambda x: np.where(x == 0, 2, np.sign(x)), "float64"),
    Kind.TAIL: ("square", np.square, lambda x: np.where(x > 1000, 0, 2 * x), "float64"),
    Kind.CONSTANT: ("square", np.square, lambda x: 6 * np.float64(np.float32(1 / 3)) * x,
                    "float64"),
    Kind.CANCELLATION: ("sinc", np.sinc, sinc_gradient, "float32"),
    Kind.PRECISION: ("sin", np.sin, lambda x: np.cos(x) + 1e-10 * np.sin(3 * x), "float64"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_gradient_is_reported_as_what_it_is(kind):
    name, forward, gradient, dtype = WRONG[kind]
    assert (dtype, kind, True) in found(name, forward, gradient)


def test_what_no_formula_confirms_is_said_so_in_float64_alone():
    def late(x):
        slope = np.arctan(x) + x / (1 + x * x)
        return slope * x.dtype.type(1.1) if x.dtype == np.float32 else slope

    def forward(x):
        return x * np.arctan(x)

    assert found("x", forward, late) == {
        ("float32", Kind.WRONG, True),
        ("float32", Kind.TAIL, True),
    }
    wrong = found("x", forward, lambda x: 1.1 * np.arctan(x) + x / (1 + x * x))
    assert ("float64", Kind.WRONG, False) in wrong
    assert not any(confirmed for _, _, confirmed in wrong)


def test_a_formula_of_another_function_is_no_truth():
    # leaky under the name of another function: its own numbers judge it
    def leaky(x):
        return np.where(x > 0, x, x.dtype.type(0.125) * x)

    right = found("square", leaky, lambda x: np.where(x > 0, x.dtype.type(1), x.dtype.type(0.125)))
    assert right == set()


@pytest.mark.parametrize(
    "function", [np.sin, np.exp, np.log1p, np.expm1, np.arctan, np.cbrt, np.sinc, np.tanh, np.abs]
)
def test_the_bound_of_the_engine_holds_at_every_point(function):
    (each,) = slices(Small(), function.__name__, Pair(function, np.zeros_like))
    readings = measure(Small(), each, ["float64"])["float64"]
    judged = [r for r in readings if r.numbers.exact and r.numbers.measured]
    assert len(judged) > 30
    assert not any(r.engine_contradicts for r in judged)


def test_a_bound_that_does_not_hold_is_an_error_of_the_engine():
    (each,) = slices(Small(), "sin", Pair(np.sin, np.cos))
    (reading,) = [r for r in measure(Small(), each, ["float64"])["float64"] if r.x == 1.0]
    off = replace(reading.numbers.measured, low=0.5403, high=0.5403)
    wrong = replace(reading, numbers=replace(reading.numbers, measured=off))
    assert wrong.engine_contradicts
    assert not reading.engine_contradicts


def test_a_function_is_taken_entry_by_entry_or_as_pair_or_by_rows():
    def forms(function):
        class Known(Small):
            def slope(self, f, x, dtype):
                y = self.value(f, x, dtype)
                same_dtype(y, x)
                return y, np.zeros_like(y)

        return [each.form for each in slices(Known(), "f", function)]

    assert forms(np.sin) == [Alone()]
    assert Beside(2.5, True) in forms(np.hypot)
    assert forms(np.sort) == [InRow(0), InRow(1)]
    assert forms(lambda x, axis: np.sqrt(np.sum(x * x, axis))) == [InRow(None, (-1,))]
    assert forms(lambda x: np.random.default_rng().normal(size=x.shape)) == []
    assert forms(lambda x: x) == []
    assert Alone() not in forms(np.cumsum)
    assert Alone() not in forms(lambda x: x / np.sqrt(np.mean(x * x)))
    assert Alone() not in forms(lambda x: x / np.max(x))


def test_the_slope_of_a_formula_is_that_of_its_sides():
    assert slope(mp.sin, 0.3).low == pytest.approx(math.cos(0.3), rel=1e-15)
    kink = slope(abs, 0.0)
    assert (kink.low, kink.high) == (-1, 1)
    assert slope(mp.sqrt, 0.0) is UNDEFINED
    assert slope(mp.floor, 1.0) is UNDEFINED
    assert slope(mp.log, -1.0) is None
    end = slope(lambda x: mp.sqrt(x) ** 3, 0.0)
    assert end.beyond(0.0) == 0.0


def test_a_library_is_audited_operator_by_operator(monkeypatch):
    class Known(Small):
        def operators(self):
            yield "sin", Pair(np.sin, np.cos)
            yield "square", Pair(np.square, lambda x: 3 * x)
            yield "cosh", Pair(np.cosh, np.cosh)
            yield "where", np.where

    monkeypatch.setattr(worker, "load", lambda name: Known())
    result = worker.audit("known", ["float32", "bfloat16"], "^[sw]")
    assert (result.offered, result.operators, result.slices) == (3, 2, 2)
    assert set(result.readings) == {"float32"}
    assert {(f.operator, f.dtype) for f in result.found} == {("square", "float32")}
    assert result.ours == result.late == []


def test_the_tables_show_what_disagrees_and_count_the_rest():
    one = {
        "operator": "sinc",
        "form": "f(x)",
        "dtype": "float32",
        "confirmed": True,
        "points": 2,
        "kind": str(Kind.CANCELLATION),
        "worst": (1e-3, 0.0, 2e-3, 1.0),
        "curve": [],
    }
    audit = {"library": "tiny", "version": "1", "operators": 3, "slices": 4,
             "readings": {"float32": 90}, "undecided": {"float32": 1},
             "found": [one, one | {"kind": str(Kind.ABSORBED), "operator": "softmax"}],
             "ours": [], "late": ["sort"]}  # fmt: skip
    (_, _, row) = table.counts([audit], ["float64", "float32"])
    assert row == "| tiny 1 | 3 | 4 | - | 90 | - | 1 | - | 0 | 1 | 0 |"
    (_, _, row) = table.disagreements([audit], confirmed=True)
    assert row.startswith("| cancellation near a point | tiny | sinc | float32 |")
    assert len(list(table.disagreements([audit], confirmed=False))) == 2
