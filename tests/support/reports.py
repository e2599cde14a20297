"""Reports made by hand, for the tests of what is made of them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from gradcheck.report.data import Entry, Explanation, PromiseReport, TensorReport, Verdict
from gradcheck.report.report import Report

BOUND = 1e-10


def right_tensor(name, shape=(3, 4), **changes):
    tensor = TensorReport(
        name,
        shape,
        "float64",
        "parameter",
        Verdict.PASS,
        relative_error=1e-13,
        error_bound=2e-11,
        resolution=3e-11,
        forwards=8,
        backwards=2,
    )
    return replace(tensor, **changes)


def wrong_tensor(name, claimed, numerical, **changes):
    """A tensor measured entry by entry, whose worst entries are listed as a check lists them."""
    claimed, numerical = np.asarray(claimed, float), np.asarray(numerical, float)
    entries = [
        Entry(index, float(claimed[index]), float(numerical[index]), BOUND)
        for index in np.ndindex(numerical.shape)
        if not abs(claimed[index] - numerical[index]) <= BOUND
    ]
    entries.sort(key=lambda entry: -np.nan_to_num(abs(entry.claimed - entry.numerical), nan=np.inf))
    return right_tensor(
        name,
        numerical.shape,
        verdict=Verdict.FAIL,
        reason="the claim is off",
        relative_error=0.5,
        resolution=0.5,
        worst=tuple(entries[:8]),
        claimed=claimed,
        numerical=numerical,
        **changes,
    )


def promise(name, holds=True, required=True, evidence="measured so"):
    return PromiseReport(name, holds, required, evidence)


SUMMED = Explanation(
    "summed_to_scalar",
    ("b",),
    0.985,
    "claimed / what this predicts = 1 ± 3e-11 over 4 entries",
    "every entry of the gradient is the same number, the sum over all units",
    "db = d.sum(axis=0)  # instead of d.sum()",
)
CONTRACT = {
    "deterministic": promise("deterministic"),
    "shapes": promise("shapes"),
    "batch_independent": promise("batch_independent", False, False, "sample 2 alone differs"),
}
BIAS = np.array([1.31, -2.2, 4.0, 3.11])


def passing():
    tensors = {"x": right_tensor("x", (5, 3), role="input"), "W": right_tensor("W")}
    return Report("Dense(3 -> 4)", tensors, CONTRACT, ())


def failing():
    b = wrong_tensor("b", np.full(4, BIAS.sum()), BIAS, explanations=(SUMMED,))
    return replace(passing(), tensors={**passing().tensors, "b": b}, explanations=(SUMMED,))


def failing_with(*tensors):
    return Report("Layer", {tensor.name: tensor for tensor in tensors}, {}, ())


def undecided(reason="the forward is noisy; rerun with x.astype(np.float64)"):
    W = right_tensor("W", verdict=Verdict.UNDECIDED, reason=reason, resolution=0.02)
    return replace(passing(), tensors={**passing().tensors, "W": W})


def empty():
    return Report("Flatten()", {}, {}, ())


def breach():
    broken = promise("input_not_mutated", False, evidence="3 of 15 entries of x changed")
    return replace(passing(), contract={**CONTRACT, "input_not_mutated": broken})


def network():
    spoiled = right_tensor("layers[1].b", (4,), verdict=Verdict.FAIL, reason="off")
    parts = {"layers[0]": passing(), "layers[1]": failing(), "layers[2]": passing()}
    return Report("MLP(3, 4, 4)", {"layers[1].b": spoiled}, {}, (), parts=parts)


@cache
def every():
    """One of each kind."""
    nan = np.array([[1.0, np.nan], [3.0, -1.0]])
    return {
        "passing": passing(),
        "failing": failing(),
        "undecided": undecided(),
        "nothing checked": empty(),
        "broken promise": breach(),
        "network": network(),
        "not finite": failing_with(wrong_tensor("W", nan, np.ones((2, 2)))),
        "scalar": failing_with(wrong_tensor("scale", 2.0, 1.0)),
        "large": failing_with(wrong_tensor("W", -np.ones((200, 130)), np.ones((200, 130)))),
        "kernel": failing_with(wrong_tensor("K", np.ones((2, 3, 3, 3)), np.zeros((2, 3, 3, 3)))),
        "not localised": failing_with(right_tensor("W", verdict=Verdict.FAIL, reason="shape (4,)")),
    }
