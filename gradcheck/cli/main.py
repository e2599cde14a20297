"""The command ``gradcheck``: check, hunt, properties, train, diagnose, demo."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gradcheck.cli import shell


class Mode(StrEnum):
    """How tensors are checked; see `gradcheck.check`."""

    AUTO = "auto"
    PROJECT = "project"
    ELEMENT = "element"


app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Rich's boxes around the help take as long to load as NumPy
)

# Commands that multiply matrices large enough for the threads of BLAS.
THREADED = ("train",)

# Endings that a report of `check` can be written to.
REPORT_ENDINGS = (".html", ".json", ".png", ".svg", ".txt")


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
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print it.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Find out why a neural network trains, but wrongly."""
    if context.invoked_subcommand not in THREADED:
        context.with_resource(shell.one_blas_thread())


@app.command()
def check(
    target: Annotated[str, typer.Argument(help="module:attribute or file.py:attribute")],
    inputs: shell.Inputs = None,
    mode: Annotated[Mode, typer.Option(help="Directions, every entry, or both as needed.")] = (
        Mode.AUTO
    ),
    tolerance: Annotated[
        float | None, typer.Option(help="Accept relative errors up to this.")
    ] = None,
    directions: Annotated[int, typer.Option(help="Random directions per tensor, at least.")] = 2,
    seed: Annotated[int, typer.Option(help="Of all random choices.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that check tensors in parallel.")] = 1,
    budget: Annotated[
        float, typer.Option(help="Seconds for naming what is wrong; verdicts take none of them.")
    ] = 30.0,
    constraint: shell.Constraints = None,
    points: shell.Points = 1,
    reference: shell.Reference = None,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Show all entries, promises, notes and evidence."),
    ] = False,
    output: shell.Output = None,
) -> None:
    """Check the gradients of a layer, loss or function."""
    from rich.console import Console

    from gradcheck import check as run_check
    from gradcheck.cli.loading import draws, load, made, parse_constraint
    from gradcheck.report.text import print_report

    with shell.error_exit(), shell.processes(workers) as executor:
        shell.refuse_ending(output, REPORT_ENDINGS)
        given = draws(inputs or [], seed, points)
        report = run_check(
            made(load(target), target),
            *(given[0] if points == 1 else ()),
            points=None if points == 1 else given,
            constraint=parse_constraint(constraint or []),
            reference=None if reference is None else made(load(reference), reference),
            mode=mode.value,
            tolerance=tolerance,
            directions=directions,
            seed=seed,
            executor=executor,
            budget=budget,
        )
        print_report(report, Console(), details=verbose)
        shell.save(report, output)
    if report.interrupted:
        raise typer.Exit(shell.INTERRUPTED)
    raise typer.Exit(shell.PASSED if report.ok else shell.FOUND)


@app.command()
def hunt(
    target: Annotated[str, typer.Argument(help="module:attribute or file.py:attribute")],
    inputs: shell.Inputs = None,
    examples: Annotated[int, typer.Option(help="Inputs drawn, besides the special ones.")] = 100,
    tolerance: Annotated[
        float | None, typer.Option(help="Accept relative errors up to this.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all random choices.")] = 0,
) -> None:
    """Look for inputs at which a gradient is wrong.

    At corners and ties, for odd sizes and for large batches.
    """
    from gradcheck.cli.loading import draws, load, made
    from gradcheck.hunt import hunt as run_hunt

    with shell.error_exit():
        arrays = list(draws(inputs or [], seed)[0])
        found = made(load(target), target)
        report = run_hunt(found, arrays or None, examples=examples, seed=seed, tolerance=tolerance)
        typer.echo(str(report))
    if report.interrupted:
        raise typer.Exit(shell.INTERRUPTED)
    raise typer.Exit(shell.PASSED if report.ok else shell.FOUND)


@app.command()
def properties(
    suite: Annotated[
        str, typer.Argument(help="softmax, log_softmax, loss, activation, layer or optimizer")
    ],
    target: Annotated[str, typer.Argument(help="module:attribute or file.py:attribute")],
    profile: Annotated[
        str | None, typer.Option(help="dev (25 inputs per property), ci (100) or thorough (1000).")
    ] = None,
    examples: Annotated[int | None, typer.Option(help="Inputs per property, exactly.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the inputs.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Run this property alone.")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="Leave this property out.")] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--option", help="axis=0, kind=binary, backward=module:vjp, x=4,3, ..."),
    ] = None,
    output: shell.Output = None,
) -> None:
    """Test a function with a suite of properties."""
    from rich.console import Console

    from gradcheck.cli.properties_table import run_in_shell

    with shell.error_exit():
        shell.refuse_ending(output, (".json", ".txt"))
        report = run_in_shell(
            suite,
            target,
            Console(),
            typed=options or (),
            profile=profile,
            examples=examples,
            seed=seed,
            only=only or None,
            skip=skip,
        )
        shell.save(report, output)
    if report.interrupted:
        raise typer.Exit(shell.INTERRUPTED)
    raise typer.Exit(shell.PASSED if report.ok else shell.FOUND)


