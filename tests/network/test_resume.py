"""A run that dies at any moment and is resumed ends as if it had not."""

import errno
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import network as n
from network.checkpoint import CHECKPOINT, HISTORY
from tests.support import ROOT

RNG = np.random.default_rng(3)
X = RNG.normal(size=(60, 5)).astype(np.float32)
Y = RNG.integers(0, 3, 60)
EPOCHS = 4
PATIENCE = 600  # seconds, far longer than any test takes: what waits for them is killed before


def train(folder=None, *, resume=False, epochs=EPOCHS, **changed):
    """Train a model with everything that has to be remembered."""
    rng = np.random.default_rng(0)
    first, last = (n.Dense(i, o, rng=rng, dtype=np.float32) for i, o in ((5, 8), (8, 3)))
    norm = n.BatchNorm(8, dtype=np.float32)
    model = n.Sequential([first, norm, n.ReLU(), n.Dropout(0.3), last])
    options = {
        "validation": (X[:20], Y[:20]),
        "optimizer": n.Adam(0.01),
        "schedule": n.WarmUp(1, n.Cosine()),
        "early_stopping": n.EarlyStopping(9),
        "progress": False,
    } | changed
    return model, n.fit(model, X, Y, folder=folder, resume=resume, epochs=epochs, **options)


UNDISTURBED = train()


def without_time(records):
    return [{**record, "seconds": 0} for record in records]


def lines(folder):
    return [json.loads(line) for line in (folder / HISTORY).read_text().splitlines()]


def require_undisturbed(model, records, folder):
    expected, expected_records = UNDISTURBED
    for ours, theirs in ((model.params, expected.params), (model.state, expected.state)):
        assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    assert without_time(records) == without_time(expected_records)
    assert without_time(lines(folder)) == without_time(expected_records)


class PowerCut(BaseException):
    """Not to be caught by anything that mends errors."""


def crash(folder, monkeypatch, moment):
    """Train until the given write is to be made sure of; three an epoch."""
    calls = []

    def sync(descriptor):
        calls.append(descriptor)
        if len(calls) == moment:
            raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr("network.checkpoint.os.fsync", sync)
        with pytest.raises(PowerCut):
            train(folder)


# the line, the checkpoint before it takes its place, and after it did
@pytest.mark.parametrize("moment", range(1, 3 * EPOCHS + 1))
def test_a_crash_at_every_write_loses_and_doubles_nothing(moment, tmp_path, monkeypatch):
    crash(tmp_path, monkeypatch, moment)
    finished = lines(tmp_path)

    model, records = train(tmp_path, resume=True)

    assert lines(tmp_path)[: len(finished)] == finished
    require_undisturbed(model, records, tmp_path)


def test_a_run_killed_by_the_system_at_random_moments_is_resumed(tmp_path):
    code = "import tests.network.test_resume as t"
    for moment, pause in enumerate(np.random.default_rng(0).uniform(0, 0.03, 3)):
        folder = tmp_path / str(moment)
        run = f"{code}; print(flush=True); t.train({str(folder)!r}, epochs=99)"
        child = subprocess.Popen([sys.executable, "-c", run], cwd=ROOT, stdout=subprocess.PIPE)
        child.stdout.readline()
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        child.communicate()

        model, _ = train(folder, resume=True, epochs=99)

        expected, expected_records = train(epochs=99)
        assert np.array_equal(model.params["0.W"], expected.params["0.W"])
        assert without_time(lines(folder)) == without_time(expected_records)


@pytest.mark.parametrize("torn", [1, 20, 10_000])
def test_a_torn_or_missing_history_is_mended(torn, tmp_path, monkeypatch):
    crash(tmp_path, monkeypatch, 8)  # the checkpoint of the second epoch is there, not the third's
    history = tmp_path / HISTORY
    history.write_text(history.read_text()[:-torn])

    model, records = train(tmp_path, resume=True)

    require_undisturbed(model, records, tmp_path)


