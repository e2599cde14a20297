"""A run is judged while it goes on: each finding told once, and only when certain."""

import itertools
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import network
from diagnostics import History, KerasMonitor, LightningMonitor, Monitor, diagnose
from diagnostics.live import TrainingWarning, follow
from diagnostics.live.alpha_spending import TOTAL_RATE, looks, sightings_needed


def overfitting_run(epochs, seed=0):
    """Training falls throughout; validation turns at the eighth epoch, and accuracy with it."""
    rng = np.random.default_rng(seed)
    t = np.arange(epochs)
    turned = np.maximum(t - 8, 0)
    curves = {
        "epoch": t,
        "train_loss": 2.3 * np.exp(-t / 6) + 0.01,
        "val_loss": 2.3 * np.exp(-np.minimum(t, 8) / 8) + 0.06 * turned,
        "train_accuracy": 1 - 0.9 * np.exp(-t / 6),
        "val_accuracy": 0.75 - 0.65 * np.exp(-t / 3) - 0.004 * turned,
    }
    noisy = {n: v + 0.002 * rng.standard_normal(epochs) for n, v in curves.items() if n != "epoch"}
    return [
        {"epoch": int(e), **{n: float(v[i]) for n, v in noisy.items()}} for i, e in enumerate(t)
    ]


def healthy_run(epochs, seed):
    """A fall to a plateau, with autocorrelated noise."""
    rng = np.random.default_rng(seed)
    noise = np.zeros((2, epochs))
    for i in range(1, epochs):
        noise[:, i] = 0.5 * noise[:, i - 1] + 0.03 * rng.standard_normal(2)
    fall = np.exp(-np.arange(epochs) / 5)
    train, val = 2.0 * fall + 0.30 + noise[0], 2.0 * fall + 0.35 + noise[1]
    return [{"epoch": i, "loss": train[i], "val_loss": val[i]} for i in range(epochs)]


def test_finding_is_told_once_and_before_the_end():
    told = []
    monitor = Monitor(tell=lambda finding: told.append((len(monitor.records), finding.code)))

    for record in overfitting_run(60):
        monitor(record)

    codes = [code for _, code in told]
    assert "overfitting" in codes
    assert len(codes) == len(set(codes))
    assert {code: at for at, code in told}["overfitting"] < 50


def test_healthy_runs_are_left_in_peace():
    told = []
    for seed in range(10):
        monitor = Monitor(severity="problem", tell=told.append)
        for record in healthy_run(60, seed):
            monitor(record)

    assert not told


def test_loss_that_is_not_finite_is_told_at_once():
    told = []
    monitor = Monitor(tell=told.append)

    for epoch, loss in enumerate([2.0, 1.5, float("inf"), float("nan")]):
        monitor({"epoch": epoch, "loss": loss})

    assert [finding.code for finding in told] == ["exploding_or_nan"]
    assert told[0].epochs[0] == 2


def test_finding_is_a_warning_by_default():
    monitor = Monitor()

    with pytest.warns(TrainingWarning, match="exploding_or_nan"):
        monitor({"epoch": 0, "loss": float("nan")})


def test_muted_finding_is_not_told():
    monitor = Monitor(mute=["exploding_or_nan"], tell=pytest.fail)

    monitor({"epoch": 0, "loss": float("nan")})

    assert monitor.report.codes == ("too_few_epochs",)


def test_wrong_options_are_refused_before_training():
    with pytest.raises(ValueError, match="did you mean 'overfitting'"):
        Monitor(mute=["overfiting"])


def test_records_without_a_loss_do_not_stop_the_training():
    monitor = Monitor()
    records = [{"epoch": epoch, "seconds": 1.0} for epoch in range(20)]
    for record in records[:7]:
        monitor(record)

    with pytest.warns(TrainingWarning, match="cannot be judged: no loss"):
        monitor(records[7])

    for record in records[8:]:  # a second warning would be an error
        monitor(record)


def test_false_alarms_spent_over_all_looks_sum_to_the_allowed_rate():
    spent = sum(0.01 ** sightings_needed(look) for look in range(1, 10_000))

    assert spent <= TOTAL_RATE


