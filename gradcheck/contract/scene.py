"""The runs that the promises of a contract look at, so that none is made twice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradcheck.point import Lab
from gradcheck.target import Array, Outputs, Run, Tensors

# Agreement of two computations of the same thing by other orders of summation, in roundings.
ROUNDINGS = 1e3


class Scene:
    """A layer with the runs that several promises look at, so that none is made twice."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.probe = lab.native
        self.tensors: Tensors = lab.native.target.tensors
        self.cotangents = tuple(
            v.astype(y.dtype) if y.dtype.kind == "f" else v
            for v, y in zip(lab.native_base.cotangents, lab.native_base.outputs, strict=True)
        )
        self.first = self._fresh()
        self.before = {name: value.copy() for name, value in self.first.handed.items()}
        handed = {name: self.tensors[name] for name in self.first.handed}
        self.inputs_after_forward = changed(handed, self.first.handed)
        self.sent = tuple(v.copy() for v in self.cotangents)
        self.probe.backwards += 1
        with np.errstate(all="ignore"):
            claimed = self.first.pullback(self.sent)
        self.raw = {name: np.asarray(gradient) for name, gradient in claimed.items()}
        self.claimed = {name: value.copy() for name, value in self.raw.items()}
        self.mutated = changed(handed, self.first.handed)

    def _fresh(self) -> Run:
        return self.probe.run(self.tensors)

    def pull(self, cotangents: Outputs) -> dict[str, Array]:
        """Run forward and backward afresh."""
        return self.probe.pull(self._fresh(), cotangents)

    def agrees(self, name: str, other: Array | None, factor: float = 1.0) -> bool:
        """Whether ``other`` is ``factor`` times the claim for ``name``, up to rounding."""
        claim = self.claimed[name]
        if other is None or other.shape != claim.shape:
            return False
        if np.array_equal(other, factor * claim):
            return True
        finite = np.abs(claim[np.isfinite(claim)])
        allowed = ROUNDINGS * self.lab.eps * float(finite.max(initial=0.0))
        return bool(np.allclose(other, factor * claim, rtol=0, atol=allowed, equal_nan=True))

    def near(self, output: Array, position: int) -> bool:
        """Whether ``output`` is the output at ``position`` of the first run, up to rounding."""
        first = self.first.outputs[position]
        size = float(np.max(np.abs(first[np.isfinite(first)]), initial=0.0))
        allowed = ROUNDINGS * self.lab.eps * size
        return output.shape == first.shape and bool(
            np.allclose(output, first, rtol=0, atol=allowed, equal_nan=True)
        )


def changed(before: Mapping[str, Array], after: Mapping[str, Array]) -> list[str]:
    """Return the names of the arrays that are not the same bit for bit."""
    return [
        name
        for name, value in after.items()
        if name in before
        and not np.array_equal(before[name], value, equal_nan=value.dtype.kind == "f")
    ]
