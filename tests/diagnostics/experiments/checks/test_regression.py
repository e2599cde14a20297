"""Regressions under investigation, answers by name, and models given as objects."""

import numpy as np
import pytest

from diagnostics import Severity, investigate

RNG = np.random.default_rng(0)
W = RNG.normal(size=5)
X_TRAIN, X = RNG.normal(size=(300, 5)), RNG.normal(size=(200, 5))
Y_TRAIN, Y = (A @ W + 3 + 0.5 * RNG.normal(size=len(A)) for A in (X_TRAIN, X))


def predict(A):
    return A @ W + 3


def squared_error(answers, targets):
    return float(np.mean((answers - targets) ** 2))


@pytest.mark.parametrize("column", [False, True])
def test_right_regression_raises_no_alarm(column):
    def answers(A):
        return predict(A)[:, None] if column else predict(A)

    history = {"val_loss": [9.0, 1.0, squared_error(predict(X), Y)]}
    report = investigate(answers, X, Y, history=history, train=(X_TRAIN, Y_TRAIN))

    assert all(finding.severity is Severity.INFO for finding in report.findings)
    assert "Nothing wrong found" in report.paragraph or "Cannot tell" in report.paragraph


def test_several_outputs_are_judged_together():
    targets = np.stack([Y, -Y], axis=1)

    report = investigate(lambda A: np.stack([predict(A), -predict(A)], axis=1), X, targets)

    assert report.ok


@pytest.mark.parametrize(
    ("code", "answers"),
    [
        ("exploding_or_nan", lambda A: predict(A) * np.nan),
        ("nondeterministic_prediction", lambda A: predict(A * (RNG.random(A.shape) > 0.3))),
        ("evaluation_bug", lambda A: predict(A - A.mean(axis=0))),
        ("evaluation_bug", lambda A: predict(A) + A.mean()),
        ("input_mutated", lambda A: predict(np.multiply(A, 1.1, out=A))),
        ("not_learning", lambda A: np.full(len(A), 3.0001)),
        ("not_learning", lambda A: 3 + 0.02 * predict(A)),
        ("distribution_shift", lambda A: (predict(A) - 30) / 20),
        ("predict_failed", lambda A: predict(A)[:3]),
    ],
)
def test_fault_of_a_regression_is_named_first(code, answers):
    report = investigate(answers, X, Y, train=(X_TRAIN, Y_TRAIN))

    assert report.primary.code == code
    assert not report.ok


@pytest.mark.parametrize("order", [RNG.permutation(len(X)), np.roll(np.arange(len(X)), 7)])
def test_targets_that_belong_to_other_rows_are_named(order):
    report = investigate(predict, X, Y[order], train=(X_TRAIN, Y_TRAIN))

    assert report.primary.code == "shuffled_labels"


def test_model_that_refuses_single_samples_is_asked_for_half_of_the_batch():
    def normalised(A):
        if len(A) < 2:
            raise ValueError("more than one sample is needed")
        return predict((A - A.mean(axis=0)) / A.std(axis=0))

    assert investigate(normalised, X, Y).primary.code == "evaluation_bug"


def test_shift_of_the_targets_is_counted():
    assert "moved by 7 rows" in investigate(predict, X, np.roll(Y, 7)).primary.message


def test_loss_of_every_answer_against_every_target_is_recognised():
    reported = squared_error(predict(X)[:, None], Y[None, :])

    report = investigate(predict, X, Y, history={"val_loss": [40.0, 20.0, reported]})

    assert report.primary.code == "evaluation_bug"
    assert "(n, 1) - (n,)" in report.primary.message


def test_sum_of_squares_is_a_mismatch_of_scale():
    reported = len(Y) * squared_error(predict(X), Y)

    report = investigate(predict, X, Y, history={"val_loss": [9e3, 4e3, reported]})

    assert report.primary.code == "loss_scale_mismatch"


def test_shared_rows_are_found_in_a_regression_too():
    both = np.concatenate([X, X_TRAIN[:80]]), np.concatenate([Y, Y_TRAIN[:80]])

    report = investigate(predict, *both, train=(X_TRAIN, Y_TRAIN))

    assert report.primary.code == "train_validation_overlap"


def test_whole_targets_with_fractional_answers_are_a_regression():
    assert investigate(predict, X, np.round(10 * Y) // 10).ok


def test_picture_of_a_regression_shows_answers_over_targets():
    axes = investigate(predict, X, Y).figure().axes

    assert axes[0].get_title(loc="left") == "Do the answers follow the targets?"
    assert axes[1].get_ylabel() == "squared error"


def sign(A):
    return np.sign(A @ W)


def test_answers_by_name_are_read_without_a_list_of_classes():
    def named(A):
        return ["up" if s > 0 else "down" for s in sign(A)]

    report = investigate(named, X, named(X))

    assert report.codes == ("classes_returned",)


@pytest.mark.parametrize("answers", [sign, lambda A: A @ W])
def test_classes_called_minus_one_and_one_are_read(answers):
    report = investigate(answers, X, sign(X).astype(int))

    assert report.ok
    assert "shuffled_labels" not in report


def test_name_that_is_no_label_is_refused():
    report = investigate(lambda A: ["left"] * len(A), X, ["up", "down"] * (len(X) // 2))

    assert not report.ok


def test_model_that_is_no_function_is_asked_by_its_method():
    class Model:
        def predict(self, A):
            return predict(A)

    assert investigate(Model(), X, Y).ok


def test_logits_among_other_outputs_are_found_by_their_name():
    def several(A):
        return {"hidden": A, "logits": np.stack([A @ W, -(A @ W)], axis=1)}

    assert investigate(several, X, (A_right := (X @ W < 0)).astype(int)).ok
    assert A_right.any()


def test_state_that_runs_along_the_batch_is_no_noise():
    def running(A):
        z = np.cumsum(A, axis=0) @ W
        return np.stack([1 / (1 + np.exp(z)), 1 / (1 + np.exp(-z))], axis=1)

    report = investigate(running, X, (X @ W > 0).astype(int))

    assert report.primary.code == "evaluation_bug"
    assert "batch_first" in " ".join(report.primary.causes)
