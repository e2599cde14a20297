"""Every property of a softmax bites: planted faults, and the properties that must refuse each."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.properties import Status, run_properties, suite


def asked_about(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def vjp(x, g):
    p = softmax(x)
    return p * (g - (p * g).sum(axis=-1, keepdims=True))


def log_softmax(x):
    return np.log(softmax(x))


def diagonal_only(x, g):
    p = softmax(x)
    return p * (1 - p) * g


def inner_product_missing(x, g):
    return softmax(x) * g


def passed_through(x, g):
    return g.copy()


def summed_over_the_batch(x, g):
    p = softmax(x)
    return p * (g - (p * g).sum())


def divided_by_batch(x, g):
    return vjp(x, g) / len(x)


def always_zero(x, g):
    return np.zeros_like(g)


def clipped_gradient(x, g):
    return np.clip(vjp(x, g), -0.1, 0.1)


def cotangent_changed(x, g):
    p = softmax(x)
    g -= (p * g).sum(axis=-1, keepdims=True)
    return p * g


def global_maximum(x):
    e = np.exp(x - x.max())
    return e / e.sum(axis=-1, keepdims=True)


def first_axis(x):
    return softmax(x, axis=0)


def all_axes_but_the_first(x):
    axes = tuple(range(1, x.ndim)) or 0
    e = np.exp(x - x.max(axis=axes, keepdims=True))
    return e / e.sum(axis=axes, keepdims=True)


def last_axis_whatever_asked(x, axis=-1):
    return softmax(x)


def sum_without_keepdims(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1)


def row_by_position(x):
    p = softmax(x)
    if x.ndim == 2:
        p[1:] = softmax(2 * x[1:])
    return p


def no_shift(x):
    e = np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


def shift_not_below_zero(x):
    e = np.exp(x - np.maximum(x.max(axis=-1, keepdims=True), 0))
    return e / e.sum(axis=-1, keepdims=True)


def shift_by_first(x):
    e = np.exp(x - x[..., :1])
    return e / e.sum(axis=-1, keepdims=True)


def guarded_sum(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / (e.sum(axis=-1, keepdims=True) + 1e-7)


def clipped_logits(x):
    return softmax(np.clip(x, -20, 20))


def clipped_probabilities(x):
    return np.clip(softmax(x), 1e-7, 1)


def in_place(x):
    x -= x.max(axis=-1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=-1, keepdims=True)
    return x


def float32_inside(x):
    return softmax(x.astype(np.float32)).astype(x.dtype)


def always_float64(x):
    return softmax(np.asarray(x, dtype=np.float64))


def cast_to_input_type(x):
    return softmax(x).astype(x.dtype)


def classless_is_certain(x):
    return softmax(x) if x.shape[-1] else np.ones((len(x), 1))


def zeros_for_undefined(x):
    p = softmax(x)
    return np.where(np.isfinite(x).any(axis=-1, keepdims=True), p, 0.0)


def nan_replaced(x):
    return np.nan_to_num(softmax(x))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def base_two(x):
    e = np.exp2(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmin(x):
    return softmax(-x)


def sharpened(x):
    return softmax(3 * x)


def squeezed(x):
    return np.squeeze(softmax(x))


def memory_order_lost(x):
    return softmax(x.ravel(order="K").reshape(x.shape))


def negative_rounding(x):
    return softmax(x) - 1e-12


def weighted_classes(x):
    return softmax(x + 1e-3 * np.arange(x.shape[-1]))


def asymmetric_denominator(x):
    p = softmax(x)
    p[..., -1] = 1 - p[..., :-1].sum(axis=-1) + 1e-3 * np.tanh(x[..., 0])
    return p


def refuses_empty(x):
    return np.stack([softmax(row) for row in x]) if x.ndim == 2 else softmax(x)


def vector_as_column(x):
    return softmax(x) if x.ndim > 1 else np.ones_like(x)


def sign_bit_read(x):
    return softmax(np.where(np.signbit(x), x - 1e-3, x))


def wrong_from_third_class(x):
    p = softmax(x)
    if x.shape[-1] > 2:
        p = softmax(x * 0.5)
    return p


def top_class_halved(x):
    p = softmax(x)
    return np.where(p > 0.9, p * 0.05, p)


class Counting:
    """Slightly different after every call."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return softmax(x) * (1 + 1e-9 * self.calls)


