"""Calls a function in forked processes: side by side, answers in order, each within its time."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from gradcheck.isolation.pool import Pool
from gradcheck.isolation.task import Task
from gradcheck.isolation.worker_process import is_shared, may_fork

Item = TypeVar("Item")


def map_isolated(
    function: Callable[[Item], Any],
    items: Sequence[Item],
    seconds: float,
    until: float = math.inf,
    *,
    guarded: bool = False,
) -> Generator[Any, None, None]:
    """Yield what a function returns for items, as `map` does, from processes of their own.

    A worker answers itself for a while before it forks: a fork takes longer than most answers, and
    what ends the process, or takes longer than it may and is ended for it, is told by its absence
    (`gradcheck.isolation.worker_process.share_nothing`).

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
    task = Task(function, items, seconds, until, guarded)
    if not may_fork():
        yield from task.in_turn()
        return
    answered = 0
    if is_shared():
        for answer in task.here():
            answered += 1
            yield answer
    if answered < len(items):
        yield from Pool(replace(task, items=items[answered:])).answers()
