"""Whether the number is wrong is told from what the model does wrong, by the curves alone."""

import numpy as np
import pytest

from diagnostics import diagnose
from diagnostics.rules.features.infer_sizes import infer_samples
from diagnostics.statistics.rise_test import rise

EPOCHS = np.arange(60)
FALL = np.exp(-EPOCHS / 8)
N = 300


def accuracies(last, size=N):
    """An accuracy that climbs from a tenth, in multiples of one sample."""
    return np.round((last - (last - 0.1) * FALL) * size) / size


def few_samples(added=0.0):
    """A run on few samples: training goes to zero, validation turns, ``added`` is on top of it."""
    val = 0.9 + 1.4 * FALL + 0.006 * np.maximum(EPOCHS - 25, 0)
    return {
        "loss": list(2.3 * FALL + 0.002),
        "accuracy": list(1 - 0.9 * np.exp(-EPOCHS / 3)),
        "val_loss": list(val + added),
        "val_accuracy": list(accuracies(0.7)),
    }


@pytest.mark.parametrize("size", [50, 300, 2000])
@pytest.mark.parametrize(
    "logged",
    [
        ("loss", "accuracy", "val_loss", "val_accuracy"),
        ("loss", "val_loss", "val_accuracy"),
        ("val_loss", "val_accuracy"),
    ],
)
def test_ln_n_above_from_the_start_is_a_wrong_number_however_few_samples(size, logged):
    curves = few_samples(added=np.log(size)) | {"val_accuracy": list(accuracies(0.7, size))}
    report = diagnose({name: curves[name] for name in logged})

    assert report.primary.code == "evaluation_bug"
    assert "overfitting" not in report


def test_the_same_run_without_ln_n_overfits():
    report = diagnose(few_samples())

    assert report.primary.code == "overfitting"
    assert "evaluation_bug" not in report


def test_an_overconfident_model_is_never_called_a_wrong_number():
    late = np.maximum(EPOCHS - 15, 0)
    curves = {
        "loss": list(2.3 * FALL),
        "accuracy": list(1 - 0.9 * FALL),
        "val_loss": list(0.15 + 2.1 * FALL + 0.2 * late),
        "val_accuracy": list(accuracies(0.95)),
    }
    report = diagnose(curves)

    assert report.primary.code == "overconfidence"
    assert "evaluation_bug" not in report


def test_a_loss_that_climbs_while_training_has_hardly_begun_is_not_that_of_training():
    curves = {
        "loss": list(2.3 * np.exp(-EPOCHS / 6)),
        "accuracy": list(1 - 0.7 * np.exp(-EPOCHS / 6)),
        "val_loss": list(2.2 + 3.0 * (1 - np.exp(-EPOCHS / 2)) - 0.01 * EPOCHS),
        "val_accuracy": list(accuracies(0.95)),
    }

    assert diagnose(curves).primary.code == "evaluation_bug"


def test_a_model_far_too_sure_in_training_as_well_is_no_fault_of_the_evaluation():
    rng = np.random.default_rng(0)
    curves = {
        "loss": list(rng.uniform(1.0, 4.0, 60)),
        "accuracy": list(0.98 - 0.3 * FALL),
        "val_loss": list(2.6 + 0.5 * EPOCHS),
        "val_accuracy": list(accuracies(0.85)),
    }
    report = diagnose(curves)

    assert "evaluation_bug" not in report
    assert "oscillating" in report


def test_what_is_learned_and_lost_at_once_has_blown_up():
    loss, accuracy = 2.3 * FALL, 1 - 0.9 * FALL
    loss[40:], accuracy[40:] = 2.4, 0.1
    loss[40] = 3000.0
    finding = diagnose({"loss": list(loss), "accuracy": list(accuracy)})["exploding_or_nan"]

    assert finding.epochs[0] in (39, 40)
    assert "3e+03 in epoch 40" in finding.message


def test_a_gap_that_was_there_before_training_is_not_overfitting():
    steps = np.linspace(0, 0.004, 60)
    curves = {
        "loss": list(1.093 - steps),
        "accuracy": [0.454] * 60,
        "val_loss": list(1.108 - steps),
        "val_accuracy": [0.288] * 60,
    }

    assert "overfitting" not in diagnose(curves)


