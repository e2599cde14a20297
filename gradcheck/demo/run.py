"""Trains the network of the question, examines it, corrects it, and draws both runs."""

from __future__ import annotations

import base64
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from diagnostics import History, Severity, compare_histories
from diagnostics.report.annotations import shaded_finding
from gradcheck.demo.examination import SIGNS, Examination, examine
from gradcheck.report.write_whole import write_whole
from network import QuestionNetwork, load_mnist
from network.faulty_mlp import FAULTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

    from network import Digits

# Every third training and every second test image: 2,000 and 500, still stratified closely.
TRAIN_STRIDE, VALIDATION_STRIDE = 3, 2

# Slow enough for the reported loss to be seen falling before it begins to rise.
LEARNING_RATE = 0.2

# With fewer epochs no tool should speak of a trend.
FEWEST_EPOCHS = 8

# Columns of a fault's line where no terminal has fewer.
WIDTH = 100


def run_demo(folder: Path, *, epochs: int, console: Console) -> bool:
    """Run the demonstration.

    Parameters
    ----------
    folder
        Where ``question.png`` and ``question.html`` go; made if it is missing.
    epochs
        Of each of the two runs, at least `FEWEST_EPOCHS`.
    console
        Where progress and findings are printed.

    Returns
    -------
    bool
        Whether all faults were found in the network as asked, and none in the corrected one.

    Raises
    ------
    ValueError
        If there are too few epochs.
    """
    if epochs < FEWEST_EPOCHS:
        raise ValueError(f"epochs={epochs}: a trend needs at least {FEWEST_EPOCHS}")
    digits = load_mnist()
    folder.mkdir(parents=True, exist_ok=True)
    console.rule("[bold]The question: the validation loss rises while the accuracy rises")
    asked = train_and_examine((), digits, epochs, console)
    _print_faults(asked, console)
    console.rule("[bold]The same network with these faults corrected")
    corrected = train_and_examine(FAULTS, digits, epochs, console)
    _print_faults(corrected, console)
    draw(asked, corrected).savefig(folder / "question.png", dpi=150)
    _write_page(asked, corrected, folder)
    console.print(f"\npicture  {folder / 'question.png'}\nreport   {folder / 'question.html'}")
    return asked.parts == set(SIGNS) and not corrected.faults


def train_and_examine(
    corrected: tuple[str, ...], digits: Digits, epochs: int, console: Console
) -> Examination:
    """Train the network with these of its faults corrected, and examine it.

    Parameters
    ----------
    corrected
        Any of `network.faulty_mlp.FAULTS`.
    digits
        The data; a share of it is used.
    epochs
        Passes over the training data.
    console
        Where a line is printed for each epoch.
    """
    train = digits.X_train[::TRAIN_STRIDE], digits.y_train[::TRAIN_STRIDE]
    validation = digits.X_test[::VALIDATION_STRIDE], digits.y_test[::VALIDATION_STRIDE]
    network = QuestionNetwork(mend=corrected, learning_rate=LEARNING_RATE)
    fresh = QuestionNetwork(mend=corrected, learning_rate=LEARNING_RATE)
    history = _train(network, train, validation, epochs, console)
    console.print("examining the training step, the predictions and the loss")
    return examine(network, fresh, train, validation, history)


def draw(asked: Examination, corrected: Examination) -> Figure:
    """Draw both runs side by side, with the findings of each where they happened."""
    runs = {"as asked": asked, "corrected": corrected}
    return compare_histories(
        {name: run.history for name, run in runs.items()},
        findings={
            name: [] if run.diagnosis.ok else run.diagnosis.findings for name, run in runs.items()
        },
    )


def caption(asked: Examination) -> str:
    """Say what `draw` shows, and what is shaded in it."""
    text = "Loss and accuracy as asked and corrected"
    finding = None
    if not asked.diagnosis.ok:
        finding = shaded_finding(asked.history, asked.diagnosis.findings)
    if finding is None or finding.epochs is None:
        return text
    return f"{text}; shaded: {finding.code} from epoch {finding.epochs[0]:g}"


def _train(
    network: QuestionNetwork,
    train: tuple[object, object],
    validation: tuple[object, object],
    epochs: int,
    console: Console,
) -> History:
    """Train one sample at a time; print loss and accuracy of each epoch, in pipes too."""
    records = []
    for epoch in range(1, epochs + 1):
        begin = time.perf_counter()
        network.train(*train)  # type: ignore[arg-type]
        train_loss, train_accuracy = network.evaluate(*train)  # type: ignore[arg-type]
        val_loss, val_accuracy = network.evaluate(*validation)  # type: ignore[arg-type]
        records.append(
            {
                "epoch": epoch,
                "train_loss": train_loss,
                "train_accuracy": train_accuracy,
                "val_loss": val_loss,
                "val_accuracy": val_accuracy,
            }
        )
        console.print(
            f"epoch {epoch} of {epochs}  validation loss {val_loss:5.2f}  "
            f"accuracy {val_accuracy:.1%}  ({time.perf_counter() - begin:.1f} s)"
        )
    return History.from_records(records)


def _print_faults(examination: Examination, console: Console) -> None:
    """Print a line for every fault, then each with its evidence and what to change."""
    from rich.markup import escape
    from rich.table import Table

    faults = examination.faults
    if not faults:
        console.print("nothing found: the training step, the predictions and the loss are right")
        for finding in examination.diagnosis.findings:
            if finding.severity is not Severity.INFO:
                console.print(escape(f"noted, no fault of the code: {finding.message}"))
        return
    console.print(f"\n[bold]{len(faults)} faults, each found by measurement[/bold]")
    columns = min(WIDTH, console.width) if console.is_terminal else WIDTH
    for number, fault in enumerate(faults, start=1):
        console.print(escape(fault.line(number, columns)), soft_wrap=True)
    for number, fault in enumerate(faults, start=1):
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        table.add_row(f"fault {number}", f"[bold]{escape(fault.title)}[/bold]")
        for label, text in fault.rows():
            table.add_row(label, escape(text))
        console.print()
        console.print(table)


def _write_page(asked: Examination, corrected: Examination, folder: Path) -> None:
    """Write one self-contained HTML page: the picture is embedded, nothing is fetched."""
    from jinja2 import Environment

    template = resources.files("gradcheck.demo").joinpath("page.html.j2").read_text("utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(template).render(
        asked=asked,
        corrected=corrected,
        caption=caption(asked),
        picture=base64.b64encode((folder / "question.png").read_bytes()).decode("ascii"),
    )
    write_whole(folder / "question.html", page.encode())
