"""The progress bar of a training run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Record = dict[str, float]


@contextmanager
def progress_bar(epochs: int, wanted: bool | None) -> Iterator[Callable[[Record], None]]:
    """Yield a function that is told every epoch's record; by default it draws on terminals only."""
    if wanted is False or (wanted is None and not sys.stderr.isatty()):
        yield lambda record: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("epoch {task.completed}/{task.total}"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=epochs)

        def advance(record: Record) -> None:
            shown = "val" if "val_loss" in record else "train"
            accuracy = record.get(f"{shown}_accuracy")
            text = f"loss {record[f'{shown}_loss']:.3f}"
            text += f"  accuracy {accuracy:.1%}" if accuracy is not None else ""
            bar.update(task, advance=1, description=f"{shown} {text}")

        yield advance
