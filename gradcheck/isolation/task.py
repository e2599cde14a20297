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
