"""Follow a log that grows: read it again whenever it has changed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from diagnostics.history.history import History
from diagnostics.history.readers import read_data

# Between two looks at a file, so many times as long as reading it took.
REST = 10


def follow(
    path: str | Path, *, seconds: float = 1.0, columns: Mapping[str, str] | None = None
) -> Iterator[History]:
    """Yield the history in a file whenever it has grown, without end.

    A file that is not there yet, or not yet a log, is waited for. A last line without a line end
    is left for the next time. A file that was replaced or cut is read from its beginning.

    Parameters
    ----------
    path
        The file that a training run writes.
    seconds
        How long to wait between looks at the file, at least.
    columns
        Role to column name, as in `History.read`.
    """
    path = Path(path)
    seen: tuple[int, int, int] | None = None
    while True:
        began = time.monotonic()
        state = _state(path)
        if state is not None and state != seen:
            seen = state
            history = _complete(path, columns)
            if history is not None:
                yield history
        time.sleep(max(seconds, REST * (time.monotonic() - began)))


def _state(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is written to or replaced, None where there is none."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _complete(path: Path, columns: Mapping[str, str] | None) -> History | None:
    """The history in the complete lines of a file, None where they hold none yet."""
    try:
        data = path.read_bytes()
        return History.from_table(read_data(path, whole_lines(data)), columns=columns)
    except (FileNotFoundError, ValueError):
        return None


def whole_lines(data: bytes) -> bytes:
    """Return the data without a last line that is still being written."""
    is_json_in_one_line = data.lstrip()[:1] in (b"{", b"[") and data.count(b"\n") < 2
    if is_json_in_one_line or b"\0" in data[:1024]:
        return data
    return data[: data.rfind(b"\n") + 1]
