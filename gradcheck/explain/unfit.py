"""Claims that are no numbers to compare entry by entry: zeros, NaN, another shape."""

from __future__ import annotations

import numpy as np

from gradcheck.result import Explanation
from gradcheck.target import Array


def zero(name: str, size: int, *, missing: bool) -> Explanation:
    """Explain a gradient of zeros, or none at all."""
    what = "no gradient was returned or stored" if missing else f"all {size} entries claimed are 0"
    return Explanation(
        "zero_gradient",
        name,
        1.0,
        f"{what}; the numerical gradient is not zero",
        f"the backward leaves the gradient of {name} at zero",
        f"compute d{name} in backward and store or return it",
    )


def not_finite(name: str, claim: Array) -> Explanation:
    """Explain a gradient with NaN or infinity in it."""
    bad = np.argwhere(~np.isfinite(claim))
    first = tuple(int(i) for i in bad[0])
    return Explanation(
        "not_finite",
        name,
        1.0,
        f"{len(bad)} of {claim.size} entries are NaN or infinite, the first at {first}",
        f"the gradient of {name} is not finite where the outputs are",
        "look for 0 * inf, log(0) or a division by zero in the backward at these entries",
    )


def wrong_shape(name: str, claimed: tuple[int, ...], shape: tuple[int, ...]) -> Explanation:
    """Explain a gradient that has not the shape of its tensor, by what would give it that."""
    code, fix = "wrong_shape", f"return the gradient of {name} with the shape {shape}"
    extra = len(claimed) - len(shape)
    if claimed == shape[::-1]:
        code, fix = "transposed", f"d{name} = d{name}.T"
    elif extra >= 0 and claimed[extra:] == shape:
        code = "broadcast_not_reduced"
        fix = f"d{name} = d{name}.sum(axis={tuple(range(extra)) if extra > 1 else 0})"
    return Explanation(
        code,
        name,
        1.0,
        f"the gradient has shape {claimed}, the tensor {shape}",
        f"the gradient of {name} does not have the shape of {name}",
        fix,
    )
