"""One symptom, a validation loss that rises, told apart by cause in networks really trained."""

import numpy as np
import pytest

from diagnostics import Severity, diagnose, investigate
from tests.support import training_runs as runs

datasets = pytest.importorskip("sklearn.datasets")


@pytest.fixture(scope="module")
def digits():
    X, y = datasets.load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order] / 16, y[order]
    return (X[:600], y[:600]), (X[1000:], y[1000:])


def blurred(X, seed):
    return X + 0.25 * np.random.default_rng(seed).normal(size=X.shape)


def overconfident(train, val):
    """Few samples learned for long: nothing is wrong but the confidence."""
    train = blurred(train[0][:150], 1), train[1][:150]
    return train, (blurred(val[0], 2), val[1]), {"epochs": 60, "learning_rate": 0.1}


def wrong_evaluation(train, val):
    """The fault of the question."""
    return train, val, {"epochs": 40, "evaluate": runs.whole_batch_softmax}


def wrong_labels(train, val):
    """A quarter of the training labels drawn by lot, and learned by heart."""
    rng = np.random.default_rng(3)
    X, y = train
    y = np.where(rng.random(len(y)) < 0.25, rng.integers(0, 10, len(y)), y)
    return (X, y), val, {"epochs": 100, "learning_rate": 0.1, "hidden": 192}


def other_loss(train, val):
    """The squared error is descended, the cross-entropy reported."""
    train = blurred(train[0][:300], 1), train[1][:300]
    options = {"epochs": 60, "learning_rate": 0.2, "squared_error": True}
    return train, (blurred(val[0], 2), val[1]), options


def another_source(train, val):
    """Clean training samples, noisy validation samples."""
    return train, (blurred(val[0], 2), val[1]), {"epochs": 60, "learning_rate": 0.1}


def nothing(train, val):
    """A healthy run."""
    return train, val, {"epochs": 15, "learning_rate": 0.01}


CAUSES = [overconfident, wrong_evaluation, wrong_labels, other_loss, another_source, nothing]


class Trained:
    """A run with its data and its model."""

    def __init__(self, train, val, curves, predict):
        self.train, self.val, self.curves, self.predict = train, val, curves, predict


@pytest.fixture(scope="module")
def trained(digits):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "CLASSES", 10)
        made = {}
        for cause in CAUSES:
            train, val, options = cause(*digits)
            made[cause] = Trained(train, val, *runs.train(train, val, **options))
        yield made


EXPECTED_OF_THE_MODEL = {
    overconfident: "overconfidence",
    wrong_evaluation: "evaluation_bug",
    wrong_labels: "label_noise",
    other_loss: "other_loss_trained",
    another_source: "distribution_shift",
}


@pytest.mark.parametrize("cause", EXPECTED_OF_THE_MODEL, ids=lambda cause: cause.__name__)
def test_model_and_training_set_prove_the_cause(trained, cause):
    run = trained[cause]

    report = investigate(run.predict, *run.val, history=run.curves, train=run.train)

    assert report.primary.code == EXPECTED_OF_THE_MODEL[cause], str(report)
    assert report.levels[report.primary.code] == "proven by experiment on the model"


# Without the training set wrong labels and another source look as what they lead to.
EXPECTED_OF_THE_PREDICTIONS = {
    overconfident: {"overconfidence"},
    wrong_evaluation: {"evaluation_bug"},
    wrong_labels: {"overfitting", "label_noise"},
    other_loss: {"other_loss_trained"},
    another_source: {"overconfidence"},
}


@pytest.mark.parametrize("cause", EXPECTED_OF_THE_PREDICTIONS, ids=lambda cause: cause.__name__)
def test_predictions_decide_what_they_can(trained, cause):
    run = trained[cause]

    report = investigate(run.predict(run.val[0]), *run.val, history=run.curves)

    assert report.primary.code in EXPECTED_OF_THE_PREDICTIONS[cause], str(report)


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (overconfident, "loss_accuracy_divergence"),
        (wrong_evaluation, "evaluation_bug"),
        (other_loss, "other_loss_trained"),
    ],
)
def test_curves_alone_show_the_symptom_and_accuse_rightly_where_they_can(trained, cause, code):
    assert code in diagnose(trained[cause].curves)


def test_healthy_run_raises_no_alarm_at_any_level(trained):
    run = trained[nothing]
    history = {"history": run.curves}

    for report in (
        diagnose(run.curves),
        investigate(run.predict(run.val[0]), *run.val, **history),
        investigate(run.predict, *run.val, **history),
        investigate(run.predict, *run.val, **history, train=run.train),
    ):
        assert {finding.severity for finding in report.findings} <= {Severity.INFO}, str(report)


def test_temperature_that_takes_the_rise_back_leaves_no_overfitting(trained):
    run = trained[overconfident]

    report = investigate(run.predict, *run.val, history=run.curves)

    assert "overfitting" not in report
    assert report["overconfidence"].severity is not Severity.INFO


def test_advice_to_investigate_is_not_repeated(trained):
    run = trained[overconfident]

    report = investigate(run.predict, *run.val, history=run.curves)

    assert "investigate(" not in str(report)
