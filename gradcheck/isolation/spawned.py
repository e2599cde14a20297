"""Calls functions in a new process, for where this one cannot be forked safely."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any, Self

from gradcheck.isolation.task import OUT_OF_TIME, Lost
from gradcheck.isolation.worker_process import set_worker

# Imports the module of the function, which may take a while, before its time begins.
COMMAND = "from gradcheck.isolation.spawned import serve; serve()"

# What libraries are asked to leave out there: JAX takes longer to shorten the traceback of a
# failure, of which a search has many that nobody reads, than for all else.
PLAIN = {"JAX_TRACEBACK_FILTERING": "off"}


class Interpreter:
    """A new interpreter that calls functions, one after another, until the block ends.

    It is started by the first call, and anew after one that was lost.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...], seconds: float) -> Any:
        """Return what a function returns there; `Lost` where it does not return.

        Parameters
        ----------
        function, arguments
            Picklable, as is what is returned.
        seconds
            Of real time until the process is killed, its start included.
        """
        question, found = pickle.dumps((function, arguments)), list[Any]()
        waiting = Thread(target=self._exchange, args=(question, found), daemon=True)
        try:
            self._start()
            waiting.start()
            waiting.join(max(0.0, seconds))
        except OSError as error:
            found = [_no_answer(error)]
        finally:  # Ctrl-C too
            answered = bool(found)
            if not answered or isinstance(found[0], Lost):
                self._end()
        return found[0] if answered else Lost(OUT_OF_TIME)

    def _start(self) -> None:
        if self._process is None:
            path = os.pathsep.join(filter(None, sys.path))
            self._process = subprocess.Popen(
                [sys.executable, "-c", COMMAND],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**PLAIN, **os.environ, "PYTHONPATH": path},
                start_new_session=True,
            )

    def _exchange(self, question: bytes, found: list[Any]) -> None:
        """Send a question, and put its answer into ``found``."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return
        try:
            pickle.dump(question, process.stdin)
            process.stdin.flush()
            found.append(pickle.loads(pickle.load(process.stdout)))
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
            found.append(_no_answer(error))

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):  # what was left to be written, nobody reads
                        pipe.close()


def _no_answer(error: Exception) -> Lost:
    return Lost(f"its process gave no answer ({type(error).__name__})")


def serve() -> None:
    """Answer what standard input asks, on standard output; what the code prints goes nowhere."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    set_worker(may_fork=False)
    with os.fdopen(answers, "wb") as file:
        while True:
            try:
                question = pickle.load(sys.stdin.buffer)
            except EOFError:  # nobody asks any more
                return
            pickle.dump(_answer(question), file)
            file.flush()


def _answer(question: bytes) -> bytes:
    try:
        function, arguments = pickle.loads(question)
        return pickle.dumps(function(*arguments))
    except BaseException as error:  # noqa: BLE001 (the process is there for nothing else)
        return pickle.dumps(Lost(f"{type(error).__name__}: {error}"))
