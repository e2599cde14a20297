"""Trains the network of the question, examines it, mends it, and draws both runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from diagnostics import History, Severity, compare_histories
from gradcheck.demo.examination import SIGNS, Examination, examine
from network import QuestionNetwork, load_mnist
from network.question import FAULTS

if TYPE_CHECKING:
    from rich.console import Console

    from network import Digits

# Every third training and every second test image: 2,000 and 500, still stratified closely.
TRAIN_STRIDE, VALIDATION_STRIDE = 3, 2

# Slow enough for the reported loss to be seen falling before it begins to rise.
LEARNING_RATE = 0.2

# With fewer epochs no tool should speak of a trend.
FEWEST_EPOCHS = 8


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
        Whether all faults were found in the network as asked, and none in the mended one.

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
    asked = _train_and_examine((), digits, epochs, console)
    _tell(asked, console)
    console.rule("[bold]The same network with these faults mended")
    mended = _train_and_examine(FAULTS, digits, epochs, console)
    _tell(mended, console)
    _draw(asked, mended, folder)
    _write_page(asked, mended, folder)
    console.print(f"\npicture  {folder / 'question.png'}\nreport   {folder / 'question.html'}")
    return asked.parts == set(SIGNS) and not mended.faults


def _train_and_examine(
    mend: tuple[str, ...], digits: Digits, epochs: int, console: Console
) -> Examination:
    train = digits.X_train[::TRAIN_STRIDE], digits.y_train[::TRAIN_STRIDE]
    validation = digits.X_test[::VALIDATION_STRIDE], digits.y_test[::VALIDATION_STRIDE]
    network = QuestionNetwork(mend=mend, learning_rate=LEARNING_RATE)
    fresh = QuestionNetwork(mend=mend, learning_rate=LEARNING_RATE)
    history = _train(network, train, validation, epochs, console)
    console.print(f"validation {_course(history)}")
    with console.status("examining the training step, the predictions and the loss"):
        return examine(network, fresh, train, validation, history)


def _train(
    network: QuestionNetwork,
    train: tuple[object, object],
    validation: tuple[object, object],
    epochs: int,
    console: Console,
) -> History:
    from rich.progress import track

    records = []
    for epoch in track(
        range(1, epochs + 1), "training, one sample at a time", console=console, transient=True
    ):
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
    return History.from_records(records)


def _tell(examination: Examination, console: Console) -> None:
    """Print every fault: what, where, the evidence, what to change."""
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
    for number, fault in enumerate(faults, start=1):
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        table.add_row(f"fault {number}", f"[bold]{escape(fault.title)}[/bold]")
        for label, text in fault.rows():
            table.add_row(label, escape(text))
        console.print()
        console.print(table)


def _course(history: History) -> str:
    """Say how loss and accuracy went from the first epoch to the last."""
    loss, accuracy = history.val_loss, history.val_accuracy
    if loss is None or accuracy is None:
        raise ValueError("the history has no validation curves")
    return f"loss {loss[0]:.2f} → {loss[-1]:.2f}, accuracy {accuracy[0]:.1%} → {accuracy[-1]:.1%}"


def _draw(asked: Examination, mended: Examination, folder: Path) -> None:
    runs = {"as asked": asked, "mended": mended}
    figure = compare_histories(
        {name: run.history for name, run in runs.items()},
        findings={
            name: [] if run.diagnosis.ok else run.diagnosis.findings for name, run in runs.items()
        },
    )
    figure.savefig(folder / "question.png", dpi=150)


def _write_page(asked: Examination, mended: Examination, folder: Path) -> None:
    from gradcheck.demo.page import to_html

    page = to_html(asked, mended, folder / "question.png")
    (folder / "question.html").write_text(page, encoding="utf-8")
