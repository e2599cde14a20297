"""Forked processes that answer a task side by side, killed when they take too long."""

from __future__ import annotations

import math
import os
import signal
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from gradcheck.isolation.task import OUT_OF_TIME, Lost, Task
from gradcheck.isolation.uninterrupted import uninterrupted

# What Python and jax say of every fork of a process with threads, which is accounted for here.
FORK_WARNINGS = (r".*use of fork\(\) may lead to deadlocks", r"os\.fork\(\) was called")

# Seconds that one process works alone: what is done by then is not worth starting another.
ALONE = 0.05

# Why an answer is lost whose process is gone.
ENDED = "it ended its process"

# Items that a process is handed at once, and how far ahead of those whose answers are waited for:
# what is then not asked for any more was answered in vain.
AT_ONCE = 8
AHEAD = 8


class _Process:
    """A fork of this process that answers items by their numbers."""

    def __init__(self, serve: Callable[[Any], None]) -> None:
        from multiprocessing.connection import Pipe

        from gradcheck.isolation import confine  # noqa: F401 (that no fork has to import it)

        self.connection, theirs = Pipe()
        self.items: deque[int] = deque()
        self.due = math.inf
        for warning in FORK_WARNINGS:  # set for good: filters kept for a while are other threads'
            warnings.filterwarnings("ignore", message=warning)
        self.pid = -1
        try:
            with uninterrupted():
                self.pid = os.fork()
        except KeyboardInterrupt:  # which came meanwhile: nobody else knows of the fork
            if self.pid > 0:
                self.end()
            raise
        if self.pid == 0:
            try:
                serve(theirs)
            except BaseException:  # noqa: BLE001 (nothing of the user's may go on from here)
                pass
            finally:
                os._exit(0)
        theirs.close()

    def begin(self, items: Sequence[int], due: float) -> None:
        """Have items answered, the first of them until it is due."""
        self.items, self.due = deque(items), due
        with suppress(OSError):  # a process that has ended: seen where its answer is waited for
            self.connection.send(items)

    def end(self) -> None:
        """Kill the process, and those that it has made."""
        for kill in (os.killpg, os.kill):
            with suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):  # where the user has all of them waited for
            os.waitpid(self.pid, 0)
        self.connection.close()


class Pool:
    """Processes that answer the items of a task, as many as there are cores."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._most = min(_cores(), len(task.items))
        self._processes: list[_Process] = []
        self._answers: dict[int, Any] = {}
        self._waiting = deque(range(len(task.items)))
        self._began = time.monotonic()

    def answers(self) -> Iterator[Any]:
        """Yield the answers in the order of the items, and kill the processes at the end."""
        try:
            for turn in range(len(self._task.items)):
                while turn not in self._answers:
                    if time.monotonic() >= self._task.until:
                        self._answers[turn] = Lost(OUT_OF_TIME)
                    else:
                        self._hand_out(turn)
                        self._collect()
                yield self._answers.pop(turn)
        finally:
            with uninterrupted():
                for process in self._processes:
                    process.end()

    def _hand_out(self, turn: int) -> None:
        """Give every idle process some items; all are lost where there can be none."""
        while self._waiting and self._waiting[0] < turn + AHEAD * self._most:
            process = next((p for p in self._processes if not p.items), None)
            if process is None and self._wants_another:
                try:
                    process = _Process(self._task.serve)
                except OSError as error:
                    if not self._processes:
                        lost = Lost(f"no process could be started: {error}")
                        self._answers |= dict.fromkeys(self._waiting, lost)
                        self._waiting.clear()
                else:
                    self._processes.append(process)
            if process is None:
                break
            share = min(AT_ONCE, math.ceil(len(self._waiting) / self._most))
            process.begin([self._waiting.popleft() for _ in range(share)], self._due())

    def _due(self) -> float:
        return min(self._task.until, time.monotonic() + self._task.seconds)

    @property
    def _wants_another(self) -> bool:
        """Whether one more process would help."""
        worked = time.monotonic() - self._began > ALONE
        return len(self._processes) < (self._most if worked else 1)

    def _collect(self) -> None:
        """Wait for an answer, or until a process has had its time."""
        from multiprocessing.connection import wait

        busy = {p.connection: p for p in self._processes if p.items}
        if not busy:
            return
        left = min(process.due for process in busy.values()) - time.monotonic()
        if len(busy) < self._most:
            left = min(left, ALONE)  # to see then whether another one helps
        ready = wait(list(busy), None if left == math.inf else max(0.0, left))
        for connection, process in busy.items():
            if connection in ready:
                self._take(process)
            elif time.monotonic() >= process.due:
                self._give_up(process, f"stopped after {self._task.seconds:.3g} s")

    def _take(self, process: _Process) -> None:
        """Keep the answers that a process has given."""
        try:
            while process.items and process.connection.poll():
                self._answers[process.items[0]] = process.connection.recv()
                process.items.popleft()
                process.due = self._due()
        except (EOFError, OSError):
            self._give_up(process, ENDED)

    def _give_up(self, process: _Process, reason: str) -> None:
        self._answers[process.items.popleft()] = Lost(reason)
        self._waiting.extendleft(reversed(process.items))  # for another process
        self._processes.remove(process)
        process.end()


def _cores() -> int:
    of_process = getattr(os, "sched_getaffinity", None)
    return len(of_process(0)) if of_process is not None else os.cpu_count() or 1
