"""Has the jobs of an examination done by an executor: other processes, or other machines.

What is sent is the whole question, so that a worker needs nothing but the code. What a worker
does not return, because it was killed or never could, is done here: the answer is the same.
"""

from __future__ import annotations

import importlib
import io
import math
import pickle
import random
import threading
import time
import warnings
from collections import ChainMap
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any, ClassVar

import numpy as np

from gradcheck.isolation import Interpreter
from gradcheck.jobs import Job
from gradcheck.runner import Runner
from gradcheck.state.framework_modes import modes, set_modes
from gradcheck.values import TargetError

# What JAX makes of functions with derivatives of their own: their constructor takes the function,
# of which pickle knows nothing.
WRAPPERS = ("custom_vjp", "custom_jvp")

# A process has one state of the global random generators: it answers one job at a time.
_one_at_a_time = threading.Lock()
_opened: dict[bytes, Runner] = {}


@dataclass(frozen=True)
class Failure:
    """What a job raised, sent home as an answer: unlike a worker's death, it is the layer's own."""

    error: Exception


def pack(runner: Callable[[], Runner]) -> bytes:
    """Return what makes a runner, ready to be sent, with what of this process it depends on.

    That is the state of the global random generators, and how frameworks are set to compute.

    Raises
    ------
    TargetError
        If it cannot be pickled, neither by pickle nor, where installed, by cloudpickle.
    """
    states = np.random.get_state(), random.getstate()  # noqa: NPY002 (the user's code may use it)
    buffer = io.BytesIO()
    try:
        pickle.dump((modes(), states), buffer)
        _pickler(buffer).dump(runner)
    except Exception as error:
        raise TargetError(
            f"the target cannot be sent to another process ({error}). Define it in a module, or "
            "install cloudpickle"
        ) from error
    return buffer.getvalue()


def _pickler(buffer: io.BytesIO) -> pickle.Pickler:
    """Return what pickles, also what is defined in a script or a notebook where that is installed.

    From version 3.1.3 on, cloudpickle leaves out the file of such a function, and with it the way
    to its source.
    """
    try:
        cloudpickle = importlib.import_module("cloudpickle")
    except ImportError:
        return pickle.Pickler(buffer)
    known = cloudpickle.Pickler.dispatch_table

    def reduced(code: CodeType) -> tuple[Any, ...]:
        make, arguments = known[CodeType](code)[:2]
        return _of_file, (code.co_filename, make, *arguments)

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc, name-defined]
        dispatch_table: ClassVar[Any] = ChainMap({CodeType: reduced}, known)

        def reducer_override(self, thing: Any) -> Any:
            """Pickle by their attributes the wrappers whose constructor pickle cannot call."""
            if type(thing).__name__ in WRAPPERS and type(thing).__module__.startswith("jax."):
                return object.__new__, (type(thing),), vars(thing)
            return super().reducer_override(thing)

    pickler: pickle.Pickler = Pickler(buffer)
    return pickler


def _of_file(file: str, make: Callable[..., CodeType], *arguments: Any) -> CodeType:
    return make(*arguments).replace(co_filename=file)


def answer(packed: bytes, job: Job, until: float = math.inf) -> Any:
    """Answer a job in a worker; the question is opened once for all of its jobs.

    At the time ``until``, by `time.time`, which is the same in all processes of a machine, it is to
    be answered, however long it took to get here.
    """
    with _one_at_a_time:
        try:
            if packed not in _opened:
                _opened.clear()
                _opened[packed] = _open(packed)
            job = replace(job, seconds=min(job.seconds, max(0.0, until - time.time())))
            return next(_opened[packed].answers([job]))
        except Exception as error:  # noqa: BLE001 (raised again where the check was called)
            return Failure(error)


def in_new_process(runner: Callable[[], Runner], jobs: Sequence[Job]) -> Iterator[Any]:
    """Yield answers from a new interpreter; `Lost` where it gives none in the job's time.

    Raises
    ------
    TargetError
        If the question cannot be sent there, or not be opened.
    """
    packed = pack(runner)
    with Interpreter() as there:
        for job in jobs:
            found = there.call(answer, (packed, job, time.time() + job.seconds), job.seconds)
            if isinstance(found, Failure):
                raise TargetError(f"the target cannot be made in another process ({found.error!r})")
            yield found


def _open(packed: bytes) -> Runner:
    buffer = io.BytesIO(packed)
    settings, (of_numpy, of_python) = pickle.load(buffer)
    set_modes(settings)  # before arrays are made, in which their dtypes are cut short
    runner = pickle.load(buffer)
    np.random.set_state(of_numpy)  # noqa: NPY002
    random.setstate(of_python)
    checker: Runner = runner()
    return checker


class Workers:
    """Answers jobs by an executor, in their order.

    Parameters
    ----------
    executor
        Any `concurrent.futures.Executor`.
    packed
        The question, as `pack` returns it.
    here
        Answers what no worker did.
    """

    def __init__(self, executor: Executor, packed: bytes, here: Callable[[Job], Any]) -> None:
        self.executor = executor
        self.packed = packed
        self.here = here
        self._warned = False

    def __call__(self, jobs: list[Job]) -> Iterator[Any]:
        """Submit all jobs at once, and yield their answers as their turn comes."""
        futures = [self._submit(job) for job in jobs]
        try:
            for job, future in zip(jobs, futures, strict=True):
                yield self._result(job, future)
        finally:
            for future in futures:
                if isinstance(future, Future):
                    future.cancel()

    def _submit(self, job: Job) -> Any:
        try:
            return self.executor.submit(answer, self.packed, job)
        except RuntimeError as error:  # a pool whose worker was killed takes no more
            return error

    def _result(self, job: Job, future: Any) -> Any:
        try:
            found = self._await(future)
        except Exception as error:  # noqa: BLE001 (every executor has its own for a lost worker)
            self._warn(error)
            return self.here(job)
        if isinstance(found, Failure):
            raise found.error
        return found

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(
                "executor: a worker gave no answer, so that part of the check was made here "
                f"instead ({type(error).__name__}: {error})",
                RuntimeWarning,
                stacklevel=2,
            )

    @staticmethod
    def _await(future: Any) -> Any:
        if isinstance(future, RuntimeError):
            raise future
        return future.result()
