"""Runs of known fate are diagnosed, and healthy ones left alone."""

import numpy as np
import pytest

from diagnostics import History, Severity, diagnose
from tests.support import training_runs as runs


def decay(start, end, rate):
    return lambda t: end + (start - end) * np.exp(-rate * t)


def growth(start, end, rate):
    return decay(start, end, rate)


HEALTHY = {
    "loss": decay(2.3, 0.15, 6),
    "val_loss": decay(2.3, 0.25, 6),
    "accuracy": growth(0.1, 0.95, 6),
    "val_accuracy": growth(0.1, 0.92, 6),
}


def test_flagship_is_an_evaluation_bug_with_divergence_as_its_symptom(flagship):
    report = diagnose(flagship[0])

    assert report.primary.code == "evaluation_bug"
    assert report.primary.severity is Severity.PROBLEM
    assert "loss_accuracy_divergence" in report
    assert "overfitting" not in report
    low = int(np.argmin(flagship[0]["val_loss"]))
    assert abs(report["loss_accuracy_divergence"].epochs[0] - low) <= 3


def test_flagship_without_training_curves_is_recognised_too(flagship):
    curves = {name: flagship[0][name] for name in ("val_loss", "val_accuracy")}

    assert diagnose(curves).primary.code == "evaluation_bug"


def test_loss_of_the_question_is_recognised_from_its_figures():
    curves = runs.drawn(
        30,
        val_loss=lambda t: 8.6 + 3.4 * t,
        val_accuracy=growth(0.66, 0.88, 4),
    )

    report = diagnose(curves)

    assert report.codes == ("evaluation_bug", "loss_accuracy_divergence")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("epochs", [12, 40, 150])
def test_healthy_curves_have_no_problem_and_no_warning(seed, epochs):
    report = diagnose(runs.drawn(epochs, seed=seed, noise=0.02, **HEALTHY))

    assert report.ok
    assert all(finding.severity is Severity.INFO for finding in report.findings)
    assert "Nothing wrong found" in str(report)


def test_healthy_training_has_no_problem(healthy):
    assert diagnose(healthy[0]).ok


def test_overfitting_is_named_with_its_onset():
    report = diagnose(
        runs.drawn(
            60,
            loss=decay(2.3, 0.01, 6),
            val_loss=lambda t: decay(2.3, 0.5, 15)(t) + 0.9 * np.maximum(t - 0.3, 0),
            accuracy=growth(0.1, 1.0, 6),
            val_accuracy=lambda t: growth(0.1, 0.85, 15)(t) - 0.08 * np.maximum(t - 0.3, 0),
        )
    )

    assert report.primary.code == "overfitting"
    assert abs(report.primary.epochs[0] - 18) <= 6


def test_trained_overfitting_is_named(validation_set):
    curves, _ = runs.train(
        runs.blobs(60, seed=3, spread=1.6),
        runs.blobs(500, seed=4, spread=1.6),
        epochs=80,
        hidden=64,
    )

    assert "overfitting" in diagnose(curves)


def test_label_noise_is_told_from_overfitting(validation_set):
    X, y = runs.blobs(400, seed=5)
    rng = np.random.default_rng(0)
    wrong = rng.random(len(y)) < 0.3
    y = np.where(wrong, rng.integers(0, runs.CLASSES, len(y)), y)
    curves, _ = runs.train((X, y), validation_set, epochs=80, hidden=256, learning_rate=0.003)

    assert diagnose(curves).primary.code == "label_noise"


def test_overconfidence_is_a_rising_loss_at_a_rising_accuracy():
    report = diagnose(
        runs.drawn(
            60,
            noise=0.003,
            loss=decay(2.3, 0.001, 8),
            val_loss=lambda t: decay(2.3, 0.3, 20)(t) + 0.15 * np.maximum(t - 0.2, 0),
            accuracy=growth(0.1, 1.0, 20),
            val_accuracy=lambda t: growth(0.1, 0.90, 20)(t) + 0.03 * t,
        )
    )

    assert report.codes[:2] == ("overconfidence", "loss_accuracy_divergence")
    assert report.ok


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_first_value_that_is_not_finite_is_named(value):
    curves = runs.drawn(20, **HEALTHY)
    curves["loss"][13:] = [value] * 7

    report = diagnose(curves)

    assert report.primary.code == "exploding_or_nan"
    assert report.primary.epochs == (13, 19)


