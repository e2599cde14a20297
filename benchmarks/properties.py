"""Race of the softmax suite against property tests as people write them with Hypothesis today.

Run with ``python -m benchmarks.properties``, a minute. Both try so many inputs per property; what
counts is how long that takes, which wrong softmaxes are refused and whether right ones are.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st
from scipy.special import log_softmax
from scipy.special import softmax as scipy_softmax

from gradcheck.properties import run_properties

Softmax = Callable[[Any], Any]
GOAL_SECONDS = 10.0
# Wrong softmaxes are tried with fewer inputs, which is kinder to the rival: its runs end early too.
EXAMPLES_PER_FAULT = 50


def right(x: Any, axis: int = -1) -> Any:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def vjp(x: Any, g: Any) -> Any:
    p = right(x)
    return p * (g - np.sum(p * g, axis=-1, keepdims=True))


def by_rows(x: Any) -> Any:
    p = np.empty(x.shape, np.result_type(x, np.float32))
    for i in np.ndindex(x.shape[:-1]):
        e = np.exp(x[i] - np.max(x[i]))
        p[i] = e / e.sum()
    return p


def by_columns(x: Any) -> Any:
    e = np.exp(np.asarray(x).T - np.max(x, axis=-1).T)
    return (e / e.sum(axis=0)).T


RIGHT: dict[str, Softmax] = {
    "keepdims": right,
    "row by row": by_rows,
    "transposed": by_columns,
    "scipy": lambda x: scipy_softmax(x, axis=-1),
    "exp of log-softmax": lambda x: np.exp(log_softmax(x, axis=-1)),
}


def _ratio(e: Any, axis: int | None = -1) -> Any:
    return e / e.sum(axis=axis, keepdims=axis is not None)


def _in_place(x: Any) -> Any:
    x -= x.max(axis=-1, keepdims=True)
    return _ratio(np.exp(x))


def _columns_if_square(x: Any) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / (
        e.sum(axis=-1) if x.ndim == 2 and x.shape[0] == x.shape[1] else e.sum(-1)[..., None]
    )


WRONG: dict[str, Softmax] = {
    "whole array": lambda x: _ratio(np.exp(x - np.max(x)), None),
    "maximum of whole array": lambda x: _ratio(np.exp(x - np.max(x))),
    "sum of whole array": lambda x: _ratio(np.exp(x - x.max(-1, keepdims=True)), None),
    "first axis": lambda x: right(x, axis=0),
    "keepdims forgotten": _columns_if_square,
    "no maximum": lambda x: _ratio(np.exp(x)),
    "maximum not below 0": lambda x: _ratio(np.exp(x - np.maximum(x.max(-1, keepdims=True), 0))),
    "first entry for maximum": lambda x: _ratio(np.exp(x - x[..., :1])),
    "guarded sum": lambda x: (
        np.exp(x - x.max(-1, keepdims=True))
        / (np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True) + 1e-8)
    ),
    "clipped logits": lambda x: right(np.clip(x, -100, 100)),
    "clipped result": lambda x: np.clip(right(x), 1e-15, 1.0),
    "in place": _in_place,
    "float32 inside": lambda x: right(np.asarray(x, np.float32)).astype(x.dtype),
    "always float64": lambda x: right(np.asarray(x, np.float64)),
    "NaN replaced": lambda x: np.nan_to_num(right(x)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "base 2": lambda x: _ratio(np.exp2(x - x.max(-1, keepdims=True))),
    "negated": lambda x: right(-x),
    "temperature": lambda x: right(x / 0.9),
    "squeezed": lambda x: np.squeeze(right(x)),
    "rounded": lambda x: np.round(right(x), 8),
}

ROWS = hnp.arrays(
    np.float64, hnp.array_shapes(min_dims=1, max_dims=2, max_side=5), elements=st.floats(-50, 50)
)
SETTINGS = {"deadline": None, "database": None, "derandomize": True, "print_blob": False}


def _sums_to_one(softmax: Softmax, x: Any) -> None:
    np.testing.assert_allclose(softmax(x).sum(axis=-1), 1.0, rtol=1e-7)


def _in_unit_interval(softmax: Softmax, x: Any) -> None:
    p = softmax(x)
    assert np.all((p >= 0) & (p <= 1))


def _shift_invariant(softmax: Softmax, x: Any) -> None:
    np.testing.assert_allclose(softmax(x + 100.0), softmax(x), rtol=1e-7)


def _argmax_kept(softmax: Softmax, x: Any) -> None:
    p = softmax(x)
    best = x.argmax(axis=-1)[..., None]
    np.testing.assert_allclose(np.take_along_axis(p, best, -1), p.max(axis=-1, keepdims=True))


def _like_scipy(softmax: Softmax, x: Any) -> None:
    np.testing.assert_allclose(softmax(x), scipy_softmax(x, axis=-1), rtol=1e-7, atol=1e-12)


def _shape_kept(softmax: Softmax, x: Any) -> None:
    assert softmax(x).shape == x.shape


HAND_WRITTEN = (
    _sums_to_one,
    _in_unit_interval,
    _shift_invariant,
    _argmax_kept,
    _like_scipy,
    _shape_kept,
)


def _as_test(
    body: Callable[[Softmax, Any], None], softmax: Softmax, examples: int
) -> Callable[[], None]:
    @hypothesis.settings(max_examples=examples, **SETTINGS)
    @hypothesis.given(ROWS)
    def test(x: Any) -> None:
        body(softmax, x)

    return test


def hand_written(softmax: Softmax, examples: int) -> Iterator[bool]:
    """Yield whether each of the hand-written tests passes."""
    for body in HAND_WRITTEN:
        test = _as_test(body, softmax, examples)
        try:
            test()
        except (AssertionError, TypeError, ValueError, IndexError):
            yield False
        else:
            yield True


def ours(softmax: Softmax, examples: int) -> Iterator[bool]:
    """Yield whether each property of the suite holds, those left out for a reason left out."""
    report = run_properties("softmax", softmax, examples=examples)
    yield from (str(r.status) == "passed" for r in report.results if str(r.status) != "skipped")


def timed(examples: int) -> list[tuple[str, int, float]]:
    """Return for each party how many properties it tried on the same softmax, and the seconds."""
    options = {"backward": vjp, "log_softmax": log_softmax}
    rows = []
    list(ours(right, 1))  # importing is not running
    list(hand_written(right, 1))
    for name, run in (
        ("gradcheck", lambda: list(ours(right, examples))),
        ("gradcheck, with backward", lambda: _with_options(options, examples)),
        ("hand-written", lambda: list(hand_written(right, examples))),
    ):
        start = time.perf_counter()
        passed = run()
        rows.append((name, len(passed), time.perf_counter() - start))
        assert all(passed), name
    return rows


def _with_options(options: dict[str, Any], examples: int) -> list[bool]:
    report = run_properties("softmax", right, examples=examples, **options)
    assert report.ok, str(report)
    return [True] * len(report.results)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=200, help="inputs per property")
    examples = parser.parse_args(arguments).examples
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    print(f"a right softmax, {examples} inputs per property, {os.cpu_count()} cores, one used")
    print(f"{'':28}{'properties':>12}{'seconds':>12}{'per property':>14}")
    for name, count, seconds in timed(examples):
        print(f"{name:28}{count:>12}{seconds:>12.2f}{seconds / count:>14.3f}")
    print(f"goal: 25 properties within {GOAL_SECONDS:g} s\n")

    parties = {"gradcheck": ours, "hand-written": hand_written}
    print(f"{'':28}" + "".join(f"{name:>14}" for name in parties))
    refused = dict.fromkeys(parties, 0)
    for kind, softmaxes in (("right", RIGHT), ("wrong", WRONG)):
        for label, softmax in softmaxes.items():
            verdicts = {
                name: all(run(softmax, EXAMPLES_PER_FAULT)) for name, run in parties.items()
            }
            cells = "".join(f"{'passes' if ok else 'refused':>14}" for ok in verdicts.values())
            print(f"{kind + ': ' + label:28}{cells}")
            for name, ok in verdicts.items():
                refused[name] += kind == "wrong" and not ok
    print(
        f"{'wrong ones refused':28}"
        + "".join(f"{f'{n}/{len(WRONG)}':>14}" for n in refused.values())
    )


if __name__ == "__main__":
    main()
