"""What makes a function a loss: zero when right, larger when worse, every sample counted alike."""

from __future__ import annotations

from functools import partial

import numpy as np

from gradcheck._types import Array
from gradcheck.formulas.losses import PROBABILITIES
from gradcheck.properties.assertions import FunctionRaisedError, require, require_close
from gradcheck.properties.loss import inputs
from gradcheck.properties.loss.kinds import REDUCTIONS
from gradcheck.properties.loss.loss_under_test import LossUnderTest
from gradcheck.properties.property import for_all
from gradcheck.properties.tolerance import Tolerance

_batches = partial(inputs.predictions, min_rows=2)


@for_all(
    inputs.predictions,
    why="A gradient is taken of one number; a matrix broadcasts on its way there.",
)
def one_number(loss: LossUnderTest, p: Array, t: Array) -> None:
    """The loss is one number, or one per sample (or per yes or no)."""
    result = loss.raw(p.copy(), t.copy())
    value = np.asarray(result[0] if isinstance(result, tuple) else result)
    unreduced = loss.convention.lay_out(p).shape if loss.kind.binary else (len(p),)
    require(
        value.dtype.kind == "f" and (value.size == 1 or value.shape in [(len(p),), unreduced]),
        "the loss is not one real number",
        got=f"{value.dtype} of shape {value.shape}",
        expected="a float, or one per sample",
        cause="the sum runs along one axis only, or prediction and target broadcast",
    )


@for_all(
    inputs.predictions, why="A negative loss has a sign or a normalisation wrong, and no meaning."
)
def never_negative(loss: LossUnderTest, p: Array, t: Array) -> None:
    """The loss is not below zero."""
    value = loss(p, t)
    require_close(min(value, 0.0), 0.0, loss.tolerance(p, t), "the loss is negative")


@for_all(
    inputs.predictions,
    why="The best possible prediction must have the smallest possible loss.",
)
def zero_at_the_target(loss: LossUnderTest, p: Array, t: Array) -> None:
    """A prediction equal to the target, with certainty, costs nothing."""
    right = loss.kind.certain(t)
    require_close(
        loss(right, t),
        0.0,
        loss.tolerance(right, t),
        "a perfect prediction has a loss",
        cause="0 * log(0) is NaN: use scipy.special.xlogy(t, p), or clip p from below "
        "before the logarithm"
        if loss.kind.given == PROBABILITIES
        else "",
    )


@for_all(inputs.predictions, why="It is the definition; the other properties say which part fails.")
def agrees_with_reference(loss: LossUnderTest, p: Array, t: Array) -> None:
    """The loss is that of a computation in extended precision, reduced in the same way."""
    loss.require_right(
        p, t, f"the loss is not the {loss.reduction or 'sum'} of the samples' losses"
    )


@for_all(
    pins=[{"rows": rows, "classes": classes} for rows in (2, 3) for classes in (2, 5)],
    why="A loss divided by the wrong number rescales the learning rate with the batch or the data.",
)
def reduced_by_sum_or_mean(loss: LossUnderTest, rows: int, classes: int) -> None:
    """The batch is reduced by its sum or mean, a convention of this loss."""
    rng = np.random.default_rng(rows * classes)
    p = loss.convention.fit(rng.dirichlet(np.ones(classes), size=rows))
    t = loss.convention.fit(np.eye(classes)[rng.integers(classes, size=rows)])
    total = float(loss.kind.value(p, t).sum())
    require(
        loss.reduction in loss.kind.reductions,
        "the loss is neither the sum nor the mean of the samples' losses",
        where=f"{p.shape[0]} samples of {p.shape[1]} classes",
        got=loss(p, t),
        expected=f"{total:.6g} (sum) or {total / len(p):.6g} (mean)",
    )


@for_all(
    _batches,
    needs=["batch"],
    why="A sample that does not count, or counts twice, is not learnt from.",
)
def every_sample_counts_alike(loss: LossUnderTest, p: Array, t: Array) -> None:
    """The loss of a batch is the sum, or the mean, of the losses of its samples alone."""
    alone = np.array([loss(p[i : i + 1], t[i : i + 1]) for i in range(len(p))])
    whole = loss(p, t)
    reduce = np.sum if abs(whole - alone.sum()) < abs(whole - alone.mean()) else np.mean
    allowance = sum(
        float(loss.tolerance(p[i : i + 1], t[i : i + 1]).absolute) for i in range(len(p))
    )
    require_close(
        whole,
        reduce(alone),
        Tolerance("the rounding of each sample's loss", absolute=2 * allowance),
        f"the loss of {len(p)} samples is neither sum nor mean of their losses",
        cause="a sample is left out or overwritten (= for +=), or the divisor is not their number",
    )


