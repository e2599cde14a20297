"""What processes are asked: a function for some items, within bounds."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

from gradcheck.isolation.guard import refusing
from gradcheck.isolation.worker_process import is_worker, set_worker

# Seconds of a processor for which a worker answers itself: ten times what it takes to fork it, and
# to copy what both write to.
HERE = 0.25

OUT_OF_TIME = "not tried for want of time"


@dataclass(frozen=True)
class Lost:
    """An answer that a process did not give, and why."""

    reason: str


@dataclass(frozen=True)
class Task:
    """What is to be answered, as the arguments of `map_isolated` say."""

    function: Callable[[Any], Any]
    items: Sequence[Any]
    seconds: float
    until: float
    guarded: bool

    def serve(self, connection: Any) -> None:
        """Answer items in a fork, until nobody asks."""
        from gradcheck.isolation.confine import confine

        if not is_worker():  # one group with those that it makes, which Ctrl-C does not reach
            os.setsid()
        set_worker(may_fork=True)
        left = min(self.until - time.monotonic(), self.seconds * (len(self.items) + 1))
        confine({connection.fileno()}, left)
        while True:
            for number in connection.recv():
                connection.send_bytes(self.answer(self.items[number]))

    def answer(self, item: Any) -> bytes:
        """Return what the function returns for an item, ready to be sent."""
        try:
            with refusing() if self.guarded else nullcontext():
                found = self.function(item)
            return pickle.dumps(found)
        except BaseException as error:  # noqa: BLE001 (changed code may raise anything)
            reason = type(error).__name__
            with suppress(Exception):  # nor need it have a text
                reason = f"{reason}: {error}"
            return pickle.dumps(Lost(reason))

    def here(self) -> Iterator[Any]:
        """Answer in this worker, which ends where one item takes longer than it may.

        No more items are begun after `HERE` seconds of work, nor where the time for all could end
        one.
        """
        spent = 0.0
        for item in self.items:
            if spent >= HERE or time.monotonic() + self.seconds >= self.until:
                return
            began = time.process_time()
            with _ended_after(self.seconds):
                answer = self.answer(item)
            spent += time.process_time() - began
            yield pickle.loads(answer)

    def in_turn(self) -> Iterator[Any]:
        """Answer all here, one after the other: this process was made for it."""
        for item in self.items:
            left = min(self.seconds, self.until - time.monotonic())
            if left <= 0:
                yield Lost(OUT_OF_TIME)
                continue
            with _interrupted_after(left):
                answer = self.answer(item)
            yield pickle.loads(answer)


@contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    """Raise `TimeoutError` in a block that takes longer, where signals exist."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"stopped after {seconds:.3g} s")

    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """End a process made by `serve` in a block that takes longer: nothing in there is spared."""
    began = time.monotonic()
    # when it would end otherwise: see `confine`
    of_process, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        left = max(1e-3, of_process - (time.monotonic() - began)) if of_process else 0.0
        signal.setitimer(signal.ITIMER_REAL, left)
