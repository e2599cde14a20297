"""The run at the point of a check, with what it did to what it was given.

What the contract asks about is seen in the very run whose gradients are judged, so that none is
made twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.checking.evaluator import Evaluator
from gradcheck.numerics.blockwise import blocks, largest, same
from gradcheck.target import ForwardRun
from gradcheck.values import TargetError

# Agreement of two computations of the same thing by other orders of summation, in roundings.
ROUNDINGS = 1e3


@dataclass(frozen=True)
class BaseRun:
    """A forward and its backward.

    Attributes
    ----------
    outputs, analytic
        Copies of the outputs and of the gradients.
    changed_by_forward, changed
        The tensors that were changed in place, by the forward or after the backward, and by how
        much at most.
    cotangent_kept
        Whether the cotangent is the same, bit for bit, after the backward.
    shared
        The gradients that share memory with what the layer was given, in words.
    repeats
        Whether a second backward is known to give the same.
    """

    outputs: Outputs
    analytic: dict[str, Array]
    changed_by_forward: dict[str, float]
    changed: dict[str, float]
    cotangent_kept: bool
    shared: list[str]
    repeats: bool = False

    @classmethod
    def of(
        cls, evaluator: Evaluator, run: ForwardRun, tensors: Tensors, cotangents: Outputs
    ) -> BaseRun:
        """Run the backward of a forward at ``tensors``."""
        handed = {name: tensors[name] for name in run.handed}
        changed_by_forward = changed(handed, run.handed)
        sent = tuple(v.copy() for v in cotangents)
        evaluator.backwards += 1
        with np.errstate(all="ignore"):
            returned = run.pullback(sent)
        analytic = {name: np.array(gradient) for name, gradient in returned.items()}
        for name, gradient in analytic.items():
            if gradient.dtype.kind not in "fiub":
                raise TargetError(
                    f"the gradient of {name}, whose numbers are real, has dtype {gradient.dtype}; "
                    "return real numbers, such as gradient.real of complex ones"
                )
        return cls(
            run.outputs,
            analytic,
            changed_by_forward,
            changed(handed, run.handed),
            all(map(same, sent, cotangents)),
            _shared(returned, run.handed, sent),
        )


def agrees(gradient: Array, other: Array | None, eps: float, factor: float = 1.0) -> bool:
    """Whether ``other`` is ``factor`` times a gradient, up to roundings of size ``eps``."""
    if other is None or other.shape != gradient.shape:
        return False
    allowed = ROUNDINGS * eps * largest(gradient)
    return all(_close(b, factor * a, allowed) for a, b in blocks(gradient, other))


def changed(before: Mapping[str, Array], after: Mapping[str, Array]) -> dict[str, float]:
    """Return the arrays that are not the same bit for bit, and by how much at most.

    Measured at once: a layer's own arrays are put back in place before its next run.
    """
    return {
        name: float(np.max(np.abs(value - before[name])))
        for name, value in after.items()
        if name in before and not same(before[name], value)
    }


def _shared(returned: Mapping[str, Any], handed: Tensors, sent: Outputs) -> list[str]:
    given = {f"the tensor {name}": value for name, value in handed.items()}
    given |= {f"the cotangent {i}": value for i, value in enumerate(sent)}
    return [
        f"the gradient of {name} shares memory with {other}"
        for name, gradient in returned.items()
        for other, value in given.items()
        if np.shares_memory(gradient, value)
    ]


def _close(a: Array, b: Array, allowed: float) -> bool:
    with np.errstate(invalid="ignore"):
        if np.all(np.abs(a - b) <= allowed):
            return True
    return bool(np.allclose(a, b, rtol=0, atol=allowed, equal_nan=True))