@for_all(
    inputs.predictions,
    needs=["vector"],
    why="A network that is fed one sample at a time passes vectors; len(p) is then its classes.",
)
def single_prediction_is_a_batch_of_one(loss: LossUnderTest, p: Array, t: Array) -> None:
    """A 1-D prediction costs what it costs as a batch of one."""
    if loss.convention.indices:
        return
    vector, expected = loss(p[0], t[0]), loss(p[:1], t[:1])
    if loss.kind.entrywise:
        # A vector may also be n samples of one number each.
        column = loss(p[0][:, np.newaxis], t[0][:, np.newaxis])
        expected = min(expected, column, key=lambda value: abs(value - vector))
    require_close(
        vector,
        expected,
        loss.tolerance(p[:1], t[:1]),
        "a vector has another loss than the batch of that one row",
        cause="the divisor is len(p), the number of samples in 2-D but of classes in 1-D; "
        "divide by np.atleast_2d(p).shape[0]",
    )


@for_all(
    partial(inputs.reordered, axis=0),
    why="The order of samples in a batch carries no meaning.",
)
def sample_order_irrelevant(loss: LossUnderTest, p: Array, t: Array, order: list[int]) -> None:
    """Reordering the samples changes nothing."""
    require_close(
        loss(p[order], t[order]), loss(p, t), loss.tolerance(p, t), "the order of samples matters"
    )


@for_all(
    partial(inputs.reordered, axis=1),
    why="The numbering of classes carries no meaning.",
)
def class_order_irrelevant(loss: LossUnderTest, p: Array, t: Array, order: list[int]) -> None:
    """Reordering the classes of prediction and target changes nothing."""
    require_close(
        loss(p[:, order], t[:, order]),
        loss(p, t),
        loss.tolerance(p, t),
        "the order of classes matters",
        cause="a class is treated by its position",
    )


@for_all(
    inputs.receding,
    why="Training follows the loss downhill; it must fall towards the target, not away from it.",
)
def grows_as_prediction_worsens(loss: LossUnderTest, near: Array, far: Array, t: Array) -> None:
    """The loss grows as the prediction moves away from the target."""
    close, distant = loss(near, t), loss(far, t)
    require(
        distant > close,
        "a worse prediction has no larger loss",
        where=f"from {near.tolist()} to {far.tolist()}",
        got=f"{close:.6g}, then {distant:.6g}",
        expected="a larger loss",
        cause="the prediction is clipped, rounded, or the sign is wrong",
    )


@for_all(
    pins=[{"classes": n, "rows": rows} for n in (2, 3, 10) for rows in (1, 4)],
    needs=["cross-entropy"],
    why="It is the loss to expect before training: log 10 = 2.303 for ten classes.",
)
def equal_predictions_cost_log_n(loss: LossUnderTest, classes: int, rows: int) -> None:
    """Where all classes are equally likely, each sample costs log n, each yes or no log 2."""
    t = loss.convention.fit(np.eye(classes)[np.arange(rows) % classes])
    p = np.full(t.shape, loss.kind.undecided(classes))
    total = t.size * np.log(2) if loss.kind.binary else len(t) * np.log(classes)
    expected = [REDUCTIONS[name](*t.shape) * total for name in loss.kind.reductions]
    value = loss(p, t)
    require_close(
        value,
        min(expected, key=lambda one: abs(one - value)),
        Tolerance(
            "rounding, and any guard", absolute=len(t) * float(loss.tolerance(p, t).absolute)
        ),
        f"{t.shape[0]} undecided predictions of {t.shape[1]} classes do not cost "
        f"log {2 if loss.kind.binary else classes} each",
    )


@for_all(
    partial(inputs.predictions, soft=True),
    needs=["cross-entropy", "soft"],
    why="Label smoothing and distillation use soft targets; argmax or a mask inside ignores them.",
)
def soft_targets_weigh_classes(loss: LossUnderTest, p: Array, t: Array) -> None:
    """A soft target costs the average, by its weights, of what each class costs."""
    loss.require_right(
        p,
        t,
        "soft targets are not weighed linearly",
        cause="the true class is found by argmax or by t == 1; sum t * log(p) over the classes",
    )


@for_all(
    inputs.predictions,
    needs=["classes"],
    why="The softmax ignores a shift of the logits; large logits overflow unless it is used.",
)
def shift_invariant(loss: LossUnderTest, p: Array, t: Array) -> None:
    """Adding a constant to all logits changes nothing."""
    shifted = p + 1024.0
    require_close(
        loss(shifted, t), loss(p, t), loss.tolerance(shifted, t), "a shift changes the loss"
    )


@for_all(_batches, why="A corrupt prediction must be seen in the loss, not averaged away.")
def nan_is_seen(loss: LossUnderTest, p: Array, t: Array) -> None:
    """A NaN among the predictions of true classes makes the loss NaN, or raises."""
    poisoned = p.copy()
    poisoned[0] = np.nan
    try:
        value = loss(poisoned, t)
    except FunctionRaisedError:
        return
    require(
        np.isnan(value),
        "a NaN in the prediction does not show in the loss",
        got=value,
        expected="NaN",
        cause="nansum, nanmean or nan_to_num hides it",
    )