# Properties of the question's softmax, which is taken over the whole array, that do not hold.
REFUSE_ASKED_ABOUT = {
    "rows_sum_to_one",
    "shift_invariant",
    "agrees_with_reference",
    "dropping_a_class_renormalises",
    "each_row_as_if_alone",
    "rows_may_lie_far_apart",
    "changing_a_row_moves_no_other",
    "leading_axes_are_batches",
    "nan_stays_in_its_row",
    "huge_logits_stay_finite",
    "minus_infinity_masks",
    "undefined_rows_are_not_made_up",
    "temperature_limits_reached",
    "cooling_sharpens",
    "rows_do_not_mix_in_derivative",
    "jacobian_rows_sum_to_zero",
    "empty_batch_stays_empty",
}

FORWARD_FAULTS = {
    global_maximum: {"rows_may_lie_far_apart", "shift_invariant", "empty_batch_stays_empty"},
    first_axis: {"rows_sum_to_one", "each_row_as_if_alone", "vector_is_a_batch_of_one"},
    all_axes_but_the_first: {"leading_axes_are_batches"},
    last_axis_whatever_asked: {"every_axis_offered_works"},
    sum_without_keepdims: {"rows_sum_to_one", "each_row_as_if_alone", "shape_kept"},
    row_by_position: {"row_order_followed", "each_row_as_if_alone"},
    no_shift: {"shift_invariant", "huge_logits_stay_finite", "temperature_limits_reached"},
    shift_not_below_zero: {"shift_invariant", "huge_logits_stay_finite"},
    shift_by_first: {"huge_logits_stay_finite", "minus_infinity_masks"},
    guarded_sum: {"rows_sum_to_one", "equal_logits_are_uniform", "agrees_with_reference"},
    clipped_logits: {"log_ratio_is_logit_difference", "agrees_with_reference"},
    clipped_probabilities: {"rows_sum_to_one", "minus_infinity_masks"},
    in_place: {"input_unchanged", "result_owns_its_memory", "memory_layout_irrelevant"},
    float32_inside: {"rows_sum_to_one", "agrees_with_reference", "jacobian_symmetric"},
    always_float64: {"dtype_kept"},
    cast_to_input_type: {"integers_computed_as_floats"},
    nan_replaced: {"nan_stays_in_its_row", "undefined_rows_are_not_made_up"},
    zeros_for_undefined: {"undefined_rows_are_not_made_up"},
    classless_is_certain: {"no_classes_give_no_entries"},
    sigmoid: {"rows_sum_to_one", "shift_invariant", "jacobian_rows_sum_to_zero"},
    base_two: {"log_ratio_is_logit_difference", "two_classes_are_a_sigmoid"},
    softmin: {"order_kept", "argmax_kept", "jacobian_positive_semidefinite"},
    sharpened: {"jacobian_norm_at_most_half", "log_ratio_is_logit_difference"},
    squeezed: {"shape_kept"},
    memory_order_lost: {"memory_layout_irrelevant"},
    negative_rounding: {"probabilities_in_unit_interval"},
    weighted_classes: {"class_order_followed", "equal_logits_are_uniform"},
    asymmetric_denominator: {"jacobian_symmetric", "rows_sum_to_one"},
    refuses_empty: {"empty_batch_stays_empty"},
    vector_as_column: {"vector_is_a_batch_of_one"},
    sign_bit_read: {"subnormals_count_as_zero"},
    wrong_from_third_class: {"dropping_a_class_renormalises"},
    top_class_halved: {"cooling_sharpens"},
    Counting: {"same_input_same_output"},
}

BACKWARD_FAULTS = {
    diagonal_only: {"backward_is_derivative", "backward_rows_sum_to_zero"},
    inner_product_missing: {"backward_is_derivative", "constant_cotangent_gives_zero"},
    passed_through: {"backward_is_derivative", "constant_cotangent_gives_zero"},
    summed_over_the_batch: {"backward_of_each_row_as_if_alone", "backward_is_derivative"},
    divided_by_batch: {"backward_of_each_row_as_if_alone", "backward_is_derivative"},
    always_zero: {"backward_is_derivative"},
    clipped_gradient: {"backward_linear"},
    cotangent_changed: {"backward_leaves_cotangent"},
}


def refused(fn, properties, **options):
    report = run_properties("softmax", fn, examples=30, only=properties, **options)
    return {
        result.name for result in report.results if result.status in (Status.FAILED, Status.ERRORED)
    }


def test_softmax_over_whole_array_is_refused_by_exactly_the_right_properties():
    assert refused(asked_about, None) == REFUSE_ASKED_ABOUT


