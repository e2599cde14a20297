"""The page of the properties, written from the suites themselves.

Run as a script, it writes the tables of ``docs/properties.md``::

    python -m scripts.properties_page

What a property allows is recorded while it judges a right function: it is what is really allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from scipy.special import expit, log_softmax, softmax, xlogy

from gradcheck.properties import SUITES, Property, Status, run_properties, suite
from gradcheck.properties.tolerance import Tolerance

PAGE = Path(__file__).parents[1] / "docs" / "properties.md"

# A few inputs show every allowance a property has.
EXAMPLES = 3

# What stands above this line of the page is written by hand.
MARK = "<!-- What follows is written by scripts/properties_page.py. -->"


def write() -> str:
    """Return the text of the page, its head as it is."""
    head = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    return "\n".join([f"{head}{MARK}\n", *map(_section, SUITES)])


def _section(name: str) -> str:
    allowed = _allowances(name)
    lines = [f"## The suite `{name}`", "", "| property | what must hold | why | allowed |"]
    lines.append("| --- | --- | --- | --- |")
    for prop in suite(name).properties:
        origins = "; ".join(allowed.get(prop.name, ())) or "nothing: it holds or it does not"
        cells = (_title(prop), prop.description, prop.why, origins)
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join([*lines, ""])


def _title(prop: Property) -> str:
    needs = ", ".join(prop.needs)
    return f"`{prop.name}`" + (f" (needs: {needs})" if needs else "")


def _allowances(name: str) -> dict[str, list[str]]:
    """Return, by property, where the errors it allowed come from."""
    allowed: dict[str, list[str]] = {}
    passed = set()
    for fn, options in RIGHT[name]:
        for prop in suite(name).names:
            with recorded() as origins:
                report = run_properties(name, fn, only=[prop], examples=EXAMPLES, seed=0, **options)
            if report.results[0].status is Status.PASSED:
                passed.add(prop)
                known = allowed.setdefault(prop, [])
                known += [origin for origin in dict.fromkeys(origins) if origin not in known]
    if missing := set(suite(name).names) - passed:
        raise ValueError(f"no right {name} is known here that is asked for {sorted(missing)}")
    return allowed


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Yield the list of the origins of all allowances that are made in the block."""
    origins: list[str] = []
    bound = Tolerance.bound

    def recording(self: Tolerance, expected: Any) -> Any:
        origins.append(self.origin)
        return bound(self, expected)

    with mock.patch.object(Tolerance, "bound", recording):
        yield origins


def _softmax_vjp(x: Any, g: Any) -> Any:
    p = softmax(x, axis=-1)
    return p * (g - np.sum(p * g, axis=-1, keepdims=True))


def _log_softmax_vjp(x: Any, g: Any) -> Any:
    return g - softmax(x, axis=-1) * np.sum(g, axis=-1, keepdims=True)


def _cross_entropy(p: Any, t: Any) -> Any:
    return -np.sum(xlogy(t, np.maximum(p, 1e-300))) / np.atleast_2d(p).shape[0]


def _cross_entropy_of_logits(z: Any, t: Any) -> Any:
    return -np.sum(t * log_softmax(z, axis=-1)) / np.atleast_2d(z).shape[0]


def _binary_cross_entropy(z: Any, t: Any) -> Any:
    return np.mean(np.logaddexp(0, z) - z * t)


def _squared_error(p: Any, t: Any) -> Any:
    return np.mean((p - t) ** 2)


class _Dense:
    def __init__(self) -> None:
        self.W, self.b = np.random.default_rng(0).normal(size=(3, 2)), np.zeros(2)

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.W + self.b

    def backward(self, g: Any) -> Any:
        self.dW, self.db = self.x.T @ g, g.sum(axis=0)
        return g @ self.W.T


class _Momentum:
    def __init__(self) -> None:
        self.velocity: dict[int, Any] = {}

    def step(self, params: Any, grads: Any) -> None:
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            self.velocity[i] = 0.5 * self.velocity.get(i, np.zeros_like(p)) - p.dtype.type(0.1) * g
            p += self.velocity[i]


def _tanh_slope(x: Any) -> Any:
    return 1 - np.tanh(x) ** 2


# Right functions with everything a suite can ask for.
RIGHT: dict[str, list[tuple[Any, dict[str, Any]]]] = {
    "softmax": [(softmax, {"backward": _softmax_vjp, "log_softmax": log_softmax})],
    "log_softmax": [(log_softmax, {"backward": _log_softmax_vjp, "softmax": softmax})],
    "loss": [
        (_cross_entropy, {"backward": lambda p, t: (p - t) / len(p)}),
        (_cross_entropy_of_logits, {"backward": lambda z, t: (softmax(z, axis=-1) - t) / len(z)}),
        (_binary_cross_entropy, {"backward": lambda z, t: (expit(z) - t) / z.size}),
        (_squared_error, {"backward": lambda p, t: 2 * (p - t) / p.size}),
    ],
    "activation": [(np.tanh, {"derivative": _tanh_slope}), (lambda x: np.maximum(x, 0), {})],
    "layer": [(_Dense(), {"x": np.ones((2, 3))})],
    "optimizer": [(_Momentum, {})],
}


if __name__ == "__main__":
    PAGE.write_text(write(), encoding="utf-8")
    print(f"written: {PAGE}")
