"""A backward in which one operator or number was exchanged: the line is told."""

from __future__ import annotations

import ast
import copy
import importlib.util
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
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
X = np.array([[0.7, -1.3, 0.4], [-0.6, 1.9, -2.2]])


def tokens(tree: ast.Module) -> list[ast.BinOp | ast.Constant]:
    """Return the operators and numbers of the backward."""
    backward = tree.body[1].body[1]
    return [node for node in ast.walk(backward) if isinstance(node, ast.BinOp | ast.Constant)]


def exchanged() -> Iterator[str]:
    """Yield the layer with one of these exchanged, once for each other one."""
    right = ast.parse(LAYER)
    for number, token in enumerate(tokens(right)):
        field = "op" if isinstance(token, ast.BinOp) else "value"
        others = (
            [kind() for kind in OPERATORS if not isinstance(token.op, kind)]
            if isinstance(token, ast.BinOp)
            else [token.value + 1, token.value - 1]
        )
        for other in others:
            wrong = copy.deepcopy(right)
            setattr(tokens(wrong)[number], field, other)
            yield ast.unparse(wrong)


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