def test_a_minimum_in_the_second_epoch_of_a_long_run_is_seen():
    series = 0.75 - 0.15 * np.exp(-EPOCHS / 4)
    series[0] = 0.9
    noise = 0.003 * np.random.default_rng(0).standard_normal(60)

    assert rise(series + noise).relative > 0.12


@pytest.mark.parametrize("digits", [4, 5, 6])
def test_samples_are_counted_from_accuracies_with_so_many_digits(digits):
    exact = np.arange(20, 290, 7) / N
    rounded = np.array([float(f"{value:.{digits}g}") for value in exact])

    assert infer_samples(rounded) == N
    assert infer_samples(np.round(exact, digits)) == N


def test_the_noise_of_single_batches_is_no_problem():
    rng = np.random.default_rng(1)
    loss = 0.6 + 1.7 * FALL + rng.uniform(-0.5, 0.5, 60)

    by_step = diagnose({"step": list(10 * EPOCHS), "loss": list(loss)})
    by_epoch = diagnose({"epoch": list(EPOCHS), "loss": list(loss)})

    assert by_step.ok
    assert by_epoch.primary.code == "oscillating"
    assert not by_epoch.ok


def test_what_is_learned_in_the_first_epoch_is_not_called_nothing():
    rng = np.random.default_rng(2)
    curves = {
        "loss": [0.69, *(0.644 + 0.001 * rng.standard_normal(29))],
        "accuracy": [0.6, *np.round(0.657 + 0.003 * rng.standard_normal(29), 3)],
        "val_loss": [0.64, *(0.62 + 0.003 * rng.standard_normal(29))],
        "val_accuracy": list(np.round(0.69 + 0.008 * rng.standard_normal(30), 3)),
    }

    assert diagnose(curves).ok
    assert diagnose({name: curves[name] for name in ("loss", "val_loss")}).ok


def test_an_accuracy_under_the_name_of_a_loss_is_asked_for():
    rng = np.random.default_rng(3)
    climbing = 0.8 - 0.55 * FALL + 0.004 * rng.standard_normal(60)
    report = diagnose({"loss": list(climbing), "val_loss": list(climbing - 0.05)})

    assert "'loss' one?" in report.primary.message
    assert report.ok


def test_a_model_too_weak_for_its_training_set_underfits_though_validation_is_behind():
    rest = np.exp(-EPOCHS / 5)
    curves = {
        "loss": list(1.2 + 1.1 * rest),
        "accuracy": list(0.57 - 0.4 * rest),
        "val_loss": list(1.6 + 0.6 * rest + 0.002 * np.maximum(EPOCHS - 20, 0)),
        "val_accuracy": list(np.round(0.4 - 0.2 * rest, 3)),
    }

    assert diagnose(curves).primary.code == "underfitting"


QUESTION = {
    "train_loss": [9.34, 9.04, 9.97, 10.98, 11.68, 12.29, 12.80, 12.96],
    "train_accuracy": [0.487, 0.703, 0.787, 0.838, 0.871, 0.897, 0.915, 0.928],
    "val_loss": [7.99, 7.60, 8.52, 9.62, 10.40, 11.08, 11.64, 11.87],
    "val_accuracy": [0.462, 0.652, 0.736, 0.786, 0.818, 0.846, 0.858, 0.87],
}


def test_the_run_of_the_question_has_a_wrong_number_and_no_divergence():
    report = diagnose(QUESTION)

    assert report.primary.code == "evaluation_bug"
    assert report["loss_accuracy_divergence"].epochs == (1, 7)
    assert "exploding_or_nan" not in report


def test_a_loss_grows_without_bound_by_its_own_start_while_the_answers_suffer():
    rate_too_high = {
        "loss": [2.2, 20.0, 160.0, 900.0, 4e3, 3e4, 1e5, 9e5, 6e6, 4e7],
        "accuracy": [0.63, 0.70, 0.74, 0.71, 0.77, 0.67, 0.75, 0.73, 0.77, 0.71],
    }

    assert diagnose(rate_too_high).primary.code == "exploding_or_nan"


def test_an_infinite_loss_of_right_answers_leaves_the_values_before_it_to_be_judged():
    curves = {name: [*values, values[-1]] for name, values in QUESTION.items()}
    curves["val_loss"][-1] = np.inf
    report = diagnose(curves)

    assert {"evaluation_bug", "exploding_or_nan"} <= set(report.codes)
