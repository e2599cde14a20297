"""The command ``gradcheck``: check, properties, train, diagnose, demo."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console


class Mode(StrEnum):
    """How tensors are checked; see `gradcheck.check`."""

    AUTO = "auto"
    PROJECT = "project"
    ELEMENT = "element"


app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

# Exit statuses: everything passed, something is wrong, the command could not be carried out.
PASSED, FOUND, UNUSABLE, INTERRUPTED = 0, 1, 2, 130

# Endings that a report of `check` can be written to.
REPORT_ENDINGS = (".html", ".json", ".png", ".svg", ".txt")

Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Also write it there, as the ending says.")
]


def main() -> None:
    """Run the command line."""
    app()


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"gradcheck {version('gradcheck')}")
        raise typer.Exit


@app.callback()
def _of_all(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print it.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Find out why a neural network trains, but wrongly."""


@app.command()
def check(
    target: Annotated[str, typer.Argument(help="module:attribute or file.py:attribute")],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            help="Shape (32,784), shape and kind (32:int10, 8,3:float32) or .npy; once per input.",
        ),
    ] = None,
    mode: Annotated[Mode, typer.Option(help="Directions, every entry, or both as needed.")] = (
        Mode.AUTO
    ),
    tolerance: Annotated[
        float | None, typer.Option(help="Accept relative errors up to this.")
    ] = None,
    directions: Annotated[int, typer.Option(help="Random directions per tensor, at least.")] = 2,
    seed: Annotated[int, typer.Option(help="Of all random choices.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that judge tensors in parallel.")] = 1,
    output: Output = None,
) -> None:
    """Check the gradients of a layer, loss or function."""
    import numpy as np

    from gradcheck import check as run_check
    from gradcheck.loading import load, parse_input
    from gradcheck.render.text import print_report

    with _told(), _processes(workers) as executor:
        _refuse_ending(output, REPORT_ENDINGS)
        rng = np.random.default_rng(seed)
        arrays = [parse_input(text, rng) for text in inputs or []]
        report = run_check(
            load(target),
            *arrays,
            mode=mode.value,
            tolerance=tolerance,
            directions=directions,
            seed=seed,
            executor=executor,
        )
        print_report(report, Console())
        _save(report, output)
    if report.interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(PASSED if report.ok else FOUND)


@app.command()
def properties(
    suite: Annotated[str, typer.Argument(help="softmax, log_softmax, loss, activation, ...")],
    target: Annotated[str, typer.Argument(help="module:attribute or file.py:attribute")],
    examples: Annotated[int, typer.Option(help="Inputs tried per property.")] = 100,
    seed: Annotated[int, typer.Option(help="Of the inputs.")] = 0,
    only: Annotated[list[str] | None, typer.Option(help="Run this property alone.")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="Leave this property out.")] = None,
    output: Output = None,
) -> None:
    """Try a suite of properties on a function of yours."""
    from gradcheck.loading import load
    from gradcheck.properties import run_properties

    with _told():
        report = run_properties(
            suite, load(target), examples=examples, seed=seed, only=only or None, skip=skip
        )
        typer.echo(str(report))
        if output is not None:
            text = report.to_json() if output.suffix == ".json" else f"{report}\n"
            output.write_text(text, encoding="utf-8")
    raise typer.Exit(PASSED if report.ok else FOUND)


