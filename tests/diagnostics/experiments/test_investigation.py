"""Experiments on a model prove the cause, and find nothing wrong with a right one."""

import numpy as np
import pytest

from diagnostics import Severity, diagnose, investigate
from tests.support import training_runs as runs


def test_flagship_is_proven_by_experiment(flagship, validation_set):
    curves, predict = flagship

    report = investigate(predict, *validation_set, history=curves)

    assert report.codes[:2] == ("evaluation_bug", "loss_accuracy_divergence")
    evidence = report.primary.evidence
    assert evidence["mean row sum"] == pytest.approx(1 / 500)
    assert evidence["loss of the rows as returned"] == pytest.approx(
        curves["val_loss"][-1], rel=1e-2
    )
    assert evidence["the reported loss is"].startswith("cross-entropy of the rows as returned")
    assert evidence["loss with rows normalised"] < 1
    assert "keepdims=True" in report.primary.next_steps[0]


@pytest.mark.parametrize("one_hot", [False, True])
def test_right_model_has_no_problem(healthy, training_set, validation_set, one_hot):
    curves, predict = healthy
    X, y = validation_set
    labels = np.eye(runs.CLASSES)[y] if one_hot else y

    report = investigate(predict, X, labels, history=curves, train=training_set)

    assert report.ok
    assert len(report.tests_run) > 10


def test_softmax_along_the_samples_is_named(healthy, validation_set):
    predict = healthy[1]

    def along_samples(X):
        z = np.log(predict(X))
        return runs.softmax(z.T).T

    report = investigate(along_samples, *validation_set)

    assert report.primary.code == "evaluation_bug"
    assert "column" in report.primary.message


def test_batch_statistics_in_evaluation_are_named(healthy, validation_set):
    predict = healthy[1]

    report = investigate(lambda X: predict(X - X.mean(axis=0)), *validation_set)

    assert report.primary.code == "evaluation_bug"
    assert "depends on the other samples" in report.primary.message


def test_dropout_left_on_is_named(healthy, validation_set):
    predict, rng = healthy[1], np.random.default_rng(0)

    report = investigate(lambda X: predict(X * (rng.random(X.shape) > 0.5)), *validation_set)

    assert report.primary.code == "nondeterministic_prediction"


def test_logits_are_understood(healthy, validation_set):
    predict = healthy[1]

    report = investigate(lambda X: np.log(predict(X)) + 2.0, *validation_set)

    assert report.ok
    assert "logits_returned" in report


def test_exaggerated_logits_are_overconfidence_and_one_temperature_mends_them(
    healthy, validation_set
):
    predict = healthy[1]

    report = investigate(lambda X: runs.softmax(4 * np.log(predict(X))), *validation_set)

    plain = runs.cross_entropy(predict(validation_set[0]), validation_set[1])
    assert report.primary.code == "overconfidence"
    assert report.primary.evidence["loss at the best temperature"] <= plain + 1e-6


def test_experiment_overrules_the_suspicion_of_the_curves(flagship, healthy, validation_set):
    suspicion = diagnose(flagship[0])

    report = investigate(healthy[1], *validation_set, history=flagship[0])

    assert "evaluation_bug" in suspicion
    assert "loss_not_reproduced" in report


@pytest.mark.parametrize(
    ("restate", "code"),
    [
        (lambda loss, p, y: loss * len(y), "loss_scale_mismatch"),
        (lambda loss, p, y: loss / np.log(2), "loss_scale_mismatch"),
        (lambda loss, p, y: ((p - np.eye(runs.CLASSES)[y]) ** 2).mean(), "other_loss_trained"),
    ],
)
def test_restated_loss_is_recognised(healthy, validation_set, restate, code):
    predict, (X, y) = healthy[1], validation_set
    p = predict(X)
    reported = restate(runs.cross_entropy(p, y), p, y)
    curves = {"val_loss": [reported] * 3, "val_accuracy": [float((p.argmax(1) == y).mean())] * 3}

    report = investigate(predict, X, y, history=curves)

    assert code in report


def test_validation_rows_in_the_training_set_are_counted(healthy, training_set, validation_set):
    X = np.vstack([validation_set[0][:300], training_set[0][:200]])
    y = np.concatenate([validation_set[1][:300], training_set[1][:200]])

    report = investigate(healthy[1], X, y, train=training_set)

    assert report.primary.code == "train_validation_overlap"
    assert report.primary.evidence["shared samples"] == 200


@pytest.mark.parametrize("change", [lambda X: 30 * X, lambda X: X + 3.0])
def test_other_preprocessing_is_a_distribution_shift(healthy, training_set, validation_set, change):
    X, y = validation_set

    assert "distribution_shift" in investigate(healthy[1], change(X), y, train=training_set)


