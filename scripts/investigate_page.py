"""The page on investigations: its table of experiments, and its examples with their pictures.

Run as a script, it puts faults into networks trained on the packaged digits, and writes what is
said of them, and the experiments drawn, into the page::

    python -m scripts.investigate_page
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import network
from diagnostics import investigate
from diagnostics.experiments import CHECKS, Check

DOCS = Path(__file__).parents[1] / "docs"
PAGE, PICTURES = DOCS / "investigate.md", DOCS / "investigate"
MARKS = "<!-- {name} -->", "<!-- end of {name} -->"
WIDTH = 100

Array = NDArray[Any]
Predict = Callable[[Array], Array]

# What each experiment finds, and why it finds nothing where nothing is wrong.
FALSE_ALARMS = {
    "input_mutated": ("`input_mutated`", "not one number may differ"),
    "nondeterministic_prediction": (
        "`nondeterministic_prediction`",
        "rounding differs by 1e-7 between two calls, noise by more than 1e-5",
    ),
    "noise_within_batch": (
        "`nondeterministic_prediction`",
        "copies may differ by 1 %, as in half precision; batch statistics treat them alike",
    ),
    "evaluation_bug": (
        "`evaluation_bug`",
        "an identity, up to 1e-3; rounding and noise are told apart first",
    ),
    "logits_returned": ("`logits_returned`", "a remark, never more"),
    "classes_returned": ("`classes_returned`", "a remark, never more"),
    "softmax_twice": (
        "`softmax_twice`",
        "an exact bound, and an accuracy five standard errors above what it allows",
    ),
    "rounded_probabilities": (
        "`rounded_probabilities`",
        "a remark where rows still sum to 1: trees and neighbours count",
    ),
    "averaged_over_batches": (
        "`biased_average`, `loss_scale_mismatch`",
        "a remark where chance would match as well in 2 of 100 cases, silent from 20 on",
    ),
    "reported_loss": (
        "`loss_scale_mismatch`, `softmax_twice`, `other_loss_trained`, `loss_not_reproduced`",
        "the mean cross-entropy, however clipped, is tried first",
    ),
    "reported_accuracy": ("`metric_mismatch`", "five standard errors, and 5 points"),
    "other_loss_trained": (
        "`other_loss_trained`, `softmax_twice`",
        "near another loss and 2.5 times away from the cross-entropy; never a problem",
    ),
    "loss_of_zero_probability": ("`exploding_or_nan`", "finite losses are right, clipped or not"),
    "loss_over_classes": ("`loss_scale_mismatch`", "an identity, up to 1e-4"),
    "loss_of_single_sample": ("`loss_needs_batch`", "a remark, never more"),
    "loss_is_a_sum": ("`loss_scale_mismatch`", "an identity, up to 1e-6"),
    "train_validation_overlap": (
        "`train_validation_overlap`",
        "three rows and 1 %, and twice the repetitions within the training set",
    ),
    "near_duplicates": (
        "`train_validation_overlap`",
        "five times what chance makes in as many dimensions as the data have",
    ),
    "distribution_shift": (
        "`distribution_shift`",
        "differences that no split makes; a problem only where accuracy is lost, or a quarter of "
        "the explained variance",
    ),
    "out_of_step": ("`shuffled_labels`", "the best shift stands eight deviations above the rest"),
    "shuffled_set": (
        "`shuffled_labels`",
        "neighbours agree by chance in one set, and by five standard errors more in the other",
    ),
    "not_learning": (
        "`not_learning`, `shuffled_labels`",
        "silent where answers depend on the labels, or nearly all labels are one",
    ),
    "relabelled": (
        "`distribution_shift`",
        "20 samples of moved classes, 4 of 5 of them answered by the new name",
    ),
    "label_noise": (
        "`label_noise`",
        "four standard errors more than in the validation set; else a remark",
    ),
    "log_of_zero": (
        "`exploding_or_nan`",
        "a remark, unless the reported loss is no longer finite",
    ),
    "class_collapse": ("`class_collapse`", "silent where four of five labels are one class"),
    "dead_units": (
        "`dead_units`",
        "a remark up to half of a layer; layers that do not lead to the answers are not judged",
    ),
    "unnormalised_inputs": (
        "`unnormalised_inputs`",
        "a remark, unless units are dead or one class is answered",
    ),
    "overconfidence": (
        "`overconfidence`",
        "a remark, unless the validation loss rises",
    ),
    "underconfidence": ("`underconfidence`", "a remark, never more"),
    "rows_coupled": ("`evaluation_bug`", "an identity, up to 1e-3 of the answers' spread"),
    "constant": ("`not_learning`", "a spread of a tenth of the targets'; a problem where a plane "
                                   "through the training set explains a tenth of them"),
    "unrelated": (
        "`shuffled_labels`, `not_learning`",
        "a correlation of less than two standard errors; a problem where training was learned",
    ),
    "other_units": (
        "`distribution_shift`",
        "a quarter more of the variance explained when scaled; a problem where the answers as they "
        "are explain none",
    ),
    "reported_error": (
        "`evaluation_bug`, `loss_scale_mismatch`, `loss_not_reproduced`",
        "mean, half of it, its root, absolute and Huber's are right",
    ),
}  # fmt: skip


def experiments() -> str:
    """The experiments in their order, with what each needs, finds and lets pass."""
    return _table(check for check in CHECKS if "numbers" not in check.needs)


def regression() -> str:
    """The experiments on a regression."""
    return _table(check for check in CHECKS if "probabilities" not in check.needs)


def _table(checks: Iterable[Check]) -> str:
    """One row for each experiment."""
    rows = []
    for check in checks:
        finds, passes = FALSE_ALARMS[check.name]
        given = sorted(set(check.needs) & {"train", "history", "loss"})
        needs = [*(f"`{name}`" for name in given), *["a function"] * ("model" in check.needs)]
        rows.append(f"| {check.sentence} | {', '.join(needs)} | {finds} | {passes} |")
    head = ["| experiment | needs | finds | false alarms |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows])


TABLES: dict[str, Callable[[], str]] = {"experiments": experiments, "regression": regression}


def softmax(z: Array) -> Array:
    """The row-wise softmax."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