def test_diverging_training_is_named():
    report = diagnose(runs.drawn(30, loss=lambda t: 2.0 - t + 40 * np.maximum(t - 0.5, 0) ** 2))

    assert report.primary.code == "exploding_or_nan"


@pytest.mark.parametrize("curves", [{"loss": [2.3, 1.9, 1.7]}, {"loss": [1.0], "accuracy": [0.5]}])
def test_few_epochs_are_not_judged(curves):
    report = diagnose(curves)

    assert report.codes == ("too_few_epochs",)
    assert report.ok


def test_run_at_chance_is_not_learning():
    curves = runs.drawn(
        25,
        noise=0.0008,
        loss=lambda t: np.log(10) + 0 * t,
        val_loss=lambda t: np.log(10) + 0 * t,
    )
    rng = np.random.default_rng(0)
    curves["accuracy"] = list(0.1 + 0.005 * rng.normal(size=25))
    curves["val_accuracy"] = list(0.1 + 0.01 * rng.normal(size=25))

    assert diagnose(curves).primary.code == "not_learning"


def test_learning_rate_too_high_oscillates():
    rng = np.random.default_rng(1)
    jumps = 0.5 * rng.normal(size=40)
    curves = {"loss": list(1.4 + np.abs(jumps)), "accuracy": list(0.5 - 0.2 * jumps)}

    assert diagnose(curves).primary.code == "oscillating"


def test_learning_rate_too_low_is_slow():
    report = diagnose(
        runs.drawn(
            40, noise=0.002, loss=lambda t: 2.3 - 0.2 * t, val_loss=lambda t: 2.3 - 0.19 * t,
            accuracy=lambda t: 0.12 + 0.15 * t, val_accuracy=lambda t: 0.12 + 0.14 * t,
        )
    )  # fmt: skip

    assert report.primary.code == "slow_learning"


def test_model_too_weak_underfits():
    report = diagnose(
        runs.drawn(
            50, noise=0.005, loss=decay(2.3, 1.6, 15), val_loss=decay(2.3, 1.62, 15),
            accuracy=growth(0.1, 0.41, 15), val_accuracy=growth(0.1, 0.40, 15),
        )
    )  # fmt: skip

    assert report.primary.code == "underfitting"


def test_one_answer_for_all_is_a_class_collapse():
    curves = runs.drawn(
        30, noise=0.0, loss=decay(0.9, 0.611, 20), val_loss=decay(0.9, 0.611, 20),
        accuracy=lambda t: 0.7 + 0 * t, val_accuracy=lambda t: 0.7 + 0 * t,
    )  # fmt: skip

    assert diagnose(curves).primary.code == "class_collapse"


@pytest.mark.parametrize("factor", [20.0, 64.0, 1 / 64])
def test_sum_against_mean_is_a_scale_mismatch(training_set, validation_set, factor):
    curves, _ = runs.train(
        training_set, validation_set, epochs=20, learning_rate=0.01, loss_scale=factor
    )

    assert diagnose(curves).primary.code in ("loss_scale_mismatch", "other_loss_trained")
    assert "evaluation_bug" not in diagnose(curves)


def test_squared_error_in_training_alone_is_another_loss(training_set, validation_set):
    curves, _ = runs.train(
        training_set, validation_set, epochs=25, learning_rate=0.02, squared_error=True
    )

    assert "other_loss_trained" in diagnose(curves)


def test_squared_error_everywhere_is_no_fault():
    report = diagnose(
        runs.drawn(
            40, loss=decay(0.09, 0.005, 6), val_loss=decay(0.09, 0.012, 6),
            accuracy=growth(0.1, 0.96, 6), val_accuracy=growth(0.1, 0.92, 6),
        )
    )  # fmt: skip

    assert report.ok
    assert "not_cross_entropy" in report


def test_exchanged_curves_are_named():
    report = diagnose(
        runs.drawn(
            60,
            val_loss=decay(2.3, 0.01, 6),
            loss=lambda t: decay(2.3, 0.5, 15)(t) + 0.9 * np.maximum(t - 0.3, 0),
            val_accuracy=growth(0.1, 1.0, 6),
            accuracy=growth(0.1, 0.85, 15),
        )
    )

    assert report.primary.code == "train_validation_swapped"