def test_renumbered_classes_are_found(healthy, validation_set):
    X, y = validation_set

    report = investigate(healthy[1], X, (y + 1) % runs.CLASSES)

    assert report.primary.code == "distribution_shift"
    assert "numbered otherwise" in report.primary.message


def test_wrong_training_labels_learned_by_heart_are_found(validation_set):
    X, y = runs.blobs(400, seed=5, spread=0.7)
    rng = np.random.default_rng(0)
    y = np.where(rng.random(len(y)) < 0.3, rng.integers(0, runs.CLASSES, len(y)), y)
    validation = runs.blobs(500, seed=6, spread=0.7)
    _, predict = runs.train((X, y), validation, epochs=120, hidden=256)

    report = investigate(predict, *validation, train=(X, y))

    assert report.primary.code == "label_noise"


def test_one_answer_for_all_is_found(validation_set):
    X, y = validation_set
    answer = np.full(runs.CLASSES, 0.02)
    answer[3] = 0.9

    report = investigate(lambda x: np.tile(answer, (len(x), 1)), X, y)

    assert "class_collapse" in report


def test_probability_zero_is_found(healthy, validation_set):
    predict = healthy[1]

    def underflowing(X):
        return runs.softmax(300 * np.log(predict(X)))

    report = investigate(underflowing, *validation_set, history={"val_loss": [2.0, float("inf")]})

    assert report.primary.code == "exploding_or_nan"
    assert "exploding_or_nan" in investigate(underflowing, *validation_set)


LOSSES = {
    "sum": (lambda p, t: -np.sum(t * np.log(p + 1e-12)), "loss_scale_mismatch"),
    "log of zero": (lambda p, t: -np.mean(np.log(p[np.arange(len(t)), t])), "exploding_or_nan"),
    "mean over classes": (lambda p, t: -np.mean(t * np.log(p + 1e-12)), "loss_scale_mismatch"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_fault_of_the_loss_is_found(healthy, validation_set, name):
    loss, code = LOSSES[name]

    assert code in investigate(healthy[1], *validation_set, loss=loss)


def test_right_loss_is_left_alone(healthy, validation_set):
    def loss(p, t):
        return -np.mean(np.sum(t * np.log(np.maximum(p, 1e-12)), axis=-1))

    report = investigate(healthy[1], *validation_set, loss=loss)

    assert not {"loss_scale_mismatch", "evaluation_bug", "exploding_or_nan"} & set(report.codes)


def raising(X):
    raise RuntimeError("no weights")


@pytest.mark.parametrize(
    ("predict", "words"),
    [
        (raising, "RuntimeError: no weights"),
        (lambda X: np.zeros(3), r"shape (3,)"),
        (lambda X: "ten", "not an array of numbers"),
    ],
)
def test_unusable_predict_is_a_finding_not_a_crash(validation_set, predict, words):
    report = investigate(predict, *validation_set)

    assert report.primary.code == "predict_failed"
    assert words in report.primary.message


def test_predict_that_refuses_single_samples_is_judged_by_halves(flagship, validation_set):
    def batches_only(X):
        if len(X) == 1:
            raise ValueError("batch of one")
        return flagship[1](X)

    assert investigate(batches_only, *validation_set).primary.code == "evaluation_bug"


def test_nan_answers_are_found(validation_set):
    report = investigate(lambda X: np.full((len(X), runs.CLASSES), np.nan), *validation_set)

    assert report.primary.code == "exploding_or_nan"


def test_binary_model_may_return_one_column():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 1))
    p = 1 / (1 + np.exp(-2 * X))
    y = (rng.random((300, 1)) < p).astype(int).ravel()

    report = investigate(lambda x: 1 / (1 + np.exp(-2 * x)), X, y)

    assert report.ok


def test_inputs_are_left_as_they_were(healthy, training_set, validation_set):
    before = [array.copy() for array in (*validation_set, *training_set)]

    investigate(healthy[1], *validation_set, train=training_set)

    for old, new in zip(before, (*validation_set, *training_set), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("y", "message"),
    [([], "no samples"), ([0, 1], "X has 3 samples but y has 2"), ([0.5, 1, 2], "class indices")],
)
def test_arguments_that_do_not_fit_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        investigate(lambda X: X, np.zeros((3, 2)), y)


def test_findings_carry_evidence_and_advice(flagship, validation_set):
    for finding in investigate(flagship[1], *validation_set, history=flagship[0]).findings:
        assert 0 < finding.confidence <= 1
        assert finding.message
        if finding.severity is not Severity.INFO:
            assert finding.evidence
            assert finding.next_steps
