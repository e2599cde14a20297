"""Changed code does nothing but compute: every way to act on the world is refused."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

import gradcheck
from gradcheck.isolation import Lost, map_isolated
from tests.support.effects import EFFECTS, Acting

X = np.random.default_rng(0).normal(size=(5, 4))

REFUSED = {
    "open for writing": lambda folder: Path(folder, "made").write_text("x"),
    "open for appending": lambda folder: open(Path(folder, "kept"), "a").close(),
    "os.open": lambda folder: os.close(os.open(Path(folder, "made"), os.O_CREAT | os.O_WRONLY)),
    "save an array": lambda folder: np.save(Path(folder, "made.npy"), np.ones(2)),
    "remove": lambda folder: os.remove(Path(folder, "kept")),
    "rename": lambda folder: os.rename(Path(folder, "kept"), Path(folder, "moved")),
    "link": lambda folder: os.symlink(Path(folder, "kept"), Path(folder, "linked")),
    "make a folder": lambda folder: os.mkdir(Path(folder, "made")),
    "truncate": lambda folder: os.truncate(Path(folder, "kept"), 0),
    "change a mode": lambda folder: os.chmod(Path(folder, "kept"), 0o600),
    "change times": lambda folder: os.utime(Path(folder, "kept"), (0, 0)),
    "copy": lambda folder: shutil.copy(Path(folder, "kept"), Path(folder, "copied")),
    "remove a tree": lambda folder: shutil.rmtree(folder),
    "temporary file": lambda folder: tempfile.mkstemp(dir=folder),
    "database": lambda folder: sqlite3.connect(Path(folder, "made.db")),
    "run a program": lambda folder: subprocess.run(["touch", Path(folder, "made")], check=False),
    "shell": lambda folder: os.system(f"touch {folder}/made"),
    "fork": lambda _: os.fork() or os._exit(0),
    "spawn": lambda folder: os.posix_spawn("/bin/touch", ["touch", f"{folder}/made"], {}),
    "exec": lambda folder: os.execv("/bin/touch", ["touch", f"{folder}/made"]),
    "signal": lambda _: os.kill(os.getppid(), signal.SIGWINCH),
    "socket": lambda _: socket.socket().connect(("127.0.0.1", 9)),
    "name lookup": lambda _: socket.getaddrinfo("localhost", 80),
    "environment": lambda _: os.environ.update(GRADCHECK_MADE="1"),
    "folder of the process": os.chdir,
    "load a library": lambda _: ctypes.CDLL(None),
    "ask": lambda _: input(),
    "stop in a debugger": lambda _: breakpoint(),
}


def swallowed(folder):
    with contextlib.suppress(BaseException):
        os.remove(Path(folder, "kept"))
    return "computed"


@pytest.mark.parametrize("act", [*REFUSED.values(), swallowed], ids=[*REFUSED, "swallowed"])
def test_what_is_not_computing_is_refused_and_does_not_happen(act, tmp_path):
    (tmp_path / "kept").write_text("content")

    (answer,) = map_isolated(act, [str(tmp_path)], seconds=30, guarded=True)

    assert isinstance(answer, Lost)
    assert "RefusedError" in answer.reason
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_text() == "content"
    assert "GRADCHECK_MADE" not in os.environ


def test_what_reads_and_computes_is_let_through(tmp_path):
    (tmp_path / "kept").write_text("12")

    def compute(folder):
        value = float(Path(folder, "kept").read_text())
        assert os.listdir(folder) == ["kept"]
        return np.linalg.svd(np.eye(3) * value, compute_uv=False).sum() + eval("1 + 1")

    assert list(map_isolated(compute, [str(tmp_path)], seconds=30, guarded=True)) == [38.0]


def test_files_opened_before_are_written_nowhere(tmp_path):
    with open(tmp_path / "log", "w") as log, socket.socket() as server:
        log.write("pending ")
        server.bind(("127.0.0.1", 0))

        def act(_):
            log.write("by changed code")
            log.flush()
            os.write(log.fileno(), b"by changed code")
            sys.stdout.write("by changed code")
            sys.stdout.flush()

        (answer,) = map_isolated(act, [None], seconds=30, guarded=True)
        log.write("kept")

    assert answer is None
    assert (tmp_path / "log").read_text() == "pending kept"


def test_shared_memory_is_written_in_a_copy(tmp_path):
    mapped = np.memmap(tmp_path / "array", float, "w+", shape=4)
    anonymous = mmap.mmap(-1, 64)
    mapped[:], anonymous[:4] = 1.0, b"kept"

    def act(_):
        mapped[:], anonymous[:4] = 2.0, b"lost"
        mapped.flush()
        return float(mapped.sum())

    assert list(map_isolated(act, [None], seconds=30, guarded=True)) == [8.0]
    assert mapped.tolist() == [1.0] * 4
    assert anonymous[:4] == b"kept"


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_branch_that_the_users_run_never_enters_has_no_effect(effect, tmp_path):
    with Acting(effect, tmp_path) as layer:
        report = gradcheck.check(layer, X)

        assert layer.unchanged()
    assert report.explanations[0].code == "factor_two"
    assert "-> `self.db = grad.sum(axis=0)`" in report.explanations[0].fix


@pytest.mark.parametrize("seed", range(5))
def test_effects_planted_at_random_do_not_happen(seed, tmp_path):
    with Acting.at_random(np.random.default_rng(seed), tmp_path) as layer:
        gradcheck.check(layer, X)

        assert layer.unchanged()


def test_no_thread_is_left():
    before = threading.active_count()

    gradcheck.check(Acting(EFFECTS[0], None), X)

    assert threading.active_count() == before
