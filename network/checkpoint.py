"""A training run on disk: its history as it happens, and where to go on from after a crash.

A folder holds two files. ``history.jsonl`` has a line for every finished epoch, written as the
epoch ends. ``checkpoint.npz`` has all that the next epoch depends on. Each is on the disk before
training goes on, first the line and then the checkpoint, and the checkpoint is replaced in one
piece: whenever the process dies, the last finished epoch has its line, and the checkpoint is whole
and at most one epoch behind. That epoch is then trained again, to the same weights, and not
written again. A third file, ``.lock``, is empty: the system holds a lock on it for the process that
trains, and lets go of it when that process ends, whatever its end.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np

from network.functional import Array
from network.progress import Record

HISTORY = "history.jsonl"
CHECKPOINT = "checkpoint.npz"
LOCK = ".lock"
FACTS = "facts"  # the entry of a checkpoint that is no array, but JSON


class TrainingRun:
    """The folder of a run.

    Parameters
    ----------
    folder
        Made where it is not there.
    settings
        All that a run depends on, as JSON has it; a resumed run must have the same.
    resume
        Whether to go on with what the folder holds.

    Attributes
    ----------
    arrays
        Those of the last checkpoint, empty where there is none.
    facts
        What else was saved with them.

    Raises
    ------
    ValueError
        If the folder holds a run already and ``resume`` is False, a run of other settings, a
        damaged checkpoint, or a run that is being trained.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], *, resume: bool) -> None:
        self.folder = folder
        self.settings = settings
        self.arrays: dict[str, Array] = {}
        self.facts: dict[str, Any] = {}
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"folder={str(folder)!r} is a file; give a folder for the run")
        folder.mkdir(parents=True, exist_ok=True)
        self._locked = self._lock()
        try:
            if not resume:
                self._require_nothing_there()
            elif (folder / CHECKPOINT).exists():
                self._load()
                self._require_same_settings()
            self._lines = self._mend_history()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let others train into the folder."""
        self._locked.close()

    def record(self, record: Record) -> None:
        """Append the record of a finished epoch, unless it is there from before a crash."""
        if record["epoch"] <= len(self._lines):
            return
        line = json.dumps(record) + "\n"
        with (self.folder / HISTORY).open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._lines.append(line)

    def save(self, arrays: dict[str, Array], facts: dict[str, Any]) -> None:
        """Replace the checkpoint, in one piece."""
        text = json.dumps({**facts, "settings": self.settings})
        with _replacing(self.folder / CHECKPOINT) as file:
            np.savez(file, **{FACTS: np.array(text)}, **arrays)  # type: ignore[arg-type]

    def _lock(self) -> IO[bytes]:
        """Return an open file that nobody else can lock until it is closed, or its process ends.

        The file stays: were it removed, one could lock what another has open, but nobody finds.
        """
        file = (self.folder / LOCK).open("ab")
        try:
            _lock_at_once(file)
        except (BlockingIOError, PermissionError) as error:
            file.close()
            raise ValueError(
                f"{self.folder} is being trained into by another run: wait until it has ended, or "
                "choose another folder"
            ) from error
        except OSError:
            pass  # this file system has no locks: better trained without one than not at all
        return file

    def _require_nothing_there(self) -> None:
        for name in (CHECKPOINT, HISTORY):
            if (self.folder / name).exists():
                raise ValueError(
                    f"{self.folder / name} is there from an earlier run: resume that run, remove "
                    "the file, or choose another folder"
                )

    def _load(self) -> None:
        path = self.folder / CHECKPOINT
        try:
            with np.load(path, allow_pickle=False) as saved:
                self.arrays = {name: saved[name] for name in saved.files if name != FACTS}
                self.facts = json.loads(str(saved[FACTS]))
        except (ValueError, KeyError, OSError, EOFError) as error:
            raise ValueError(f"{path} is no checkpoint of a training run: {error}") from error

    def _require_same_settings(self) -> None:
        saved = self.facts["settings"]
        for name, value in json.loads(json.dumps(self.settings)).items():
            if saved.get(name) != value:
                raise ValueError(
                    f"{self.folder} holds a run with {name}={saved.get(name)}, and this one has "
                    f"{value}: resume with the same settings, or choose another folder"
                )

    def _mend_history(self) -> list[str]:
        """Return the lines of the history; a torn last one is cut off, missing ones are added."""
        path = self.folder / HISTORY
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
        for record in self.facts.get("records", [])[len(lines) :]:
            lines.append(json.dumps(record) + "\n")
        if "".join(lines) != text:
            with _replacing(path) as file:
                file.write("".join(lines).encode())
        return lines


def _lock_at_once(file: IO[bytes]) -> None:
    """Lock an open file, or raise BlockingIOError (Windows: PermissionError) where another did."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of ``path`` in one piece, once it is written whole."""
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Have the folder's own entry on the disk, where the system can do so."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