@app.command()
def train(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of IDX files, .npz or .csv; else the packaged digits."),
    ] = None,
    test: Annotated[Path | None, typer.Option(help="CSV file to test on.")] = None,
    label: Annotated[str | None, typer.Option(help="Column of the labels in a CSV file.")] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch the full MNIST.")] = False,
    hidden: Annotated[str, typer.Option(help="Units of the hidden layers.")] = "300,75",
    activation: Annotated[
        str, typer.Option(help="relu, leaky_relu, elu, gelu, silu, softplus, tanh or sigmoid.")
    ] = "relu",
    dropout: Annotated[float, typer.Option(help="Share of hidden units dropped.")] = 0.0,
    l2: Annotated[float, typer.Option(help="Penalty on large weights.")] = 0.0,
    optimizer: Annotated[
        str, typer.Option(help="sgd, momentum, nesterov, rmsprop, adam or adamw.")
    ] = "momentum",
    learning_rate: Annotated[
        float | None, typer.Option(help="Else the usual one of the optimizer.")
    ] = None,
    schedule: Annotated[str, typer.Option(help="constant, step, cosine or warmup.")] = "constant",
    epochs: Annotated[int, typer.Option(help="Passes over the training data.")] = 10,
    batch_size: Annotated[int, typer.Option(help="Samples per step.")] = 32,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without a lower validation loss.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the initial weights and the shuffling.")] = 0,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the history and the checkpoint.")
    ] = Path("run"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in the folder.")
    ] = False,
) -> None:
    """Train the reference network, on the packaged digits by default; keep its history."""
    import network as n
    from network.factory import make_optimizer, make_schedule, parse_sizes

    with shell.error_exit():
        if download and data is not None:
            raise ValueError("--download fetches MNIST: leave out --data")
        digits = n.load_data(n.download_mnist() if download else data, test=test, label=label)
        sizes = [digits.X_train.shape[1], *parse_sizes(hidden), len(digits.classes)]
        records = n.fit(
            n.mlp(sizes, activation=activation, dropout=dropout, seed=seed),
            digits.X_train,
            digits.y_train,
            validation=(digits.X_test, digits.y_test),
            epochs=epochs,
            batch_size=batch_size,
            optimizer=make_optimizer(optimizer, learning_rate),
            schedule=make_schedule(schedule, epochs),
            penalty=n.L2(l2) if l2 else None,
            early_stopping=None if patience is None else n.EarlyStopping(patience),
            seed=seed,
            folder=output,
            resume=resume,
        )
    best = max(records, key=lambda record: record["val_accuracy"])
    last, seconds = records[-1], sum(record["seconds"] for record in records)
    typer.echo(
        f"{'-'.join(map(str, sizes))}, {len(digits.X_train):,} samples: validation accuracy "
        f"{last['val_accuracy']:.2%} and loss {last['val_loss']:.4f} after {len(records)} epochs "
        f"in {seconds:.1f} s (best: {best['val_accuracy']:.2%} in epoch {best['epoch']})\n"
        f"history in {output / 'history.jsonl'}: gradcheck diagnose finds out what it shows"
    )


@app.command()
def diagnose(
    histories: Annotated[
        list[Path], typer.Argument(help="Log of a training run, whatever its format, or a folder.")
    ],
    output: shell.Output = None,
    classes: Annotated[int | None, typer.Option(help="Number of classes.")] = None,
    samples: Annotated[int | None, typer.Option(help="Validation samples per evaluation.")] = None,
    fail_on: Annotated[str, typer.Option(help="Exit with 1 on: problem, warning, never")] = "never",
    mute: Annotated[list[str] | None, typer.Option(help="Leave this finding out.")] = None,
    columns: Annotated[
        str, typer.Option(help="Which column is what: train_loss=loss,val_loss=valid.")
    ] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Follow a growing file.")] = False,
    interval: Annotated[float, typer.Option(help="Seconds between two readings of it.")] = 1.0,
) -> None:
    """Find out what went wrong in a training run, from its history.

    Given several histories, compare them, too.
    """
    from diagnostics.cli import Request, run

    with shell.error_exit():
        mapping = shell.roles(columns)
        request = Request(classes, samples, tuple(mute or ()), fail_on, mapping, output)
        failed = run(histories, request, shell.say, watch=interval if watch else None)
    raise typer.Exit(shell.FOUND if failed else shell.PASSED)


@app.command()
def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for question.png and question.html.")
    ] = Path(),
    epochs: Annotated[int, typer.Option(help="Epochs of each of the two runs.")] = 8,
) -> None:
    """Find every fault of the network of the question, on real digits, offline."""
    from rich.console import Console

    from gradcheck.demo import run_demo

    with shell.error_exit():
        found = run_demo(output, epochs=epochs, console=Console(highlight=False))
    raise typer.Exit(shell.PASSED if found else shell.FOUND)
