"""Calls a function in a new process, for where this one cannot be forked safely."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from gradcheck.isolation.task import OUT_OF_TIME, Lost
from gradcheck.isolation.worker_process import set_worker

# Imports the module of the function, which may take a while, before its time begins.
COMMAND = "from gradcheck.isolation.spawned import serve; serve()"


def spawned(function: Callable[..., Any], arguments: tuple[Any, ...], seconds: float) -> Any:
    """Return what a function returns in a new interpreter; `Lost` where it does not return.

    Parameters
    ----------
    function, arguments
        Picklable, as is what is returned.
    seconds
        Of real time until the process is killed, its start included.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(
            [sys.executable, "-c", COMMAND],
            input=pickle.dumps((function, arguments)),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=seconds,
            start_new_session=True,
            check=False,
        )
        return pickle.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return Lost(OUT_OF_TIME)
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        return Lost(f"its process gave no answer ({type(error).__name__})")


def serve() -> None:
    """Answer what standard input asks, on standard output; what the code prints goes nowhere."""
    answer = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    set_worker(may_fork=False)
    try:
        function, arguments = pickle.load(sys.stdin.buffer)
        found = pickle.dumps(function(*arguments))
    except BaseException as error:  # noqa: BLE001 (the process is there for nothing else)
        found = pickle.dumps(Lost(f"{type(error).__name__}: {error}"))
    with os.fdopen(answer, "wb") as file:
        file.write(found)
