"""Calls a function in forked processes: side by side, answers in order, each within its time."""

from __future__ import annotations

import math
import os
import pickle
import signal
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeVar

from gradcheck.isolation.guard import refusing

Item = TypeVar("Item")

# Libraries whose threads do not survive a fork: calls into them may never return there.
THREADED = ("jax", "jaxlib", "tensorflow")

# Platforms whose own libraries may not be used after a fork.
NO_FORK = ("darwin", "win32", "emscripten", "wasi")

# What Python and jax say of every fork of a process with threads, which is accounted for here.
FORK_WARNINGS = (r".*use of fork\(\) may lead to deadlocks", r"os\.fork\(\) was called")

# Seconds that one process works alone: what is done by then is not worth starting another.
ALONE = 0.05

# Items that a process is handed at once, and how far ahead of those whose answers are waited for:
# what is then not asked for any more was answered in vain.
AT_ONCE = 8
AHEAD = 8

OUT_OF_TIME = "not tried for want of time"


@dataclass(frozen=True)
class Lost:
    """An answer that a process did not give, and why."""

    reason: str


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
        self.pid = os.fork()
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


class _Here:
    """What is known of this process."""

    made_for_it = False
    may_fork = sys.platform not in NO_FORK and hasattr(os, "fork")


def is_apart() -> bool:
    """Whether this process was made to run code apart from the user's."""
    return _Here.made_for_it


def set_apart(*, may_fork: bool) -> None:
    """Note that this process was made to run code apart from the user's."""
    _Here.made_for_it, _Here.may_fork = True, may_fork


def may_fork_for(function: Callable[[], Any]) -> bool:
    """Whether forks can run a function: it calls no library whose threads they do not have.

    The function is called once where such a library is loaded.
    """
    if not _Here.may_fork or not any(name in sys.modules for name in THREADED):
        return _Here.may_fork
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


def apart(
    function: Callable[[Item], Any],
    items: Sequence[Item],
    seconds: float,
    until: float = math.inf,
    *,
    guarded: bool = False,
) -> Generator[Any, None, None]:
    """Yield what a function returns for items, as `map` does, from processes of their own.

    Parameters
    ----------
    function
        Called in forks of this process as it is when the first answer is asked for; what it
        returns has to be picklable. What it changes is gone with its process.
    items
        Its arguments, one a call.
    seconds
        Of real time for one item; its process is killed then.
    until
        Time, by `time.monotonic`, at which all end.
    guarded
        Whether what is not computing is refused (`gradcheck.isolation.guard`).

    Yields
    ------
    What the function returned, in the order of the items; `Lost` where it raised, ended its
    process, took too long or was refused something.
    """
    task = _Task(function, items, seconds, until, guarded)
    yield from _Pool(task).answers() if _Here.may_fork else task.in_turn()


@dataclass(frozen=True)
class _Task:
    """What is to be answered, as the arguments of `apart` say."""

    function: Callable[[Any], Any]
    items: Sequence[Any]
    seconds: float
    until: float
    guarded: bool

    def serve(self, connection: Any) -> None:
        """Answer items in a fork, until nobody asks."""
        from gradcheck.isolation.confine import confine

        if not is_apart():  # one group with those that it makes, which Ctrl-C does not reach
            os.setsid()
        set_apart(may_fork=True)
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
            return pickle.dumps(Lost(f"{type(error).__name__}: {error}"))

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


class _Pool:
    """Processes that answer the items of a task, as many as there are cores."""

    def __init__(self, task: _Task) -> None:
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
                    elif self._hand_out(turn):
                        self._collect()
                yield self._answers.pop(turn)
        finally:
            for process in self._processes:
                process.end()

    def _hand_out(self, turn: int) -> bool:
        """Give every idle process some items; whether there is anything to wait for."""
        while self._waiting and self._waiting[0] < turn + AHEAD * self._most:
            process = next((p for p in self._processes if not p.items), None)
            if process is None and self._wants_another:
                try:
                    process = _Process(self._task.serve)
                except OSError as error:
                    if not self._processes:
                        self._answers[turn] = Lost(f"no process could be started: {error}")
                        return False
                else:
                    self._processes.append(process)
            if process is None:
                break
            share = min(AT_ONCE, math.ceil(len(self._waiting) / self._most))
            process.begin([self._waiting.popleft() for _ in range(share)], self._due())
        return True

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
            self._give_up(process, "it ended its process")

    def _give_up(self, process: _Process, reason: str) -> None:
        self._answers[process.items.popleft()] = Lost(reason)
        self._waiting.extendleft(reversed(process.items))  # for another process
        self._processes.remove(process)
        process.end()


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


def _cores() -> int:
    of_process = getattr(os, "sched_getaffinity", None)
    return len(of_process(0)) if of_process is not None else os.cpu_count() or 1
