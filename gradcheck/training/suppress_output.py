"""Runs the user's code without anything that it shows; what other threads show is not lost."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from gradcheck.state import warnings_ignored

# Whether what runs here is not to be heard: every thread has its own answer.
_suppressed: ContextVar[bool] = ContextVar("_suppressed", default=False)

_handle = logging.Logger.handle


class _Stdout:
    """The standard output for all but those that are suppressed."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write, or pretend to."""
        return len(text) if _suppressed.get() else self.stream.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of the lines."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class _Switch:
    """Standard output and logging of the process, told apart by thread while any is suppressed.

    Threads come and go in any order: the first one in puts the switch in place, the last one out
    takes it away.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._stdout = _Stdout(None)

    def on(self) -> None:
        """Take part."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._stdout = _Stdout(sys.stdout)
                sys.stdout = self._stdout
                setattr(logging.Logger, "handle", _handle_unless_suppressed)  # noqa: B010 (for mypy)

    def off(self) -> None:
        """Have done; what another thread has put in the place of the output stays there."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                setattr(logging.Logger, "handle", _handle)  # noqa: B010
                if sys.stdout is self._stdout:
                    sys.stdout = self._stdout.stream


def _handle_unless_suppressed(logger: logging.Logger, record: logging.LogRecord) -> None:
    if not _suppressed.get():
        _handle(logger, record)


_switch = _Switch()


@contextmanager
def suppress_output() -> Iterator[None]:
    """Let the user's code print, log and warn in this thread, and show nothing of it."""
    with warnings_ignored(), np.errstate(all="ignore"):
        _switch.on()
        before = _suppressed.set(True)
        try:
            yield
        finally:
            _suppressed.reset(before)
            _switch.off()
