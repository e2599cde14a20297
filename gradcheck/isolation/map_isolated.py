"""Calls a function in forked processes: side by side, answers in order, each within its time."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from gradcheck.isolation.pool import Pool
from gradcheck.isolation.task import Task
from gradcheck.isolation.worker_process import may_fork

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
    yield from Pool(task).answers() if may_fork() else task.in_turn()
