"""Refuses what is not computing: an audit hook (PEP 578) for processes that run changed code.

A changed condition may reach what the user's own never did. Everything that Python announces before
it acts on the world is refused here unless it is listed as harmless, so that what a later Python
announces is refused as well. What writes to a file opened before is not announced; the files of
such a process lead nowhere (`gradcheck.isolation.confine`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Events after which the world is as it was: they compute, look at this process, or read.
HARMLESS = frozenset({
    "array.__new__", "builtins.id", "code.__new__", "compile", "exec", "function.__new__",
    "gc.get_objects", "gc.get_referents", "gc.get_referrers", "glob.glob", "glob.glob/2",
    "marshal.dumps", "marshal.load", "marshal.loads", "mmap.__new__", "object.__delattr__",
    "object.__getattr__", "object.__setattr__", "os.getxattr", "os.listdir", "os.listxattr",
    "os.scandir", "os.walk", "os.fwalk", "pathlib.Path.glob", "pathlib.Path.rglob",
    "pickle.find_class", "sys._current_exceptions", "sys._current_frames", "sys._getframe",
    "sys._getframemodulename", "sys.excepthook", "sys.setprofile", "sys.settrace",
    "sys.unraisablehook", "time.sleep",
})  # fmt: skip

# Bits of os.open by which a file is changed, or made.
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class RefusedError(PermissionError):
    """Changed code was about to do something else than compute."""


class _Guard:
    """What the hook, which no process gets rid of, does in this one."""

    installed = False
    active = False
    refused = 0


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _Guard.active or event in HARMLESS:
        return
    if event == "open" and not _writes(*arguments[1:3]):
        return
    _Guard.refused += 1
    raise RefusedError(f"{event}: changed code may compute and read, and do nothing else")


def _writes(mode: Any, flags: Any) -> bool:
    named = isinstance(mode, str) and not set("wax+").isdisjoint(mode)
    return named or bool((flags or 0) & WRITING)


@contextmanager
def refusing() -> Iterator[None]:
    """Refuse what is not computing, and raise at the end if anything was: it may be swallowed.

    Raises
    ------
    RefusedError
        If the block tried anything else, whether or not it caught the refusal.
    """
    if not _Guard.installed:
        sys.addaudithook(_audit)
        _Guard.installed = True
    before = _Guard.refused
    _Guard.active = True
    try:
        yield
    finally:
        _Guard.active = False
    if _Guard.refused > before:
        raise RefusedError("changed code tried to do something else than compute")