def test_shifted_validation_set_is_told_from_overfitting():
    report = diagnose(
        runs.drawn(
            40, loss=decay(2.3, 0.02, 8), val_loss=lambda t: 3.0 + 4 * t,
            accuracy=growth(0.4, 1.0, 20), val_accuracy=lambda t: 0.15 + 0.03 * t,
        )
    )  # fmt: skip

    assert report.primary.code == "distribution_shift"


def test_remarks_are_made_where_they_apply():
    t = np.arange(40)

    def bump(t):
        return 0.5 * np.exp(-(((t - 0.5) / 0.12) ** 2))

    dropout = runs.drawn(
        40, loss=decay(2.3, 0.4, 5), val_loss=decay(2.0, 0.25, 5), accuracy=growth(0.1, 0.85, 5),
        val_accuracy=growth(0.15, 0.92, 5),
    )  # fmt: skip
    spike = runs.drawn(40, noise=0.005, **HEALTHY)
    spike["loss"][20] = 2.5
    stepped = runs.drawn(40, **HEALTHY) | {"lr": list(np.where(t < 20, 0.1, 0.01))}
    plateau = runs.drawn(40, noise=0.003, loss=lambda t: 2.3 - 2 / (1 + np.exp(-30 * (t - 0.6))))
    double = runs.drawn(
        60, noise=0.01, loss=decay(2.3, 0.05, 8),
        val_loss=lambda t: decay(2.3, 0.6, 20)(t) + bump(t) - 0.3 * t,
    )  # fmt: skip

    assert "validation_better_than_train" in diagnose(dropout)
    assert "spike_recovered" in diagnose(spike)
    assert "learning_rate_step" in diagnose(stepped)
    assert "plateau_then_progress" in diagnose(plateau)
    assert "late_improvement" in diagnose(double)
    assert "converged" in diagnose(runs.drawn(80, **HEALTHY | {"val_loss": decay(2.3, 0.25, 25)}))
    assert "still_improving" in diagnose(
        runs.drawn(20, **HEALTHY | {"val_loss": decay(2.3, 0.2, 2)})
    )


def test_noisy_validation_is_a_remark():
    curves = runs.drawn(40, noise=0.005, **HEALTHY)
    rng = np.random.default_rng(0)
    curves["val_loss"] = list(np.array(curves["val_loss"]) * np.exp(0.25 * rng.normal(size=40)))

    assert "noisy_validation" in diagnose(curves)


def test_logged_internals_are_judged():
    flat = runs.drawn(20, noise=0.001, loss=lambda t: 2.3 + 0 * t)
    norms = {"grad_norm/layer1": [1e-9] * 20, "grad_norm/layer5": [0.1] * 20}

    assert "vanishing_gradients" in diagnose(flat | norms)
    assert "dead_units" in diagnose(flat | {"dead_fraction": list(np.linspace(0.1, 0.9, 20))})


def test_every_input_form_gives_the_same_report(tmp_path, flagship):
    curves = flagship[0]
    records = [dict(zip(curves, row, strict=True)) for row in zip(*curves.values(), strict=True)]
    path = tmp_path / "log.csv"
    lines = [",".join(curves), *(",".join(map(repr, row.values())) for row in records)]
    path.write_text("\n".join(lines))

    reports = [diagnose(data) for data in (curves, records, path, History.from_dict(curves))]

    assert len({report.codes for report in reports}) == 1


def test_muted_codes_are_not_reported(flagship):
    assert "evaluation_bug" not in diagnose(flagship[0], mute=("evaluation_bug",))


def test_sizes_must_make_sense():
    with pytest.raises(ValueError, match="classes=1"):
        diagnose({"loss": [1.0, 2.0]}, classes=1)


def test_what_is_no_history_is_refused():
    with pytest.raises(TypeError, match="cannot read a history from int"):
        diagnose(3)


def test_flagship_trained_on_squared_error_is_still_an_evaluation_bug(training_set, validation_set):
    curves, _ = runs.train(
        training_set,
        validation_set,
        learning_rate=0.03,
        evaluate=runs.whole_batch_softmax,
        squared_error=True,
    )

    assert diagnose(curves).primary.code == "evaluation_bug"
