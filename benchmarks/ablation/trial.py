"""Answers of cases in a process of their own, which is killed after a limit."""

from __future__ import annotations

import cProfile
import os
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.ablation.corpora import Answer, Case
from benchmarks.ablation.items import Item, Key, key

# Seconds of computing for all cases of a trial: beyond what they took before, and so many times it.
SPARE, LONGER = 3.0, 3.0
# Other work on the machine makes a second of computing so many seconds long, at most; and what
# only waits is not waited for.
WAITING, LONGEST = 20.0, 300.0
KILLED = Answer("killed")


def answers(
    items: Sequence[Item], cases: Sequence[Case], seconds: float
) -> Iterator[tuple[Answer, float, frozenset[Key]]]:
    """Yield the answer of each case with items changed, its seconds, and which functions ran.

    The functions are only told where nothing is changed.
    """
    limit = SPARE + LONGER * seconds
    reader, writer = Pipe(duplex=False)
    child = os.fork()
    if not child:
        _answer(items, cases, limit, writer)
    writer.close()
    told = 0
    try:
        while told < len(cases) and reader.poll(min(WAITING * limit, LONGEST)):
            try:
                yield reader.recv()
            except EOFError:  # it was killed
                break
            told += 1
    finally:
        reader.close()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    for _ in cases[told:]:
        yield KILLED, limit, frozenset()


def _answer(items: Sequence[Item], cases: Sequence[Case], limit: float, writer: Connection) -> None:
    """Answer all cases in the child, and end it."""
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 2))
        silence = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(silence, descriptor)
        for item in items:
            item.change()
        for case in cases:
            writer.send(_one(case, watch=not items))
    finally:
        os._exit(0)


def _one(case: Case, *, watch: bool) -> tuple[Answer, float, frozenset[Key]]:
    profile = cProfile.Profile(subcalls=False, builtins=False)
    started = time.process_time()
    if watch:
        profile.enable()
    try:
        answer = case.answer()
    except Exception as error:
        answer = Answer(f"raised {type(error).__name__}")
    finally:
        profile.disable()
    seconds = time.process_time() - started
    ran: list[Any] = [entry.code for entry in profile.getstats()] if watch else []
    own = [c for c in ran if not isinstance(c, str) and "benchmarks" not in c.co_filename]
    return answer, seconds, frozenset(key(c) for c in own if _is_ours(c.co_filename))


def _is_ours(file: str) -> bool:
    return f"{os.sep}gradcheck{os.sep}" in file or f"{os.sep}diagnostics{os.sep}" in file
