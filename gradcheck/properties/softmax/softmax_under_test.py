"""A softmax as the properties see it, and the known bugs of softmaxes, imitated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from scipy import special

from gradcheck._types import Array
from gradcheck.formulas.softmax import log_softmax, softmax, softmax_vjp
from gradcheck.properties import tolerance
from gradcheck.properties.assertions import FunctionRaisedError, PropertyViolationError
from gradcheck.properties.known_bugs import PROBES, Imitations, answers_of, narrower_type, recognise
from gradcheck.properties.property import Property
from gradcheck.properties.rowwise.row_function import RowFunction
from gradcheck.properties.tolerance import Tolerance
from gradcheck_arguments import checked

Function = Callable[[Array], Array]


# What is subtracted from the logits, and what the exponentials are divided by; the right ones are
# nameless.
SHIFTS: dict[str, Function] = {
    "": lambda x: x.max(axis=-1, keepdims=True),
    "no maximum is subtracted, so that exp overflows beyond 709 and underflows below -745": (
        lambda x: np.zeros(())
    ),
    "the maximum is taken over the whole array, so that rows far below it become 0/0": (
        lambda x: np.asarray(x.max())
    ),
    "the maximum is taken along axis 0": lambda x: x.max(axis=0),
    "the maximum lacks keepdims=True, so that the maxima of other rows are subtracted": (
        lambda x: x.max(axis=-1)
    ),
    "the shift is max(0, maximum), so that rows of very negative logits underflow": (
        lambda x: np.maximum(x.max(axis=-1, keepdims=True), 0)
    ),
    "the shift is the largest absolute value, so that negative rows underflow": (
        lambda x: np.abs(x).max(axis=-1, keepdims=True)
    ),
    "the shift is the first entry of the row, not its maximum": lambda x: x[..., :1],
    "the shift is the mean, not the maximum": lambda x: x.mean(axis=-1, keepdims=True),
    "the shift is the minimum, not the maximum": lambda x: x.min(axis=-1, keepdims=True),
    "the mean of the batch is subtracted": lambda x: x.mean(axis=0),
}
DIVISORS: dict[str, Function] = {
    "": lambda e: e.sum(axis=-1, keepdims=True),
    "the sum is taken over the whole array": lambda e: np.asarray(e.sum()),
    "the sum is taken along axis 0": lambda e: e.sum(axis=0),
    "the sum lacks keepdims=True, so that row i is divided by the sum of row j where shapes "
    "allow it": lambda e: e.sum(axis=-1),
    "the division by the sum is missing": lambda e: np.ones(()),
    "the result is divided by the number of rows too": (
        lambda e: e.sum(axis=-1, keepdims=True) * len(e)
    ),
}
REMEDY = "use x.max(axis=-1, keepdims=True) and e.sum(axis=-1, keepdims=True)"

# Pairs of faults that are one to whoever made them.
ONE_FAULT = {
    ("the maximum is taken over the whole array", "the sum is taken over the whole array"): (
        "all rows together sum to 1: the maximum and the sum are taken over the whole array. "
        "Take them per row: x.max(axis=-1, keepdims=True) and e.sum(axis=-1, keepdims=True)"
    ),
    ("the maximum is taken along axis 0", "the sum is taken along axis 0"): (
        "the columns sum to 1: the function normalises along axis 0; use axis=-1 (or pass the "
        "option axis=0 if columns are your samples)"
    ),
}


def _composed() -> Iterator[tuple[str, Function]]:
    """Yield every way of shifting and dividing but the right one."""
    for (shift, shifted), (division, divisor) in product(SHIFTS.items(), DIVISORS.items()):
        if not (shift or division):
            continue

        def imitation(x: Array, shifted: Function = shifted, divisor: Function = divisor) -> Array:
            e = np.exp(x - shifted(x))
            return np.asarray(e / divisor(e))

        together = ONE_FAULT.get((shift.partition(",")[0], division))
        named = "; ".join(filter(None, (shift, division)))
        yield together or f"{named}: {REMEDY}", imitation


def _shares(x: Array) -> Array:
    return np.asarray(x / x.sum(axis=-1, keepdims=True))


BUGS: Imitations = {
    "": softmax,
    **dict(_composed()),
    "the base is 2, not e; use np.exp": lambda x: _shares(
        np.exp2(x - x.max(axis=-1, keepdims=True))
    ),
    "the logits are negated: this is the softmin; drop the minus sign": lambda x: softmax(-x),
    "this is the sigmoid of each entry by itself; divide exp by the row's sum instead": (
        special.expit
    ),
    "sigmoids are divided by their sum, not exponentials; use np.exp": (
        lambda x: _shares(special.expit(x))
    ),
    "the softmax is taken twice; the second flattens probabilities": lambda x: softmax(softmax(x)),
    "this is the log-softmax; take exp of it": log_softmax,
    "the logits are divided by the sum of their absolute values; take exp of them first": (
        lambda x: _shares(np.abs(x))
    ),
    "the logits are divided by their sum; take exp of them first": _shares,
    "this is the arg max, one-hot: the largest logit gets all the probability": (
        lambda x: (x == x.max(axis=-1, keepdims=True)) * 1.0
    ),
    "NaN is replaced by numbers (nan_to_num or the like); let it show": (
        lambda x: np.nan_to_num(softmax(x))
    ),
}


def forward_cause(fn: Function) -> str:
    """Return what is known of the first bug that does on every probe what ``fn`` does."""
    named = recognise(fn, BUGS)
    if named is not None:
        return named
    answers = answers_of(fn)
    if narrow := narrower_type(answers, answers_of(softmax)):
        return f"every result is a {narrow} number: there is a cast to {narrow} inside"
    return _by_scale(answers[0]) or _by_row_sums(answers)


def _by_scale(p: Array | None) -> str:
    """Return whether the first probe is answered as if its logits were multiplied by a number."""
    if p is None or not np.all(p > 0):
        return ""
    x = PROBES[0]
    factor = float(np.log(p[0, 2] / p[0, 1]) / (x[0, 2] - x[0, 1]))
    if abs(factor - 1) < 1e-3 or not np.allclose(p, softmax(factor * x), rtol=1e-9):
        return ""
    return (
        f"the logits are multiplied by {factor:.4g}: a temperature, or a logarithm to another base"
    )


def _by_row_sums(answers: list[Array | None]) -> str:
    """Return what the sums of the first probes tell where no imitation fits."""
    first = [1 - p.sum(axis=-1, dtype=np.longdouble) for p in answers[:2] if p is not None]
    if first and all(np.all((deficit > 1e-14) & (deficit < 1e-2)) for deficit in first):
        return (
            f"rows sum to a little less than 1 (by {float(first[0][0]):.1g}): a small number is "
            "added to the sum; with the maximum subtracted the sum is at least 1 and needs no guard"
        )
    return _by_smallest(answers[2])


def _by_smallest(p: Array | None) -> str:
    """Return whether the probabilities of the wide probe stop at a floor."""
    if p is None or not np.isfinite(p).all():
        return ""
    raised = softmax(PROBES[2]) < p / 2
    if raised.sum() > 1 and np.ptp(p[raised]) <= 1e-6 * p[raised].max():
        return "small probabilities are clipped from below; clip in the loss, not in the softmax"
    return ""


def _of_first_row(x: Array, g: Array) -> Array:
    return softmax_vjp(softmax(np.broadcast_to(x[:1], x.shape)), g)


BACKWARD_BUGS: Imitations = {
    "the cotangent is passed through: this backward assumes that the p - y of cross-entropy is put "
    "into it": lambda x, g: g,
    "only the diagonal p (1 - p) of the Jacobian is used; return p * (g - <p, g>) with "
    "<p, g> = (p * g).sum(axis=-1, keepdims=True)": lambda x, g: g * softmax(x) * (1 - softmax(x)),
    "the term -p <p, g> is missing; return p * (g - <p, g>) with "
    "<p, g> = (p * g).sum(axis=-1, keepdims=True)": lambda x, g: g * softmax(x),
    "the sign is flipped; return p * (g - <p, g>)": lambda x, g: -softmax_vjp(softmax(x), g),
    "the gradient is always zero": lambda x, g: np.zeros_like(g),
    "it is twice too large": lambda x, g: 2 * softmax_vjp(softmax(x), g),
    "it is divided by the number of rows; the mean belongs to the loss": (
        lambda x, g: softmax_vjp(softmax(x), g) / len(x)
    ),
    "<p, g> is summed over the whole array; use axis=-1, keepdims=True": (
        lambda x, g: softmax(x) * (g - (softmax(x) * g).sum())
    ),
    "<p, g> is summed along axis 0; use axis=-1, keepdims=True": (
        lambda x, g: softmax(x) * (g - (softmax(x) * g).sum(axis=0))
    ),
    "the first row's probabilities are used for every row": _of_first_row,
}


VECTOR_AS_COLUMN = (
    "batches come out right, but a vector is taken for something else than one row, as if it were "
    "a column of samples; use axis=-1 or refuse vectors (or pass the option ndims=2 if it is meant "
    "for batches only)"
)


class SoftmaxUnderTest(RowFunction):
    """A softmax under test.

    Parameters
    ----------
    fn, axis, backward, ndims
        As for `RowFunction`.
    log_softmax
        The logarithm of the same softmax, ``log_softmax(x)``, to be compared with it.
    """

    backward_imitations = BACKWARD_BUGS

    @checked
    def __init__(
        self,
        fn: Any,
        axis: int = -1,
        backward: Callable[..., Any] | None = None,
        log_softmax: Callable[..., Any] | None = None,
        ndims: int | Iterable[int] | None = None,
    ) -> None:
        super().__init__(fn, axis, backward, ndims, log_softmax=log_softmax)

    def tolerance(self, x: Array) -> Tolerance:
        """Return the allowance for each probability."""
        return tolerance.probability(x)

    def likely_cause(self, failed: Property) -> str:
        """Return the known bug that would explain what the function does."""
        only_vectors = "backward" not in failed.needs and "batch" not in failed.needs
        return super().likely_cause(failed) or (self._vector_cause if only_vectors else "")

    @cached_property
    def forward_cause(self) -> str:
        """The known bug that the function has."""
        return forward_cause(self)

    @cached_property
    def _vector_cause(self) -> str:
        """What is wrong where batches come out right and the vectors in them do not."""
        if self.missing("batch") or self.missing("vector"):
            return ""
        batch = PROBES[1]
        try:
            vectors_right = np.allclose([self(row) for row in batch], reference(batch), rtol=1e-9)
            batch_right = np.allclose(self(batch), reference(batch), rtol=1e-9)
        except (FunctionRaisedError, PropertyViolationError):
            return ""
        return VECTOR_AS_COLUMN if batch_right and not vectors_right else ""


def reference(x: Array) -> Array:
    """Return the softmax of each row in extended precision."""
    return softmax(x.astype(np.longdouble))
