"""Whether this process was made as a worker, for one task alone, and whether it may fork."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

# Libraries whose threads do not survive a fork: calls into them may never return there.
THREADED = ("jax", "jaxlib", "tensorflow")

# Platforms whose own libraries may not be used after a fork.
NO_FORK = ("darwin", "win32", "emscripten", "wasi")


class _Role:
    """What is known of this process."""

    is_worker = False
    is_shared = False
    may_fork = sys.platform not in NO_FORK and hasattr(os, "fork")


def is_worker() -> bool:
    """Whether this process was made as a worker, for one task alone."""
    return _Role.is_worker


def set_worker(*, may_fork: bool) -> None:
    """Note that this process was made as a worker, for one task alone."""
    _Role.is_worker, _Role.may_fork, _Role.is_shared = True, may_fork, True


def is_shared() -> bool:
    """Whether a worker may itself run what it would fork for, and be ended by it."""
    return _Role.is_shared


def share_nothing() -> None:
    """Let this worker fork for all that others would run themselves."""
    _Role.is_shared = False


def may_fork_for(function: Callable[[], Any]) -> bool:
    """Whether forks can run a function: it calls no library whose threads they do not have.

    The function is called once where such a library is loaded.
    """
    if not _Role.may_fork or not any(name in sys.modules for name in THREADED):
        return _Role.may_fork
    called: set[str] = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        caller = getattr(argument, "__module__", None) if event == "c_call" else None
        called.add(str(caller or frame.f_globals.get("__name__")).partition(".")[0])

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return called.isdisjoint(THREADED)


def may_fork() -> bool:
    """Whether this process may be forked at all."""
    return _Role.may_fork
