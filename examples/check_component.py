"""Checks the partial derivatives of a component as OpenMDAO has them, each by its names."""

from __future__ import annotations

import numpy as np

import gradcheck


class Polar:
    def compute(self, inputs, outputs):
        outputs["x"] = inputs["r"] * np.cos(inputs["angle"])
        outputs["y"] = inputs["r"] * np.sin(inputs["angle"])

    def compute_partials(self, inputs, partials):
        partials["x", "r"] = np.diag(np.cos(inputs["angle"]))
        partials["x", "angle"] = np.diag(inputs["r"] * np.sin(inputs["angle"]))  # the sign is lost
        partials["y", "r"] = np.diag(np.sin(inputs["angle"]))
        partials["y", "angle"] = np.diag(inputs["r"] * np.cos(inputs["angle"]))


def main():
    print(gradcheck.check(Polar(), {"r": np.array([1.0, 2.0]), "angle": np.array([0.3, 1.1])}))


if __name__ == "__main__":
    main()
