"""Draws the pictures of docs/question.md from runs of the network of the question.

``python -m scripts.question_pictures`` draws them all, docs/question.png too, and writes what that
one shows into its captions on the page and in README.md; it takes a few minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.console import Console

import gradcheck
from gradcheck.demo.run import caption, draw, train_and_examine
from network import QuestionNetwork, load_mnist
from network.faulty_mlp import FAULTS, guarded_cross_entropy, naive_cross_entropy

# Okabe and Ito's colours, told apart by everybody; line styles and markers differ as well.
ASKED = {"color": "#D55E00", "linestyle": "-", "marker": "s"}
CORRECTED = {"color": "#0072B2", "linestyle": "--", "marker": "o", "markerfacecolor": "white"}
ALONE = {
    "softmax": ("#D55E00", "s", "-"),
    "bias": ("#009E73", "^", "-."),
    "output_error": ("#CC79A7", "D", ":"),
    "loss": ("#E69F00", "v", "--"),
    "": ("#0072B2", "o", "-"),
}
NAMES = {"": "none", "output_error": "output error"}

DOCS = Path(__file__).parents[1] / "docs"
PAGES = DOCS / "question.md", DOCS.parent / "README.md"

DIGITS = load_mnist()
TRAIN = DIGITS.X_train[::3].astype(np.float64), DIGITS.y_train[::3]
VALIDATION = DIGITS.X_test[::2].astype(np.float64), DIGITS.y_test[::2]
EPOCHS = 8
LEARNING_RATE = 0.2


def trained(left: tuple[str, ...]) -> tuple[QuestionNetwork, NDArray[np.float64]]:
    """Train with these faults left in; return the network, and loss and accuracy per epoch."""
    mend = [fault for fault in FAULTS if fault not in left]
    network = QuestionNetwork(mend=mend, learning_rate=LEARNING_RATE)
    course = []
    for _ in range(EPOCHS):
        network.train(*TRAIN)
        course.append(network.evaluate(*VALIDATION))
    return network, np.array(course)


def axes(figure: Figure, columns: int) -> list[Axes]:
    """Return that many axes side by side."""
    made = [figure.add_subplot(1, columns, column + 1) for column in range(columns)]
    for each in made:
        each.grid(alpha=0.3)
        each.spines[["top", "right"]].set_visible(False)
    return made


def draw_each_alone(runs: dict[str, NDArray[np.float64]]) -> Figure:
    """What each fault does by itself."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, accuracy = axes(figure, 2)
    epochs = np.arange(1, EPOCHS + 1)
    for fault, course in runs.items():
        color, marker, line = ALONE[fault]
        for ax, values in ((loss, course[:, 0]), (accuracy, course[:, 1])):
            # none lies underneath, broad and pale: some faults change nothing in this run
            broad = {} if fault else {"linewidth": 5, "alpha": 0.4}
            ax.plot(
                epochs, values, color=color, marker=marker, linestyle=line,
                label=NAMES.get(fault, fault), markersize=5, markerfacecolor="white", **broad,
            )  # fmt: skip
    loss.set(title="validation loss, as reported", xlabel="epoch", yscale="log")
    accuracy.set(title="validation accuracy", xlabel="epoch")
    figure.legend(*loss.get_legend_handles_labels(), title="fault left in", loc="outside right")
    return figure


def draw_softmax(asked: QuestionNetwork) -> Figure:
    """The loss of the same predictions, evaluated in batches of different sizes."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    by_size, sums = axes(figure, 2)
    X, y = VALIDATION
    sizes = [1, 2, 5, 10, 20, 50, 100, 250, 500]
    right = QuestionNetwork(mend=FAULTS)
    right.params = asked.params
    for network, style, name in ((asked, ASKED, "as asked"), (right, CORRECTED, "corrected")):
        losses = [
            np.mean(
                [
                    guarded_cross_entropy(network.predict(X[i : i + n]), np.eye(10)[y[i : i + n]])
                    for i in range(0, len(X), n)
                ]
            )
            for n in sizes
        ]
        by_size.plot(sizes, losses, label=name, **style)
    by_size.set(
        title="loss of the same 500 samples", xlabel="samples evaluated at once", xscale="log",
        ylim=(0, None),
    )  # fmt: skip
    by_size.legend()
    rows = np.sort(asked.predict(X).sum(axis=1))[::-1]
    sums.plot(np.arange(1, len(rows) + 1), rows, color=ASKED["color"], label="as asked")
    sums.axhline(1, color=CORRECTED["color"], linestyle="--", label="what probabilities sum to")
    sums.set(title="sum of every predicted row", xlabel="sample, largest sum first", yscale="log")
    sums.legend()
    return figure


def draw_bias() -> Figure:
    """The bias gradients that a step implies, beside the numerical ones."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    X, y = TRAIN[0][:32], TRAIN[1][:32]
    network = QuestionNetwork(mend=("softmax", "output_error", "loss"), learning_rate=0.2)
    before = {name: value.copy() for name, value in network.params.items()}

    def numerical(name: str) -> NDArray[np.float64]:
        def loss(b: NDArray[np.float64]) -> float:
            network.params[name][:] = b
            return network.loss(network.predict(X), y)

        value = np.asarray(gradcheck.gradient(loss, before[name]).value)
        network.params[name][:] = before[name]
        return value

    measured = {name: numerical(name) for name in ("b2", "b3")}
    network.train(X, y)
    for ax, (name, values) in zip(axes(figure, 2), measured.items(), strict=True):
        implied = (before[name] - network.params[name]) / network.learning_rate
        order = np.argsort(values)
        units = np.arange(1, len(order) + 1)
        style = {"linestyle": "none", "markersize": 5}
        ax.plot(units, values[order], label="numerical derivative", **CORRECTED | style)
        ax.plot(units, implied[order], label="implied by the step", **ASKED | style)
        ax.set(title=f"gradient of {name}", xlabel="unit, smallest derivative first")
    ax.legend()
    return figure


