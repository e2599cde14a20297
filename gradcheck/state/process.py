"""Settings of the process that the user's code may change, which are put back at the end."""

from __future__ import annotations

import logging
import operator
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck.state.restored_at_end import restored_at_end


def _loggers() -> dict[str, tuple[int, tuple[Any, ...], bool]]:
    named = logging.root.manager.loggerDict
    known = {name: log for name, log in named.items() if isinstance(log, logging.Logger)}
    return {
        name: (log.level, tuple(log.handlers), log.disabled)
        for name, log in {"": logging.root, **known}.items()
    }


def _set_loggers(saved: Mapping[str, tuple[int, tuple[Any, ...], bool]]) -> None:
    for name, (level, handlers, disabled) in saved.items():
        log = logging.getLogger(name) if name else logging.root
        if log.level != level:
            log.setLevel(level)
        log.handlers[:], log.disabled = handlers, disabled


def _set_environment(saved: dict[str, str]) -> None:
    for name in os.environ.keys() - saved.keys():
        del os.environ[name]
    os.environ.update(saved)


# How each is read, and how it is set.
SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (np.geterr, lambda saved: np.seterr(**saved)),
    (np.get_printoptions, lambda saved: np.set_printoptions(**saved)),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (lambda: sys.path[:], lambda saved: operator.setitem(sys.path, slice(None), saved)),
    (lambda: list(warnings.filters), lambda saved: setattr(warnings, "filters", saved)),
    (lambda: sys.stdout, lambda saved: setattr(sys, "stdout", saved)),
    (lambda: sys.stderr, lambda saved: setattr(sys, "stderr", saved)),
    (lambda: logging.root.manager.disable, logging.disable),
    (_loggers, _set_loggers),
    (lambda: dict(os.environ), _set_environment),
    (os.getcwd, os.chdir),
)


@contextmanager
def warnings_ignored() -> Iterator[None]:
    """Show no warning of a block, unless other threads run: all share the filters of warnings.

    What two threads put back in another order than they changed it would stay changed.
    """
    if threading.active_count() > 1:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def settings_kept() -> Iterator[None]:
    """Put the settings that a block changed back when it ends, by an exception or Ctrl-C too.

    Not where other threads run, which may have changed them for themselves.
    """
    before = [read() for read, _ in SETTINGS]
    with restored_at_end(lambda: _put_back(before)):
        yield


def _put_back(before: Sequence[Any]) -> None:
    if threading.active_count() == 1:
        for (read, put), saved in zip(SETTINGS, before, strict=True):
            if read() != saved:
                put(saved)
