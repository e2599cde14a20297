"""Runs trained by other code, in PyTorch, on which the rules were not made.

``python -m benchmarks.runs.other_code`` trains them, some minutes, and puts them into the corpus.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks.runs.labels import Facts, label
from benchmarks.runs.store import OTHER, UNSEEN, Curves, Labelled, read, rounded, save
from benchmarks.runs.torch_networks import rows_of
from benchmarks.runs.torch_training import Recipe, train

IMAGES = ("digits", "mnist")
TABLES = ("cancer", "wine")
CLOUDS = ("moons", "circles")
MADE = ("mixed", "digits")
NUMBERS = ("diabetes", "friedman")

# Cause, variant, the two data sets, what differs from a sound run. Runs on both were looked at
# while the rules were made; those trained once more on the second, in other sizes, were not.
RUNS: tuple[tuple[str, str, tuple[str, str], dict[str, Any]], ...] = (
    ("healthy", "convolutions, augmented", IMAGES, {"model": "cnn", "augment": 0.3}),
    ("healthy", "batch normalisation", IMAGES, {"model": "norm", "decay": 0.1, "epochs": 15}),
    ("healthy", "label smoothing", IMAGES, {"loss": "smoothed"}),
    ("healthy", "smoothed in training only", IMAGES,
     {"loss": "smoothed", "evaluation": "cross_entropy"}),
    ("healthy", "dropout, per cent", IMAGES, {"model": "dropout", "percent": True}),
    ("healthy", "warm restarts", IMAGES,
     {"schedule": "restarts", "optimizer": "nesterov", "rate": 0.02, "decay": 3e-3, "epochs": 40}),
    ("healthy", "rate drops twice", IMAGES,
     {"schedule": "drops", "optimizer": "nesterov", "rate": 0.05, "augment": 0.5, "epochs": 45}),
    ("healthy", "one cycle", IMAGES, {"schedule": "one_cycle", "rate": 5e-3, "epochs": 12,
                                      "augment": 0.3}),
    ("healthy", "fine-tuned", IMAGES, {"pretrain": 8, "rate": 1e-4, "epochs": 10, "samples": 300}),
    ("healthy", "in bits", IMAGES, {"factor": (1.4427, 1.4427), "augment": 0.3}),
    ("healthy", "perplexity", IMAGES, {"perplexity": True, "augment": 0.3}),
    ("healthy", "50 validation samples", IMAGES, {"validation": 50, "augment": 0.5}),
    ("healthy", "early stopping", IMAGES, {"patience": 5, "epochs": 80}),
    ("healthy", "mixup", IMAGES, {"mixup": True, "epochs": 40}),
    ("healthy", "running average of weights", IMAGES, {"running": 0.98, "augment": 0.5}),
    ("healthy", "focal loss", IMAGES, {"loss": "focal", "augment": 0.5}),
    ("healthy", "hinge loss", IMAGES, {"loss": "hinge", "augment": 0.5}),
    ("healthy", "squares", IMAGES, {"loss": "brier", "augment": 0.5}),
    ("healthy", "eight epochs", IMAGES, {"epochs": 8}),
    ("healthy", "rmsprop", IMAGES, {"optimizer": "rmsprop", "decay": 1e-2, "augment": 0.5}),
    ("healthy", "batches of 4", IMAGES,
     {"batch": 4, "optimizer": "sgd", "rate": 5e-3, "augment": 0.5, "epochs": 15}),
    ("healthy", "two classes", CLOUDS, {"samples": 1000, "epochs": 40}),
    ("healthy", "two classes, 300 epochs", CLOUDS,
     {"samples": 1000, "epochs": 300, "optimizer": "sgd", "rate": 0.05, "decay": 1e-3}),
    ("healthy", "one class in twenty", CLOUDS, {"rare": 0.05, "samples": 500, "epochs": 60}),
    ("healthy", "tabular", TABLES, {"decay": 0.5, "rate": 5e-4, "epochs": 40, "width": 16}),
    ("healthy", "labels that cannot be told", ("doubtful", "doubtful"),
     {"model": "linear", "rate": 5e-3, "samples": 1200}),
    ("healthy", "regression", NUMBERS, {"loss": "squares", "decay": 1.0, "width": 16}),
    ("healthy", "absolute error", NUMBERS, {"loss": "absolute", "decay": 1.0, "width": 16}),
    ("healthy", "negative log-likelihood", ("friedman", "friedman"),
     {"loss": "gaussian", "samples": 900, "width": 32}),
    ("overfitting", "30 images", IMAGES, {"model": "cnn", "samples": 30, "epochs": 80}),
    ("overfitting", "one feature map too many", MADE, {"samples": 120, "width": 256, "epochs": 60}),
    ("overfitting", "20 rows", TABLES, {"samples": 20, "width": 128, "epochs": 200, "rate": 3e-3}),
    ("overfitting", "60 rows, per cent", ("mixed", "wine"),
     {"samples": 60, "epochs": 150, "percent": True}),
    ("overfitting", "regression", NUMBERS,
     {"loss": "squares", "samples": 60, "width": 256, "epochs": 200}),
    ("overfitting", "absolute error", NUMBERS,
     {"loss": "absolute", "samples": 60, "width": 256, "epochs": 150, "rate": 3e-3}),
    ("overfitting", "50 validation samples", IMAGES,
     {"samples": 60, "validation": 50, "epochs": 150, "rate": 3e-3}),
    ("overfitting", "batch normalisation", MADE,
     {"model": "norm", "samples": 100, "epochs": 120, "rate": 5e-3}),
    ("overfitting", "perplexity", ("mixed", "mnist"),
     {"samples": 150, "epochs": 80, "perplexity": True, "width": 256}),
    ("overfitting", "stopped early, late", ("mixed", "cancer"),
     {"samples": 100, "epochs": 300, "patience": 30, "width": 128}),
    ("overfitting", "doubtful labels", ("doubtful", "doubtful"),
     {"samples": 300, "width": 256, "epochs": 80, "rate": 3e-3}),
    ("overconfidence", "300 epochs", IMAGES, {"samples": 800, "epochs": 300, "rate": 3e-3}),
    ("overconfidence", "convolutions", IMAGES, {"model": "cnn", "epochs": 120, "rate": 3e-3}),
    ("overconfidence", "tabular", TABLES, {"epochs": 300, "rate": 5e-3}),
    ("evaluation_bug", "softmax over the batch", IMAGES, {"evaluation": "whole_batch"}),
    ("evaluation_bug", "softmax over the batch, convolutions", IMAGES,
     {"evaluation": "whole_batch", "model": "cnn", "percent": True, "validation": 100}),
    ("evaluation_bug", "softmax over the batch, tabular", TABLES, {"evaluation": "whole_batch"}),
    ("evaluation_bug", "softmax over the batch, two classes", CLOUDS,
     {"evaluation": "whole_batch", "epochs": 60}),
    ("evaluation_bug", "softmax over the batch, few samples", IMAGES,
     {"evaluation": "whole_batch", "samples": 60, "epochs": 100}),
    ("evaluation_bug", "wrong axis", IMAGES, {"evaluation": "wrong_axis"}),
    ("softmax_twice", "in training", IMAGES, {"loss": "softmax_twice", "epochs": 50}),
    ("softmax_twice", "in evaluation", IMAGES, {"evaluation": "softmax_twice", "epochs": 50}),
    ("other_loss_trained", "squares", IMAGES, {"loss": "brier", "evaluation": "cross_entropy"}),
    ("distribution_shift", "divided by 255 once more", IMAGES, {"val_scale": 1 / 255}),
    ("distribution_shift", "not divided", IMAGES, {"val_scale": 30.0}),
    ("distribution_shift", "sign", IMAGES, {"val_scale": -1.0}),
    ("label_noise", "40 %", IMAGES, {"noisy_labels": 0.4, "width": 256, "epochs": 60}),
    ("label_noise", "30 %, convolutions", IMAGES,
     {"noisy_labels": 0.3, "model": "cnn", "epochs": 80, "rate": 2e-3}),
    ("shuffled_labels", "memorised", IMAGES, {"unpaired": True, "width": 512, "epochs": 60}),
    ("rate_too_high", "adam", IMAGES, {"rate": 0.5}),
    ("rate_too_high", "explodes", IMAGES, {"optimizer": "nesterov", "rate": 30.0}),
    ("rate_too_high", "regression", NUMBERS, {"loss": "squares", "optimizer": "sgd", "rate": 5.0}),
    ("rate_too_low", "adam", IMAGES, {"rate": 1e-6}),
    ("rate_too_low", "descent", TABLES, {"optimizer": "sgd", "rate": 1e-4}),
    ("resumed", "at 100 times the rate", IMAGES,
     {"schedule": "jump", "optimizer": "nesterov", "rate": 0.02, "epochs": 50}),
    ("gradients_kept", "descent", IMAGES,
     {"keeps_gradients": True, "optimizer": "sgd", "rate": 0.1, "epochs": 40}),
    ("frozen", "parameters of another network", IMAGES, {"wrong_parameters": True}),
    ("gradient_sign", "ascends", IMAGES, {"ascends": True, "optimizer": "sgd", "rate": 0.05}),
    ("vanishing", "eight sigmoids", IMAGES, {"model": "deep_sigmoid", "optimizer": "sgd",
                                             "rate": 0.1}),
    ("unscaled", "inputs times 1000", IMAGES, {"scale": 1000.0, "optimizer": "nesterov",
                                               "rate": 0.05}),
    ("broadcast", "(n, 1) - (n,)", NUMBERS, {"loss": "squares", "broadcast": True, "epochs": 40}),
    ("targets", "not scaled", NUMBERS, {"loss": "squares", "target_scale": 1000.0,
                                        "optimizer": "sgd", "rate": 0.05}),
    ("log_of_zero", "in evaluation", IMAGES, {"evaluation": "log_of_zero"}),
    ("scale", "sum in training", IMAGES, {"factor": (64.0, 1.0)}),
    ("scale", "sum in validation", TABLES, {"factor": (1.0, 100.0)}),
    ("scale", "sums of both", IMAGES, {"factor": (32.0, 32.0), "augment": 0.3}),
    ("scale", "divided twice", IMAGES, {"factor": (1.0, 1 / 32)}),
    ("swapped", "columns", IMAGES, {"swapped": True, "samples": 80, "epochs": 80}),
    ("leak", "validation trained on", ("mixed", "mnist"),
     {"leak": 1.0, "samples": 150, "validation": 150, "noisy_labels": 0.3, "epochs": 120}),
    ("underfitting", "two units", IMAGES, {"model": "narrow", "epochs": 60, "rate": 5e-3}),
    ("underfitting", "linear", ("circles", "moons"), {"model": "linear", "rate": 0.02}),
    ("too_few_epochs", "four", IMAGES, {"epochs": 4}),
)  # fmt: skip


def labelled(repeat: int) -> Iterator[Labelled]:
    """Train and label all runs."""
    part = UNSEEN if repeat == 2 else OTHER
    for name, cause, recipe in recipes(repeat):
        curves, truth = train(recipe)
        classes = rows_of(recipe.data)[2]
        facts = Facts(cause, classes, recipe.epochs)
        said = label(facts, _in_fractions(curves) if recipe.percent else curves, truth)
        yield Labelled(f"{part}, {name}", part, cause, said.cause, said.codes, rounded(curves))


def _in_fractions(curves: Curves) -> Curves:
    return {
        name: [value / 100 for value in values] if "accuracy" in name else values
        for name, values in curves.items()
    }


def recipes(repeat: int) -> Iterator[tuple[str, str, Recipe]]:
    """Yield name, cause and recipe of all runs: on the first data, the second, and once more."""
    for cause, variant, data, changes in RUNS:
        chosen = data[min(repeat, 1)]
        name = f"{cause}: {variant}, {chosen} {repeat}"
        recipe = replace(Recipe(chosen), **changes, seed=zlib.crc32(name.encode()))
        if repeat == 2:
            recipe = replace(
                recipe,
                width=recipe.width * 3 // 2,
                batch=recipe.batch * 3 // 2,
                samples=recipe.samples * 5 // 4,
                validation=recipe.validation * 2 // 3,
                rate=recipe.rate * 1.3,
            )
        yield name, cause, recipe


def main() -> None:
    """Put the runs into the corpus, in place of those that were there."""
    others = [run for run in read() if run.part not in (OTHER, UNSEEN)]
    runs = [run for repeat in range(3) for run in labelled(repeat)]
    save([*others, *runs])
    told = sum(bool(run.codes) for run in runs)
    print(f"{len(runs)} runs, of {told} the curves can tell the cause")


if __name__ == "__main__":
    main()