def draw_output_error(asked: QuestionNetwork) -> Figure:
    """The error handed back for every sample, against the probability of its right class."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    (ax,) = axes(figure, 1)
    X, y = VALIDATION
    probabilities = np.stack([asked.predict(x) for x in X])
    targets = np.eye(10)[y]
    right = QuestionNetwork(mend=FAULTS)
    for network, name in ((right, "p - t, corrected"), (asked, "J (p - t), as asked")):
        sizes = [
            np.abs(network._output_error(p, t)).max()
            for p, t in zip(probabilities, targets, strict=True)
        ]
        style = CORRECTED if network is right else ASKED
        ax.plot(
            (probabilities * targets).sum(axis=1), sizes, style["marker"], color=style["color"],
            label=name, markersize=5, markerfacecolor=style.get("markerfacecolor"),
        )  # fmt: skip
    ax.set(
        title="largest entry of the error of 500 validation samples",
        xlabel="probability of the right class",
    )
    ax.legend()
    return figure


def draw_loss() -> Figure:
    """The loss of one confident mistake, and of one sample given as a row or as a batch."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    tail, single = axes(figure, 2)
    exponents = np.arange(0, 400, 8)
    t = np.array([[1.0, 0.0]])
    with np.errstate(divide="ignore"):
        for loss, style, name in (
            (naive_cross_entropy, ASKED, "as asked"),
            (guarded_cross_entropy, CORRECTED, "corrected"),
        ):
            values = [loss(np.array([[10.0**-e, 1.0]]), t) for e in exponents]
            tail.plot(exponents, values, label=name, **style | {"markersize": 4})
    tail.axvspan(324, 400, color="0.92")
    tail.text(362, 60, "p is 0:\nas asked, inf", ha="center")
    tail.set(
        title="loss of a confident mistake",
        xlabel="-log10 of the probability of the right class",
    )
    tail.legend(loc="upper left")
    p = np.full(10, 0.1)
    target = np.eye(10)[0]
    places = np.arange(2)
    for offset, loss, style, hatch in (
        (-0.2, naive_cross_entropy, ASKED, "//"),
        (0.2, guarded_cross_entropy, CORRECTED, ""),
    ):
        values = [loss(p, target), loss(p[np.newaxis], target[np.newaxis])]
        single.bar(places + offset, values, 0.4, color=style["color"], hatch=hatch)
    single.set(
        title="loss of one sample, 10 equal classes",
        xticks=places, xticklabels=["as a row", "as a batch of one"],
    )  # fmt: skip
    single.axhline(np.log(10), color="black", linewidth=0.8, linestyle=":")
    single.text(-0.2, np.log(10) + 0.05, "log 10", ha="center")
    single.set_ylim(0, 2.7)
    return figure


def figures() -> Iterator[tuple[str, Figure]]:
    """Yield each picture of docs/question/ by its name."""
    runs = {fault: trained((fault,) if fault else ())[1] for fault in ("", *FAULTS)}
    asked, _ = trained(FAULTS)
    yield "alone", draw_each_alone(runs)
    yield "softmax", draw_softmax(asked)
    yield "bias", draw_bias()
    yield "output_error", draw_output_error(asked)
    yield "loss", draw_loss()


def captioned(text: str, caption: str) -> str:
    """Return the text of a page with this caption of question.png."""
    return re.sub(r"!\[[^\]]*\](?=\([\w/]*question\.png\))", lambda _: f"![{caption}]", text)


def main() -> None:
    """Train, draw, save, and say on the pages what is shown."""
    console = Console()
    asked = train_and_examine((), DIGITS, EPOCHS, console)
    corrected = train_and_examine(FAULTS, DIGITS, EPOCHS, console)
    draw(asked, corrected).savefig(DOCS / "question.png", dpi=150)
    for page in PAGES:
        text = captioned(page.read_text(encoding="utf-8"), caption(asked))
        page.write_text(text, encoding="utf-8")
    for name, figure in figures():
        figure.savefig(DOCS / "question" / f"{name}.png", dpi=110)
        print(DOCS / "question" / f"{name}.png")


if __name__ == "__main__":
    main()
