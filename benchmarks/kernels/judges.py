"""What says whether a kernel's numbers are those of its reference: ours, and fixed tolerances.

A fixed tolerance sees the numbers alone. They are outputs and gradients of the kernel, and of the
reference in float64, as lists of arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import gradcheck
from benchmarks.kernels.case import Kernel

Numbers = Sequence[Any]

# `rtol` and `atol` of `torch.testing.assert_close` where none are given.
TORCH_DEFAULTS = {"bfloat16": (1.6e-2, 1e-5), "float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5)}

# Bits of the fraction.
FRACTION = {"bfloat16": 7, "float16": 10, "float32": 23}
SMALLEST = {"bfloat16": 2.0**-126, "float16": 2.0**-14, "float32": 2.0**-126}

# How many times the error of the right kernel in float32 may be made by another one.
ROOM = 4.0


class Judgement(NamedTuple):
    """What a judge says: whether the kernel is right, None for undecided, and what is wrong."""

    ok: bool | None
    kind: str = ""


def ours(
    kernel: Kernel, function: Callable[..., Any], inputs: Sequence[Any], seed: int
) -> Judgement:
    """Judge by the error model, with what the kernel declares of its sums.

    What cannot be compared is undecided, for the reason of that name.
    """
    try:
        report = gradcheck.compare_to_reference(
            function,
            *inputs,
            reference=kernel.reference,
            accumulator=kernel.accumulator,
            intermediates=kernel.intermediates,
            seed=seed,
        )
    except Exception as error:
        return Judgement(None, type(error).__name__)
    return Judgement(report.ok, str(report.kind))


def torch_defaults(got: Numbers, reference: Numbers, dtype: str) -> bool:
    """Judge as `torch.testing.assert_close` does without tolerances."""
    rtol, atol = TORCH_DEFAULTS[dtype]
    return all(_close(g, r, rtol, atol) for g, r in zip(got, reference, strict=True))


def within(atol: float) -> Callable[[Numbers, Numbers, str], bool]:
    """Return the judge by one absolute tolerance."""
    return lambda got, reference, dtype: all(
        _close(g, r, 0.0, atol) for g, r in zip(got, reference, strict=True)
    )


def relative_norm(got: Numbers, reference: Numbers, dtype: str) -> bool:
    """Judge by the norm of the difference relative to that of the reference."""
    return all(
        bool(np.linalg.norm(g - r) <= 1e-2 * np.linalg.norm(r))
        for g, r in zip(got, reference, strict=True)
    )


BASELINES: dict[str, Callable[[Numbers, Numbers, str], bool]] = {
    "assert_close": torch_defaults,
    "atol 1e-2": within(1e-2),
    "atol 1e-3": within(1e-3),
    "norm 1e-2": relative_norm,
}


def exceeds_rounding(got: Numbers, reference: Numbers, single: Numbers, dtype: str) -> bool:
    """Say whether a kernel is off by more than rounding, without asking any judge.

    An entry is, if it is off by more than an ulp, for the rounding of the result to nearest or
    toward zero, and `ROOM` times the largest error that the right kernel makes in the same tensor
    when it is given the same numbers in float32 (`single`), for all roundings before.
    """
    return any(
        bool(np.any(~(np.abs(g - r) <= _ulp(r, dtype) + ROOM * np.max(np.abs(s - r)))))
        for g, r, s in zip(got, reference, single, strict=True)
    )


def _close(got: Any, reference: Any, rtol: float, atol: float) -> bool:
    return bool(np.allclose(got, reference, rtol=rtol, atol=atol))


def _ulp(value: Any, dtype: str) -> Any:
    _, exponent = np.frexp(np.maximum(np.abs(value), SMALLEST[dtype]))
    return np.ldexp(1.0, exponent - 1 - FRACTION[dtype])
