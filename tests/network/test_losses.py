"""Losses against their formulas and central differences; targets that do not fit are named."""

import numpy as np
import pytest

from network import CategoricalCrossEntropy, MeanSquaredError, SoftmaxCrossEntropy, softmax

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3))
P = softmax(X)
SOFT = softmax(RNG.normal(size=(4, 3)))
LABELS = np.array([0, 2, 1, 1])

LOSSES = {
    "softmax_cross_entropy": (SoftmaxCrossEntropy, X),
    "categorical_cross_entropy": (CategoricalCrossEntropy, P),
    "mean_squared_error": (MeanSquaredError, X),
}
EACH_LOSS = pytest.mark.parametrize(("make", "prediction"), LOSSES.values(), ids=LOSSES)
CROSS_ENTROPIES = pytest.mark.parametrize("make", [SoftmaxCrossEntropy, CategoricalCrossEntropy])


@EACH_LOSS
def test_backward_agrees_with_central_differences(make, prediction, differenced):
    loss, x = make(), prediction.copy()
    expected = differenced(lambda: loss(x, SOFT), x)

    loss.forward(x, SOFT)

    np.testing.assert_allclose(loss.backward(), expected, rtol=1e-7, atol=1e-8)


def test_cross_entropies_agree_on_the_same_predictions():
    fused, plain = SoftmaxCrossEntropy(), CategoricalCrossEntropy()
    expected = -np.mean(np.log(P[np.arange(4), LABELS]))

    assert fused(X, LABELS) == pytest.approx(expected, rel=1e-14)
    assert plain(P, LABELS) == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(fused.backward(), (P - np.eye(3)[LABELS]) / 4, atol=1e-16)


@CROSS_ENTROPIES
def test_labels_and_one_hot_rows_are_the_same(make):
    by_label, by_row = make(), make()

    assert by_label(P, LABELS) == by_row(P, np.eye(3)[LABELS])
    np.testing.assert_array_equal(by_label.backward(), by_row.backward())


@CROSS_ENTROPIES
def test_equal_predictions_cost_the_logarithm_of_the_number_of_classes(make):
    assert make()(np.full((2, 3), 1 / 3), [0, 1]) == pytest.approx(np.log(3), rel=1e-15)


def test_huge_logits_cost_their_difference():
    loss = SoftmaxCrossEntropy()

    with np.errstate(all="raise", under="ignore"):
        assert loss(np.array([[0.0, 1e4]]), [0]) == 1e4
        np.testing.assert_array_equal(loss.backward(), [[-1.0, 1.0]])


def test_masked_logits_cost_nothing_and_have_no_gradient():
    loss = SoftmaxCrossEntropy()

    assert loss(np.array([[0.0, 0.0, -np.inf]]), [0]) == pytest.approx(np.log(2))
    np.testing.assert_allclose(loss.backward(), [[-0.5, 0.5, 0.0]])


def test_log_of_zero_is_large_and_finite_and_its_gradient_flat():
    loss = CategoricalCrossEntropy()

    assert loss(np.array([[0.0, 1.0]]), [0]) == -np.log(np.finfo(float).tiny)
    np.testing.assert_array_equal(loss.backward(), [[0.0, 0.0]])


def test_zero_for_an_impossible_class_costs_nothing():
    assert CategoricalCrossEntropy()(np.array([[0.0, 1.0]]), [1]) == 0


@EACH_LOSS
def test_a_single_prediction_is_a_batch_of_one(make, prediction):
    loss = make()

    single, gradient = loss(prediction[0], SOFT[0]), loss.backward()

    assert loss(prediction[:1], SOFT[:1]) == single
    np.testing.assert_array_equal(loss.backward()[0], gradient)


@EACH_LOSS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_arguments_are_kept(make, prediction, dtype):
    prediction, target = prediction.astype(dtype), SOFT.copy()
    prediction.flags.writeable = target.flags.writeable = False
    loss = make()

    assert isinstance(loss(prediction, target), float)
    assert loss.backward().dtype == dtype


@EACH_LOSS
def test_the_gradient_handed_out_is_the_callers_own(make, prediction):
    loss = make()
    loss(prediction, SOFT)
    first = loss.backward()
    before = first.copy()

    first *= 0

    np.testing.assert_array_equal(loss.backward(), before)


def test_mean_squared_error_is_a_mean_over_all_entries():
    loss = MeanSquaredError()

    assert loss(X, X + 2) == pytest.approx(4)
    np.testing.assert_allclose(loss.backward(), np.full((4, 3), -4 / 12))


@EACH_LOSS
def test_backward_needs_a_forward_and_forward_a_batch(make, prediction):
    loss = make()

    with pytest.raises(RuntimeError, match="before forward"):
        loss.backward()
    for shape in [(), (0, 3), (2, 2, 3)]:
        with pytest.raises(ValueError, match="prediction has shape"):
            loss(np.ones(shape), np.ones(shape))


@pytest.mark.parametrize(
    ("make", "prediction", "target", "message"),
    [
        (SoftmaxCrossEntropy, X, [0, 1, 2, 3], "labels from 0 to 3; expected 0 to 2"),
        (SoftmaxCrossEntropy, X, [0, 1, 2, -1], "labels from -1 to 2"),
        (SoftmaxCrossEntropy, X, [0.0, 1.0, 2.0, 1.0], "integer labels"),
        (SoftmaxCrossEntropy, X, [0, 1], "integer labels"),
        (SoftmaxCrossEntropy, X, np.full((4, 3), np.nan), "negative numbers or NaN"),
        (CategoricalCrossEntropy, X, LABELS, "Logits go to SoftmaxCrossEntropy"),
        (CategoricalCrossEntropy, np.full((1, 2), np.nan), [0], "nan"),
        (MeanSquaredError, X, X[:1], r"shape \(1, 3\); expected \(4, 3\)"),
        (MeanSquaredError, X, LABELS, r"shape \(4,\); expected \(4, 3\)"),
    ],
)
def test_targets_and_predictions_that_do_not_fit_are_named(make, prediction, target, message):
    with pytest.raises(ValueError, match=message):
        make()(prediction, target)