@pytest.mark.parametrize("fault", FORWARD_FAULTS, ids=lambda fault: fault.__name__)
def test_fault_is_refused_by_its_properties(fault):
    fn = fault() if isinstance(fault, type) else fault

    assert refused(fn, FORWARD_FAULTS[fault]) == FORWARD_FAULTS[fault]


@pytest.mark.parametrize("fault", BACKWARD_FAULTS, ids=lambda fault: fault.__name__)
def test_backward_fault_is_refused_by_its_properties(fault):
    assert refused(softmax, BACKWARD_FAULTS[fault], backward=fault) == BACKWARD_FAULTS[fault]


def test_softmax_that_is_not_the_exponential_of_its_logarithm_is_refused():
    def doubled(x):
        return log_softmax(2 * x)

    assert refused(softmax, ["agrees_with_log_softmax"], log_softmax=doubled)


def test_every_property_refuses_some_fault():
    killers = set().union(REFUSE_ASKED_ABOUT, *FORWARD_FAULTS.values(), *BACKWARD_FAULTS.values())

    assert set(suite("softmax").names) - killers == {"agrees_with_log_softmax"}


def test_vector_taken_for_a_column_is_named_where_vectors_fail_and_only_there():
    def stacked(x):
        return np.array([np.exp(row - row.max()) / np.exp(row - row.max()).sum() for row in x])

    names = ["rows_sum_to_one", "vector_is_a_batch_of_one", "empty_batch_stays_empty"]
    report = run_properties("softmax", stacked, examples=20, only=names)

    assert "a vector is taken for something else" in report[names[0]].parts["cause"]
    assert "a vector is taken for something else" in report[names[1]].parts["cause"]
    assert "cause" not in report[names[2]].parts


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (asked_about, "over the whole array"),
        (global_maximum, "the maximum is taken over the whole array"),
        (first_axis, "along axis 0"),
        (sum_without_keepdims, "the sum lacks keepdims=True"),
        (no_shift, "no maximum is subtracted"),
        (shift_by_first, "the shift is the first entry"),
        (guarded_sum, "a small number is added to the sum"),
        (clipped_probabilities, "clipped from below"),
        (float32_inside, "cast to float32"),
        (sigmoid, "sigmoid of each entry"),
        (base_two, "the base is 2"),
        (softmin, "negated"),
        (sharpened, "multiplied by 3"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_cause_is_found_by_experiment(fault, cause):
    report = run_properties(
        "softmax", fault, examples=20, only=["agrees_with_reference", "huge_logits_stay_finite"]
    )
    causes = [line for r in report.results for line in r.message.splitlines() if "  cause " in line]

    assert causes
    assert all(cause in line for line in causes)


COMPOSED = {
    "no shift, first axis": (lambda x: np.exp(x) / np.exp(x).sum(axis=0), "taken along axis 0"),
    "maximum of columns": (
        lambda x: np.exp(x - x.max(axis=0)) / np.exp(x - x.max(axis=0)).sum(axis=-1, keepdims=True),
        "the maximum is taken along axis 0",
    ),
    "mean for maximum": (
        lambda x: (
            np.exp(x - x.mean(-1, keepdims=True))
            / np.exp(x - x.mean(-1, keepdims=True)).sum(-1, keepdims=True)
        ),
        "the shift is the mean",
    ),
    "divided by rows": (lambda x: softmax(x) / len(x), "divided by the number of rows"),
    "arg max": (lambda x: (x == x.max(-1, keepdims=True)).astype(x.dtype), "the arg max"),
    "float16": (lambda x: softmax(x).astype(np.float16).astype(x.dtype), "cast to float16"),
    "sigmoids": (lambda x: sigmoid(x) / sigmoid(x).sum(-1, keepdims=True), "sigmoids"),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_faults_together_are_named(name):
    fn, cause = COMPOSED[name]
    only = ["huge_logits_stay_finite", "agrees_with_reference", "each_row_as_if_alone"]

    report = run_properties("softmax", fn, examples=20, only=only)

    failed = [r for r in report.results if r.status is Status.FAILED]
    assert failed
    assert all(cause in r.parts["cause"] for r in failed)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (diagonal_only, "only the diagonal"),
        (inner_product_missing, "the term -p <p, g> is missing"),
        (passed_through, "passed through"),
        (summed_over_the_batch, "over the whole array"),
        (divided_by_batch, "divided by the number of rows"),
        (always_zero, "always zero"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_cause_of_wrong_backward_is_found_by_experiment(fault, cause):
    report = run_properties(
        "softmax", softmax, examples=20, only=["backward_is_derivative"], backward=fault
    )

    assert cause in report.results[0].message
