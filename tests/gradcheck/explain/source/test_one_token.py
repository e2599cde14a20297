"""A backward in which one operator or number was exchanged: the line is told."""

from __future__ import annotations

import ast
import importlib.util
import tokenize
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import gradcheck

LAYER = ast.unparse(
    ast.parse(
        """
import numpy as np

class Layer:
    def forward(self, x):
        self.x, self.y = x, 1 / (1 + np.exp(-x))
        return 0.3 * self.y * x + np.where(x > 0, 2 * x, 0.1 * x)

    def backward(self, grad):
        slope = self.y * (1 - self.y)
        ramp = np.where(self.x > 0, 2, 0.1)
        return grad * (0.3 * (self.y + self.x * slope) + ramp)
"""
    )
)
OPERATORS = ("+", "-", "*", "/", "**")
X = np.array([[0.7, -1.3, 0.4], [-0.6, 1.9, -2.2]])


def others(token: tokenize.TokenInfo) -> list[str]:
    """Return what may stand for an operator or a number by mistake."""
    if token.string in OPERATORS:
        return [other for other in OPERATORS if other != token.string]
    if token.type == tokenize.NUMBER:
        number = ast.literal_eval(token.string)
        return [str(number + 1), str(number - 1)]
    return []


def exchanged() -> Iterator[str]:
    """Yield the layer with one token of the backward exchanged, once for each other one.

    What binds more or less closely than the operator before joins other operands.
    """
    begin = LAYER[: LAYER.index("def backward")].count("\n") + 1
    lines = LAYER.splitlines(keepends=True)
    for token in tokenize.generate_tokens(iter(lines).__next__):
        (row, first), (_, last) = token.start, token.end
        for other in others(token) if row > begin else ():
            line = lines[row - 1]
            changed = line[:first] + other + line[last:]
            yield "".join([*lines[: row - 1], changed, *lines[row:]])


def made(source: str, folder: Path):
    path = folder / f"layer_{abs(hash(source))}.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Layer()


def gradient(layer) -> np.ndarray:
    with np.errstate(all="ignore"):
        layer.forward(X)
        return layer.backward(np.ones_like(X))


@pytest.mark.parametrize("source", list(exchanged())[::2])
def test_the_line_of_the_exchange_is_told(source, tmp_path):
    layer = made(source, tmp_path)
    if not np.allclose(gradient(layer), gradient(made(LAYER, tmp_path)), equal_nan=True):
        report = gradcheck.check(layer, X)
        lines = zip(source.splitlines(), LAYER.splitlines(), strict=True)
        (line,) = (number for number, (own, right) in enumerate(lines, 1) if own != right)

        assert report.verdict is gradcheck.Verdict.FAIL
        told = {edit.line for e in report.explanations for edit in e.edits}
        assert line in told, f"{source}\n{report}"