def test_every_look_brings_a_whole_new_window():
    points = list(itertools.islice(looks(), 60))

    assert points[0] == 8
    assert all(b - a >= max(3, a // 10) for a, b in itertools.pairwise(points))


def test_run_met_late_is_judged_as_if_watched_from_the_start():
    early, late = [], []
    records = overfitting_run(60)
    monitor = Monitor(tell=early.append)
    for record in records:
        monitor(record)

    Monitor(tell=late.append).look(History.from_records(records))

    assert "overfitting" in [finding.code for finding in late]
    assert {finding.code for finding in late} <= {finding.code for finding in early}


def test_another_run_in_the_same_file_is_told_anew():
    told = []
    monitor = Monitor(tell=told.append)

    for first in (2.0, 3.0):
        monitor.look(History.from_dict({"loss": [first, 1.0, float("nan")]}))

    assert [finding.code for finding in told] == ["exploding_or_nan"] * 2


def test_resumed_run_is_not_told_anew():
    told = []
    monitor = Monitor(tell=told.append)
    history = History.from_records(overfitting_run(60))

    for rows in (60, 40, 60):
        monitor.look(history.head(rows))

    codes = [finding.code for finding in told]
    assert len(codes) == len(set(codes))


def test_monitor_is_a_callback_of_the_reference_network():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 5)), rng.integers(0, 3, 40)
    monitor = Monitor(tell=lambda finding: None)

    records = network.fit(
        network.mlp([5, 8, 3], seed=0), X, y, epochs=10, callback=monitor, progress=False
    )

    assert [record["train_loss"] for record in monitor.records] == [
        record["train_loss"] for record in records
    ]
    assert diagnose(monitor).history.train_loss is not None


def test_keras_hooks_take_the_logs_and_nothing_else():
    monitor = KerasMonitor(tell=lambda finding: None)

    monitor.set_model(object())
    monitor.on_train_begin()
    monitor.on_train_batch_end(0, {"loss": 9.0})
    monitor.on_epoch_end(0, {"loss": np.float32(2.0), "val_loss": 2.5})
    monitor.on_epoch_end(1, {"loss": np.float32(1.0), "val_loss": 1.5})

    assert monitor.records[1] == {"epoch": 1, "loss": 1.0, "val_loss": 1.5}
    with pytest.raises(AttributeError, match="no attribute 'validate'"):
        _ = monitor.validate


class Trainer:
    """What the Lightning hooks use of a trainer."""

    sanity_checking = False
    current_epoch = 0
    callback_metrics: dict

    def run_epoch(self, monitor, metrics, validates=True):
        self.callback_metrics = {**getattr(self, "callback_metrics", {}), **metrics}
        if validates:
            monitor.on_validation_epoch_end(self, None)
        monitor.on_train_epoch_end(self, None)
        self.current_epoch += 1


def test_lightning_hooks_leave_out_the_validation_of_an_earlier_epoch():
    monitor, trainer = LightningMonitor(tell=lambda finding: None), Trainer()

    monitor.setup(trainer, None, stage="fit")
    trainer.run_epoch(monitor, {"train_loss": np.array(2.0), "val_loss": np.array(2.5)})
    trainer.run_epoch(monitor, {"train_loss": np.array(1.0)}, validates=False)

    assert monitor.records == [
        {"epoch": 0, "train_loss": 2.0, "val_loss": 2.5},
        {"epoch": 1, "train_loss": 1.0},
    ]


def test_lightning_checkpoint_keeps_the_records():
    monitor, resumed = LightningMonitor(), LightningMonitor()
    monitor({"epoch": 0, "train_loss": 2.0})

    resumed.load_state_dict(monitor.state_dict())

    assert resumed.records == monitor.records


def test_follower_waits_for_whole_lines_and_for_new_files(tmp_path, monkeypatch):
    path = tmp_path / "log.csv"
    steps = iter(
        [
            lambda: None,  # not there yet
            lambda: path.write_text("epoch,lo"),
            lambda: path.write_text("epoch,loss\n0,2.0\n1,1."),
            lambda: path.write_text("epoch,loss\n0,2.0\n1,1.5\n"),
            lambda: None,  # unchanged
            lambda: (path.rename(tmp_path / "log.csv.1"), path.write_text("epoch,loss\n0,9.0\n")),
        ]
    )

    monkeypatch.setattr(time, "sleep", lambda seconds: next(steps)())
    histories = follow(path)

    seen = [list(next(histories).train_loss) for _ in range(3)]

    assert seen == [[2.0], [2.0, 1.5], [9.0]]


@pytest.mark.parametrize(("fail_on", "status"), [("problem", 1), ("never", 0)])
def test_command_follows_a_file_and_ends_with_a_report(tmp_path, fail_on, status):
    path = tmp_path / "metrics.csv"
    # Ctrl-C is heard though the tests themselves run in a background that ignores it
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from gradcheck.cli.main import main; main()"
    )
    shell = [sys.executable, "-c", program, "diagnose"]
    command = [*shell, "--watch", "--interval", "0.05", str(path), "--fail-on", fail_on]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert "watching" in process.stdout.readline()
        with path.open("w", buffering=1) as file:
            file.write("epoch,loss\n0,2.0\n1,1.5\n2,na")
            time.sleep(0.2)
            file.write("n\n3,nan\n")
        lines = []
        while "exploding_or_nan" not in "".join(lines):
            lines.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()

    assert process.returncode == status
    assert "History(4 rows" in rest
    assert "exploding_or_nan" in rest
