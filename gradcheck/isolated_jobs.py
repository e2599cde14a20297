"""Has a check explained in other processes: nothing that is recorded or changed is the user's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.repair import Repairs
from gradcheck.isolation import ENDED, Lost, map_isolated, share_nothing
from gradcheck.jobs import Job
from gradcheck.report.data import Explanation
from gradcheck.values import TargetError

Elsewhere = Callable[[Sequence[Job]], Iterator[Any]]


def answer_isolated(
    jobs: Sequence[Job],
    answer: Callable[[Job], Any],
    elsewhere: Elsewhere | None,
    *,
    may_fork: bool,
) -> Iterator[Any]:
    """Yield the answers to jobs of one kind, in their order.

    Parameters
    ----------
    jobs
        Explanations, or searches for a line to change; all end when the first has had its seconds.
    answer
        Answers one, here.
    elsewhere
        Has them answered in a new interpreter; None where they cannot be sent to one.
    may_fork
        Whether forks of this process can run the layer; else new interpreters have to.
    """
    if may_fork:
        until = time.monotonic() + jobs[0].seconds
        found = _answered_in_forks(jobs, answer, until)
    else:
        found = _answered_elsewhere(jobs, answer, elsewhere)
    for job, given in zip(jobs, found, strict=True):
        yield _instead(job, given.reason) if isinstance(given, Lost) else given


def _answered_in_forks(
    jobs: Sequence[Job], answer: Callable[[Job], Any], until: float
) -> Iterator[Any]:
    """Yield answers; what broke off because a trial ended its process is begun once more.

    Then every trial runs in a process of its own.
    """

    def apart(job: Job) -> Any:
        share_nothing()
        return answer(job)

    for job, given in zip(jobs, map_isolated(answer, jobs, jobs[0].seconds, until), strict=True):
        left = until - time.monotonic()
        if given == Lost(ENDED) and job.kind == "repair" and left > 0:
            again = [replace(job, seconds=left)]
            yield from map_isolated(apart, again, left, until)
        else:
            yield given


def _answered_elsewhere(
    jobs: Sequence[Job], answer: Callable[[Job], Any], elsewhere: Elsewhere | None
) -> Iterator[Any]:
    left = list(jobs)
    try:
        if elsewhere is None:
            raise TargetError("this process cannot be forked safely")
        for found in elsewhere(jobs):
            del left[0]
            yield found
    except TargetError as error:  # what records and changes nothing but copies is run here
        for job in left:
            yield answer(job) if job.kind == "explain" else Lost(str(error))


def _instead(job: Job, reason: str) -> Any:
    """Return what is said in place of an answer that is lost."""
    if job.kind == "explain":
        return [[broken_off(job.name, reason)]]
    return Repairs(note=f"the search for a line to change gave no answer: {reason}")


def broken_off(name: str, why: str) -> Explanation:
    """Return what is known of a wrong tensor whose explanation came to no end."""
    return Explanation(
        Bug.UNEXPLAINED,
        (name,),
        0.0,
        f"the search for its cause broke off: {why}",
        f"the gradient of {name} is wrong",
        "see the entries listed: which of them are wrong often tells the line",
    )
