"""Faults of the answers themselves: their normalisation, their order, their sureness."""

import numpy as np
import pytest

from diagnostics import Severity, investigate
from diagnostics.experiments.checks.softmax_twice import undo_softmax
from tests.support import training_runs as runs


def logits(predict, X):
    return np.log(predict(X))


def test_softmax_undone_gives_the_distribution_back():
    p = np.random.default_rng(0).dirichlet(np.ones(5), 20)

    np.testing.assert_allclose(undo_softmax(runs.softmax(p)), p, atol=1e-12)


def test_softmax_applied_twice_is_named_with_its_bound(healthy, validation_set):
    predict = healthy[1]

    report = investigate(lambda X: runs.softmax(predict(X)), *validation_set)

    evidence = report.primary.evidence
    assert report.primary.code == "softmax_twice"
    assert evidence["largest probability"] <= evidence["upper bound e / (C - 1 + e)"]
    assert "underconfidence" not in report


def test_cautious_answers_are_underconfidence(healthy, validation_set):
    predict = healthy[1]

    report = investigate(lambda X: runs.softmax(logits(predict, X) / 3), *validation_set)

    assert report.primary.code == "underconfidence"
    assert report.primary.evidence["best temperature"] < 1


def test_shuffled_labels_are_not_called_overconfidence(healthy, training_set, validation_set):
    X, y = validation_set

    report = investigate(healthy[1], X, np.random.default_rng(0).permutation(y), train=training_set)

    assert report.primary.code == "shuffled_labels"
    assert "overconfidence" not in report


def test_labels_out_of_step_are_counted(healthy, validation_set):
    X, y = validation_set

    report = investigate(healthy[1], X, np.roll(y, 3))

    assert report.primary.code == "shuffled_labels"
    assert report.primary.evidence["rows shifted"] == 3
    assert "np.roll(y, -3)" in report.primary.next_steps[0]


def test_two_swapped_columns_are_named(healthy, validation_set):
    predict, order = healthy[1], np.arange(runs.CLASSES)
    order[:2] = 1, 0

    report = investigate(lambda X: predict(X)[:, order], *validation_set)

    assert report.primary.code == "distribution_shift"
    assert "swapped: 0 and 1" in report.primary.message


def test_rounded_probabilities_are_named_and_not_taken_for_a_wrong_softmax(healthy, validation_set):
    predict = healthy[1]

    report = investigate(lambda X: np.round(predict(X), 2), *validation_set)

    assert "rounded_probabilities" in report
    assert "evaluation_bug" not in report


def test_a_common_scale_is_measured(healthy, training_set, validation_set):
    X, y = validation_set

    report = investigate(healthy[1], 255 * X, y, train=training_set)

    (shift,) = [f for f in report.findings if f.code == "distribution_shift"]
    assert "One factor explains it" in shift.message


def test_labels_counted_from_one_are_explained(healthy, validation_set):
    X, y = validation_set

    report = investigate(healthy[1], X, y + 1)

    assert report.primary.code == "predict_failed"
    assert "pass y - 1" in report.primary.message


@pytest.mark.parametrize(
    "form",
    [
        lambda p: p.astype(np.float16),
        lambda p: p.astype(np.float32),
        np.log,
        lambda p: np.log(p) + 3,
        lambda p: p.argmax(axis=1),
    ],
    ids=["half", "single", "log-probabilities", "logits", "classes"],
)
def test_forms_of_right_answers_are_no_problem(healthy, training_set, validation_set, form):
    predict = healthy[1]

    report = investigate(lambda X: form(predict(X)), *validation_set, train=training_set)

    assert report.ok, str(report)


def test_sureness_that_explains_no_rise_is_a_remark(healthy, training_set, validation_set):
    predict = healthy[1]

    report = investigate(
        lambda X: runs.softmax(6 * logits(predict, X)), *validation_set, train=training_set
    )

    assert report.primary.code == "overconfidence"
    assert report.primary.severity is Severity.INFO


def test_zeros_of_a_model_that_is_too_sure_come_after_its_sureness(healthy, validation_set):
    predict = healthy[1]

    def sharpened(X):
        p = runs.softmax(6 * logits(predict, X))
        return np.where(p < 1e-12, 0, p)

    report = investigate(sharpened, *validation_set)

    assert report.codes[:2] == ("overconfidence", "exploding_or_nan")