def test_a_finished_run_is_resumed_to_itself(tmp_path):
    train(tmp_path)

    model, records = train(tmp_path, resume=True)

    require_undisturbed(model, records, tmp_path)


def test_resuming_where_nothing_is_begins(tmp_path):
    model, records = train(tmp_path / "new", resume=True)

    require_undisturbed(model, records, tmp_path / "new")


def test_early_stopping_is_remembered(tmp_path):
    stopping = {"early_stopping": n.EarlyStopping(2, monitor="val_accuracy")}
    whole, expected = train(epochs=40, **stopping)
    assert len(expected) < 40
    train(tmp_path, epochs=40, **stopping)

    model, records = train(tmp_path, resume=True, epochs=40, **stopping)

    assert without_time(records) == without_time(expected)
    assert np.array_equal(model.params["0.W"], whole.params["0.W"])


def test_the_checkpoint_of_another_run_is_refused_by_what_differs(tmp_path):
    train(tmp_path)

    with pytest.raises(ValueError, match="batch_size=32, and this one has 16"):
        train(tmp_path, resume=True, batch_size=16)
    with pytest.raises(ValueError, match=r"optimizer=Adam\(.*SGD\("):
        train(tmp_path, resume=True, optimizer=n.SGD(0.1))


def test_a_run_is_not_overwritten(tmp_path):
    train(tmp_path, epochs=1)

    with pytest.raises(ValueError, match="earlier run: resume"):
        train(tmp_path)


def test_a_second_training_into_a_folder_is_refused_until_the_first_is_killed(tmp_path):
    code = (
        "import tests.network.test_resume as t, time\n"
        f"wait = lambda record: (print(flush=True), time.sleep({PATIENCE}))\n"
        f"t.train({str(tmp_path)!r}, callback=wait)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        before = (tmp_path / CHECKPOINT).read_bytes(), (tmp_path / HISTORY).read_bytes()
        for resume in (True, False):
            with pytest.raises(ValueError, match="another run: wait") as refused:
                train(tmp_path, resume=resume)
            assert str(tmp_path) in str(refused.value)
        assert before == ((tmp_path / CHECKPOINT).read_bytes(), (tmp_path / HISTORY).read_bytes())
    finally:
        child.kill()
        child.communicate()

    model, records = train(tmp_path, resume=True)

    require_undisturbed(model, records, tmp_path)


def test_a_second_training_in_the_same_process_is_refused_and_disturbs_nothing(tmp_path):
    refused = []

    def meanwhile(record):
        with pytest.raises(ValueError, match="another run: wait") as error:
            train(tmp_path, resume=True)
        refused.append(error)

    model, records = train(tmp_path, callback=meanwhile)

    assert len(refused) == EPOCHS
    require_undisturbed(model, records, tmp_path)


def test_where_the_file_system_has_no_locks_it_is_trained_without(tmp_path, monkeypatch):
    def unsupported(file):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("network.checkpoint._lock_at_once", unsupported)

    model, records = train(tmp_path)

    require_undisturbed(model, records, tmp_path)


def test_a_training_that_fails_lets_the_next_one_in(tmp_path):
    def fail(record):
        raise PowerCut

    with pytest.raises(PowerCut) as kept:  # with its traceback, and all that is in it
        train(tmp_path, callback=fail)
    with pytest.raises(ValueError, match="earlier run: resume") as kept_too:
        train(tmp_path)

    model, records = train(tmp_path, resume=True)

    assert kept
    assert kept_too
    require_undisturbed(model, records, tmp_path)


def test_a_damaged_checkpoint_is_named(tmp_path):
    train(tmp_path, epochs=1)
    (tmp_path / CHECKPOINT).write_bytes(b"PK nonsense")

    with pytest.raises(ValueError, match=r"checkpoint\.npz is no checkpoint"):
        train(tmp_path, resume=True)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "run").touch()

    with pytest.raises(ValueError, match="run' is a file"):
        train(tmp_path / "run")


def test_resume_needs_a_folder():
    with pytest.raises(ValueError, match="folder"):
        train(resume=True)