class Trained:
    """A network trained on some packaged digits, with its history."""

    def __init__(self, samples: int, epochs: int, *, wrong: float = 0.0) -> None:
        digits = network.load_data()
        rng = np.random.default_rng(0)
        X, y = digits.X_train[:samples], digits.y_train[:samples].copy()
        lot = rng.random(samples) < wrong
        y[lot] = rng.integers(0, 10, int(lot.sum()))
        self.train, self.validation = (X, y), (digits.X_test[:700], digits.y_test[:700])
        self.model = network.mlp([X.shape[1], 100, 10], seed=0)
        self.history = network.fit(
            self.model, X, y, validation=self.validation, epochs=epochs,
            optimizer=network.SGD(0.1, momentum=0.9), progress=False,
        )  # fmt: skip

    def logits(self, X: Array) -> Array:
        """What comes before the softmax."""
        return np.asarray(self.model.forward(X), dtype=np.float64)

    def predict(self, X: Array) -> Array:
        """Probabilities."""
        return softmax(self.logits(X))


def examples() -> Iterator[tuple[str, str, Any]]:
    """Yield the name, the fault and the investigation of each example."""
    few, many = Trained(200, 60), Trained(2000, 15)
    noisy, dead = Trained(1500, 80, wrong=0.4), Trained(2000, 5)
    dead.model.layers[0].params["b"][:80] = -50

    def whole_batch(X: Array) -> Array:
        e = np.exp(many.logits(X))
        return np.asarray(e / e.sum())

    X, y = many.validation
    losses = -np.log(many.predict(X)[np.arange(len(y)), y])
    means = [losses[start : start + 128].mean() for start in range(0, len(y), 128)]
    ragged = {"val_loss": [record["val_loss"] for record in many.history[:-1]] + [np.mean(means)]}
    for name, fault, run, predict, history in (
        ("batch", "`e / e.sum()` in the softmax", many, whole_batch, many.history),
        ("sure", "200 samples, 60 epochs", few, few.predict, few.history),
        ("noise", "two training labels in five drawn by lot", noisy, noisy.predict, noisy.history),
        ("ragged", "the mean of the means of batches of 128", many, many.predict, ragged),
        ("twice", "a softmax in the model and one after it", many,
         lambda X: softmax(many.predict(X)), None),
        ("dead", "80 of 100 biases at -50", dead, dead.predict, None),
    ):  # fmt: skip
        yield name, fault, investigate(predict, *run.validation, history=history, train=run.train)


def write_examples() -> str:
    """The examples with what is said of them; their pictures are drawn on the way."""
    PICTURES.mkdir(exist_ok=True)
    parts = []
    for name, fault, report in examples():
        path = PICTURES / f"{name}.png"
        report.figure().savefig(path, dpi=110)
        Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)
        said = "\n".join(textwrap.wrap(report.paragraph, WIDTH))
        code = report.primary.code
        parts.append(f"### `{code}`\n\nThe fault: {fault}.\n\n```text\n{said}\n```\n\n"
                     f"![The experiment behind {code}](investigate/{name}.png)")  # fmt: skip
    return "\n\n".join(parts)


def filled(text: str, parts: dict[str, Callable[[], str]]) -> str:
    """The page with these parts between their marks made anew."""
    for name, make in parts.items():
        begin, end = (mark.format(name=name) for mark in MARKS)
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n\n{make()}\n\n{end}{after}"
    return text


if __name__ == "__main__":
    every = TABLES | {"examples": write_examples}
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), every), encoding="utf-8")