@app.command()
def train(
    data: Annotated[
        Path | None, typer.Option(help="Folder with the IDX files of MNIST; else the subset.")
    ] = None,
    hidden: Annotated[str, typer.Option(help="Units of the hidden layers.")] = "300,75",
    epochs: Annotated[int, typer.Option()] = 10,
    batch_size: Annotated[int, typer.Option()] = 32,
    learning_rate: Annotated[float, typer.Option()] = 0.02,
    momentum: Annotated[float, typer.Option()] = 0.9,
    seed: Annotated[int, typer.Option()] = 0,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the history goes, one JSON line an epoch.")
    ] = Path("history.jsonl"),
) -> None:
    """Train the reference network on MNIST and write its history."""
    import json

    from network import SGD, fit, load_mnist, mlp

    with _told():
        digits = load_mnist(data)
        sizes = [784, *_sizes(hidden), 10]
        model = mlp(sizes, seed=seed)
        with output.open("w", encoding="utf-8") as file:

            def record(line: dict[str, float]) -> None:
                file.write(json.dumps(line) + "\n")
                file.flush()

            records = fit(
                model,
                digits.X_train,
                digits.y_train,
                validation=(digits.X_test, digits.y_test),
                epochs=epochs,
                batch_size=batch_size,
                optimizer=SGD(learning_rate, momentum),
                seed=seed,
                callback=record,
            )
    last, seconds = records[-1], sum(record["seconds"] for record in records)
    typer.echo(
        f"{'-'.join(map(str, sizes))}: validation accuracy {last['val_accuracy']:.1%}, loss "
        f"{last['val_loss']:.3f} after {epochs} epochs in {seconds:.1f} s; history in {output}"
    )


@app.command()
def diagnose(
    history: Annotated[Path, typer.Argument(help="CSV, JSON or JSON lines of a training run.")],
    output: Output = None,
    classes: Annotated[int | None, typer.Option(help="Number of classes.")] = None,
    samples: Annotated[int | None, typer.Option(help="Validation samples per evaluation.")] = None,
    fail_on: Annotated[str, typer.Option(help="Exit with 1 on: problem, warning, never")] = "never",
    mute: Annotated[list[str] | None, typer.Option(help="Leave this finding out.")] = None,
) -> None:
    """Say what went wrong in a training run, from its history."""
    from diagnostics import History, Severity
    from diagnostics import diagnose as run_diagnose

    with _told():
        if fail_on not in ("problem", "warning", "never"):
            raise ValueError(f"--fail-on {fail_on}: expected problem, warning or never")
        run = History.read(history)
        report = run_diagnose(run, classes=classes, samples=samples, mute=tuple(mute or ()))
        typer.echo(f"{run!r}\n\n{report}")
        _save(report, output)
    worst = min((finding.severity.rank for finding in report.findings), default=99)
    failed = fail_on != "never" and worst <= Severity(fail_on).rank
    raise typer.Exit(FOUND if failed else PASSED)


@app.command()
def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for question.png and question.html.")
    ] = Path(),
    epochs: Annotated[int, typer.Option(help="Epochs of each of the two runs.")] = 8,
) -> None:
    """Find every fault of the network of the question, on real digits, offline."""
    from gradcheck.demo import run_demo

    with _told():
        found = run_demo(output, epochs=epochs, console=Console(highlight=False))
    raise typer.Exit(PASSED if found else FOUND)


def _sizes(text: str) -> list[int]:
    try:
        return [int(size) for size in text.split(",") if size]
    except ValueError as error:
        raise ValueError(f"--hidden {text}: expected sizes such as 300,75") from error


def _save(report: Any, output: Path | None) -> None:
    if output is not None:
        report.save(output)
        typer.echo(f"\nwritten to {output}")


def _refuse_ending(output: Path | None, endings: tuple[str, ...]) -> None:
    """Say before the work that its result could not be written."""
    if output is not None and output.suffix.lower() not in endings:
        raise ValueError(f"--output {output}: the ending has to be one of {', '.join(endings)}")


@contextmanager
def _processes(workers: int) -> Iterator[Executor | None]:
    """Yield a pool of processes, None where one is enough."""
    if workers < 2:
        yield None
        return
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield pool


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the user can mend into one line instead of a traceback."""
    try:
        yield
    except (ValueError, TypeError, OSError, KeyError, FloatingPointError) as error:
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        typer.echo(f"gradcheck: {text}", err=True)
        raise typer.Exit(UNUSABLE) from error
    except KeyboardInterrupt:
        typer.echo("gradcheck: interrupted", err=True)
        sys.exit(INTERRUPTED)
