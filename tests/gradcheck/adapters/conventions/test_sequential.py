"""Layers in a row, whatever their forwards are called."""

from __future__ import annotations

import numpy as np

import gradcheck


class Scaled:
    """Its forward goes by two usual names, its backward too."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return self.apply(x)

    def apply(self, x):
        return self.factor * x

    def backward(self, grad):
        return self.factor * grad

    bprop = backward


def test_layers_of_several_usual_names_are_checked_one_by_one():
    report = gradcheck.check(
        [Scaled(2.0), Scaled(0.5)], np.random.default_rng(0).normal(size=(4, 3))
    )

    assert report.ok
    assert list(report.parts) == ["layers[0]", "layers[1]"]
