"""Losses that swing: what it costs decides, and what has to fall at all."""

import numpy as np
import pytest

from diagnostics import Severity, diagnose

EPOCHS = np.arange(40)
ZIGZAG = np.where(EPOCHS % 2, 1.0, -1.0) * (1 + 0.3 * np.sin(EPOCHS))


def swinging(accuracy, *, level, size=0.12):
    loss = level + 0.8 * np.exp(-EPOCHS / 3) + size * ZIGZAG
    return {
        "loss": list(loss),
        "val_loss": list(loss + 0.02),
        "val_accuracy": list(accuracy - 0.5 * np.exp(-EPOCHS / 3)),
    }


def test_swings_of_a_model_that_ends_accurate_are_no_problem():
    report = diagnose(swinging(0.93, level=0.3))

    assert report["oscillating"].severity is Severity.WARNING
    assert report.ok


@pytest.mark.parametrize(("accuracy", "level"), [(0.6, 1.0), (0.93, 1.5)])
def test_swings_that_cost_answers_or_make_them_far_too_sure_are_a_problem(accuracy, level):
    report = diagnose(swinging(accuracy, level=level, size=0.4))

    assert report["oscillating"].severity is Severity.PROBLEM


def test_training_swings_that_validation_does_not_share_are_noise_of_the_batches():
    curves = swinging(0.8, level=0.5)
    curves["val_loss"] = list(0.5 + 0.8 * np.exp(-EPOCHS / 3))

    assert "oscillating" not in diagnose(curves)


def test_single_steps_may_swing_as_batches_do():
    curves = swinging(0.8, level=0.5, size=0.06)
    steps = {"step": list(EPOCHS * 10), "loss": curves["loss"]}

    assert "oscillating" not in diagnose(steps)
    assert "oscillating" in diagnose({"epoch": list(EPOCHS), "loss": curves["loss"]})


@pytest.mark.parametrize(
    "names", [("policy_loss", "reward"), ("d_loss", "g_loss"), ("Generator Loss", "Critic Loss")]
)
def test_loss_of_a_game_is_not_judged_by_its_course(names):
    rng = np.random.default_rng(0)
    report = diagnose({name: list(rng.normal(size=40)) for name in names})

    assert report.codes == ("contested_loss",)
    assert report.ok
    assert "Cannot tell" in str(report)


def test_loss_of_a_game_that_is_nan_is_still_a_problem():
    assert not diagnose({"d_loss": [1.0, 1.1, float("nan"), float("nan")], "g_loss": [1.0] * 4}).ok


def test_plain_loss_beside_those_of_a_game_is_judged():
    curves = {"loss": list(2 * np.exp(-EPOCHS / 8)), "critic_loss": list(1 + 0.1 * ZIGZAG)}

    assert "contested_loss" not in diagnose(curves)


def test_cross_entropy_that_falls_below_zero_without_end_has_no_lowest_value():
    report = diagnose({"loss": list(0.6 - 3.0 * EPOCHS), "accuracy": [0.35] * 40})

    assert report.primary.code == "exploding_or_nan"
    assert "np.unique(y_train)" in " ".join(report.primary.checks)


def test_training_accuracy_is_bounded_by_the_training_loss_where_it_is_not_logged():
    rise = np.maximum(EPOCHS - 8, 0) / 31
    curves = {
        "loss": list(2.0 * np.exp(-EPOCHS / 3)),
        "val_loss": list(0.8 + 1.4 * np.exp(-EPOCHS / 3) + 0.1 * rise),
        "val_accuracy": list(0.7 - 0.3 * np.exp(-EPOCHS / 3)),
    }

    assert diagnose(curves).primary.code == "overfitting"
