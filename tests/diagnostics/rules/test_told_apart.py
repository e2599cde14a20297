"""Faults with the same symptom are told apart."""

import numpy as np
import pytest

from diagnostics import Severity, diagnose
from tests.support import training_runs as runs


def fall(start, end, rate):
    return lambda t: end + (start - end) * np.exp(-rate * t)


def late(start, end, when):
    return lambda t: end + (start - end) / (1 + np.exp(60 * (t - when)))


MEMORISED = {"loss": fall(2.3, 0.005, 12), "accuracy": fall(0.12, 1.0, 12)}


def test_understanding_after_memorising_is_not_called_exchanged():
    curves = runs.drawn(
        80, **MEMORISED, val_loss=late(3.0, 0.002, 0.7), val_accuracy=late(0.1, 0.97, 0.7)
    )

    assert diagnose(curves).ok


def test_few_samples_overfit_and_are_no_other_distribution():
    def both(t):
        return fall(0.1, 0.55, 25)(t)

    curves = runs.drawn(
        60, noise=0.004, **MEMORISED, val_accuracy=both,
        val_loss=lambda t: 2.4 * (1 - both(t)) ** 0.8 + 0.6 * np.maximum(t - 0.15, 0),
    )  # fmt: skip

    assert diagnose(curves).primary.code in ("overfitting", "overconfidence")


def test_random_labels_are_learned_slowly_and_other_data_never():
    val = {"val_loss": lambda t: 2.6 + 2 * t, "val_accuracy": lambda t: 0.1 + 0 * t}
    slow = {"loss": late(2.4, 0.02, 0.3), "accuracy": late(0.1, 1.0, 0.3)}
    fast = {"loss": fall(1.6, 0.005, 20), "accuracy": fall(0.5, 1.0, 20)}

    assert diagnose(runs.drawn(60, **slow, **val)).primary.code == "label_noise"
    assert diagnose(runs.drawn(60, **fast, **val)).primary.code == "distribution_shift"


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3])
def test_a_steady_fall_is_slow_and_not_nothing(share):
    curves = runs.drawn(
        40, noise=2e-4, loss=lambda t: 2.3 * (1 - share * t),
        val_loss=lambda t: 2.32 * (1 - share * t),
    )  # fmt: skip

    assert diagnose(curves).primary.code == "slow_learning"


def test_what_was_learned_and_lost_is_not_called_never_learned():
    curves = runs.drawn(40, loss=lambda t: np.where(t < 0.6, fall(2.0, 0.01, 9)(t), 2.4))

    assert "not_learning" not in diagnose(curves)


def test_a_rise_that_25_samples_may_show_by_chance_is_no_problem():
    rng = np.random.default_rng(0)
    curves = runs.drawn(
        40, noise=0.003, **MEMORISED,
        val_loss=lambda t: fall(2.3, 0.3, 30)(t) + 0.12 * np.maximum(t - 0.2, 0),
    )  # fmt: skip
    right = np.minimum(np.arange(40) * 3 + 3, 20) + rng.integers(0, 2, 40)
    curves["val_accuracy"] = list(right / 25)

    report = diagnose(curves)

    assert report.primary.code in ("overfitting", "overconfidence")
    assert report.ok


def test_a_loss_too_large_at_the_start_that_only_rises_is_no_overconfidence():
    curves = runs.drawn(
        30, val_loss=lambda t: 6.0 + 2.0 * t, val_accuracy=fall(0.66, 0.9, 4), noise=0.004
    )

    assert diagnose(curves).primary.code == "evaluation_bug"


def test_a_single_class_answered_is_told_from_a_model_at_rest():
    share = 0.9
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    flat = {"accuracy": lambda t: share + 0 * t, "val_accuracy": lambda t: share + 0 * t}
    collapsed = runs.drawn(
        40, noise=0.0, loss=fall(0.7, entropy, 15), val_loss=fall(0.7, entropy, 15), **flat
    )
    resting = runs.drawn(40, noise=0.0, loss=fall(0.7, 0.02, 15), val_loss=fall(0.7, 0.3, 15))
    resting |= {"accuracy": list(fall(0.5, 1, 15)(np.linspace(0, 1, 40)))}
    resting |= {"val_accuracy": [0.5, 0.7] + [share] * 38}

    assert diagnose(collapsed).primary.code == "class_collapse"
    assert "class_collapse" not in diagnose(resting)


def test_less_in_the_log_gives_no_problem_on_a_healthy_run():
    healthy = runs.drawn(
        40, noise=0.01, loss=fall(2.3, 0.15, 6), val_loss=fall(2.3, 0.25, 6),
        accuracy=fall(0.1, 0.95, 6), val_accuracy=fall(0.1, 0.92, 6),
    )  # fmt: skip

    for left_out in (["accuracy"], ["accuracy", "val_accuracy"], ["loss", "accuracy"]):
        curves = {name: values for name, values in healthy.items() if name not in left_out}
        findings = diagnose(curves).findings
        assert all(finding.severity is Severity.INFO for finding in findings)
