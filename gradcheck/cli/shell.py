"""What the commands share: exit statuses, errors in one line, files that can be written."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from concurrent.futures import Executor

# Exit statuses: everything passed, something is wrong, the command could not be carried out.
PASSED, FOUND, UNUSABLE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141

# Characters that move the cursor or change the terminal, but for tabs and ends of lines.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        help="Shape (32,784), shape and kind (32:int10, 8,3:float32, 6:positive, 8,8:symmetric) "
        "or .npy; once per input.",
    ),
]
Constraints = Annotated[
    list[str] | None,
    typer.Option(
        "--constraint",
        help="Where the first input stays (symmetric, spd, positive, simplex, unit, orthogonal), "
        "or a tensor (W=orthogonal).",
    ),
]
Points = Annotated[int, typer.Option(min=1, help="Draws of the inputs; every one is checked.")]
Reference = Annotated[
    str | None,
    typer.Option(help="Another implementation to compare with: module:attribute or file.py:..."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Also write it to this file, in the format of its ending."),
]


def say(text: str, *, err: bool = False) -> None:
    """Print text in which control characters, as files may hold them, are written out."""
    typer.echo(CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text), err=err)


def save(report: Any, output: Path | None) -> None:
    """Write a report where the user wants it, and print where, or why not: the verdict stands."""
    if output is None:
        return
    try:
        report.save(output)
    except OSError as error:
        say(f"gradcheck: {output} is not written: {error}", err=True)
    else:
        say(f"\nwritten to {output}")


def refuse_ending(output: Path | None, endings: tuple[str, ...]) -> None:
    """Refuse before the work a file that could not be written: no such format, or no folder."""
    if output is None:
        return
    if output.suffix.lower() not in endings:
        raise ValueError(f"--output {output}: the ending has to be one of {', '.join(endings)}")
    if not output.parent.is_dir():
        raise ValueError(f"--output {output}: there is no folder {output.parent}; make it first")


@contextmanager
def processes(workers: int) -> Iterator[Executor | None]:
    """Yield a pool of processes, None where one is enough."""
    if workers < 2:
        yield None
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, initializer=one_blas_thread) as pool:
        yield pool


def one_blas_thread() -> AbstractContextManager[object]:
    """Hold NumPy's and SciPy's BLAS to one thread, until the context that is returned ends.

    The matrices of a check are small. Threads gain little on them, and where other work holds the
    cores they wait for one another most of the time. Only BLAS is held: what PyTorch, JAX or
    OpenMP do with the cores is the user's choice.
    """
    import scipy.linalg  # noqa: F401 (it loads both: only what is loaded can be held)
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


@contextmanager
def error_exit() -> Iterator[None]:
    """Turn what the user can correct into one line instead of a traceback."""
    try:
        yield
    except BrokenPipeError:  # the reader has gone; nothing is left to be flushed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(PIPE_CLOSED)
    except (ValueError, TypeError, OSError, KeyError, FloatingPointError) as error:
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        say(f"gradcheck: {text}", err=True)
        raise typer.Exit(UNUSABLE) from error
    except KeyboardInterrupt:
        typer.echo("gradcheck: interrupted", err=True)
        sys.exit(INTERRUPTED)


def roles(text: str) -> dict[str, str]:
    """Read role=column,role=column."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    if not all(role and column for role, _, column in pairs):
        raise ValueError(f"--columns {text}: expected pairs such as train_loss=loss,val_loss=valid")
    return {role.strip(): column.strip() for role, _, column in pairs}
