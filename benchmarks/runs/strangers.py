"""Runs in the manner of strangers: other loops, other losses, other logs than the corpus had.

``python -m benchmarks.runs.strangers`` trains them and puts them into the corpus.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.runs import stranger_loops as loops
from benchmarks.runs import stranger_torch as networks
from benchmarks.runs.labels import Facts, label
from benchmarks.runs.store import STRANGE, Curves, Labelled, read, rounded, save

Logged = Callable[[Curves], Curves]


def _keras(c: Curves) -> Curves:
    return c


def _percent(c: Curves) -> Curves:
    return {"Epoch": [i + 1.0 for i in range(len(c["loss"]))], "Train Loss": c["loss"],
            "Train Acc (%)": [100 * a for a in c["accuracy"]], "Test Loss": c["val_loss"],
            "Test Acc (%)": [100 * a for a in c["val_accuracy"]]}  # fmt: skip


def _trainer(c: Curves) -> Curves:
    return {"step": [20.0 * (i + 1) for i in range(len(c["loss"]))], "loss": c["loss"],
            "eval_loss": c["val_loss"], "eval_accuracy": c["val_accuracy"]}  # fmt: skip


def _losses(c: Curves) -> Curves:
    return {"train_logloss": c["loss"], "valid_logloss": c["val_loss"]}


def _squares(c: Curves) -> Curves:
    return {"train_mse": c["loss"], "val_mse": c["val_loss"], "val_r2": c["val_accuracy"]}


def _only_losses(c: Curves) -> Curves:
    return {"loss": c["loss"], "val_loss": c["val_loss"]}


def _short(c: Curves) -> Curves:
    return {"trn_loss": c["loss"], "val_loss": c["val_loss"], "val_acc": c["val_accuracy"]}


# Cause, name, loop, data, samples of training and validation, how it is logged, what is set.
Entry = tuple[str, str, Callable[..., Any], str, int, int, Logged, dict[str, Any]]
NET = networks.epochs_of
RUNS: tuple[Entry, ...] = (
    ("healthy", "linear, chunks", loops.partial_fit, "digits", 900, 400, _short, {"alpha": 1e-2}),
    ("healthy", "linear, chunks, two classes", loops.partial_fit, "cancer", 350, 150, _keras,
     {"alpha": 0.05}),
    ("healthy", "linear, decreasing rate", loops.partial_fit, "mnist", 2000, 800, _percent,
     {"alpha": 0.1, "learning_rate": "invscaling", "eta0": 0.05}),
    ("healthy", "network, chunks", loops.network_partial_fit, "digits", 1000, 400, _keras,
     {"alpha": 1.0, "epochs": 25}),
    ("healthy", "trees", loops.boosted, "digits=8", 900, 500, _losses,
     {"epochs": 80, "learning_rate": 0.05, "max_depth": 2}),
    ("healthy", "trees, ten classes", loops.boosted, "digits", 900, 500, _short,
     {"epochs": 40, "learning_rate": 0.1, "max_depth": 2}),
    ("healthy", "linear regression", loops.regressor, "diabetes", 280, 140, _squares,
     {"alpha": 0.05, "eta0": 1e-3}),
    ("healthy", "linear regression, few rows", loops.regressor, "alcohol", 110, 60, _squares,
     {"alpha": 0.1, "eta0": 3e-3, "epochs": 60}),
    ("healthy", "whole batch, decreasing rate", loops.whole_batch, "digits", 800, 400, _keras,
     {"rate": 0.3, "decay": 0.02, "penalty": 0.01}),
    ("healthy", "whole batch, every tenth", loops.whole_batch, "mnist", 2000, 700, _percent,
     {"rate": 0.3, "epochs": 300, "every": 10, "penalty": 0.02}),
    ("healthy", "whole batch, wine", loops.whole_batch, "wine", 110, 60, _keras,
     {"rate": 0.3, "epochs": 150, "penalty": 0.05}),
    ("healthy", "by hand", loops.by_hand, "digits", 900, 300, _percent, {"decay": 0.2}),
    ("healthy", "by hand, one sigmoid each", loops.by_hand, "digits", 1000, 400, _keras,
     {"sigmoid": True, "decay": 0.3}),
    ("healthy", "by hand, dropout", loops.by_hand, "mnist", 2000, 600, _keras,
     {"keep": 0.5, "hidden": 60, "epochs": 25}),
    ("healthy", "by hand, single samples", loops.by_hand, "digits", 700, 300, _short,
     {"batch": 1, "rate": 0.02, "decay": 0.5, "epochs": 20}),
    ("healthy", "cyclic rate", NET, "digits", 1000, 400, _keras,
     {"schedule": "cyclic", "optimizer": "momentum", "rate": 0.05, "noise": 0.5, "decay": 1e-3}),
    ("healthy", "cyclic rate, high", NET, "mnist", 1500, 800, _percent,
     {"schedule": "cyclic", "optimizer": "sgd", "rate": 0.6, "noise": 0.8, "decay": 3e-3}),
    ("healthy", "warm restarts", NET, "digits", 1000, 500, _keras,
     {"schedule": "restarts", "rate": 4e-3, "noise": 0.5, "decay": 0.3, "epochs": 40}),
    ("healthy", "stopped early", NET, "mnist", 1500, 500, _keras, {"patience": 3, "epochs": 60,
                                                                  "noise": 0.3}),
    ("healthy", "fine-tuned, dropout", NET, "digits", 700, 300, _keras,
     {"warm": 6, "model": "dropout", "rate": 3e-4, "epochs": 15}),
    ("healthy", "fine-tuned, by steps", NET, "mnist", 1500, 500, _trainer,
     {"warm": 3, "rate": 2e-4, "schedule": "linear", "epochs": 4, "every": 10, "noise": 0.5}),
    ("healthy", "by steps", NET, "digits", 1200, 400, _trainer,
     {"model": "residual", "rate": 1e-3, "schedule": "linear", "epochs": 8, "every": 15,
      "noise": 0.4}),
    ("healthy", "heavy dropout", NET, "mnist", 1500, 600, _keras, {"model": "dropout"}),
    ("healthy", "smoothed labels", NET, "digits", 1000, 400, _keras,
     {"loss": "smooth", "check": "ce", "epochs": 25, "noise": 0.5}),
    ("healthy", "class weights", NET, "digits", 1000, 400, _keras,
     {"loss": "weighted", "check": "ce", "noise": 0.6, "decay": 0.2}),
    ("healthy", "40 validation samples", NET, "digits", 1000, 40, _keras, {"noise": 0.6}),
    ("healthy", "25 validation samples", NET, "wine", 110, 25, _keras,
     {"noise": 0.5, "decay": 1.0, "epochs": 40}),
    ("healthy", "two classes, one output", NET, "digits=3", 1000, 400, _keras,
     {"loss": "bce", "noise": 0.6, "epochs": 20, "decay": 0.5}),
    ("healthy", "rare class, one output", NET, "mnist=4", 2000, 800, _percent,
     {"loss": "bce", "noise": 0.7, "epochs": 15, "decay": 0.5}),
    ("healthy", "regression", NET, "diabetes", 280, 140, _squares,
     {"loss": "mse", "model": "thin", "noise": 0.4, "rate": 3e-3, "decay": 1.0}),
    ("healthy", "regression, huber", NET, "alcohol", 110, 60, _only_losses,
     {"loss": "huber", "model": "thin", "noise": 0.5, "rate": 5e-3, "decay": 1.0, "epochs": 40}),
    ("healthy", "recurrent", NET, "mnist", 1500, 600, _keras,
     {"model": "recurrent", "rate": 4e-3, "noise": 0.3, "epochs": 15}),
    ("healthy", "convolutions, batch norm", NET, "digits", 1000, 400, _percent,
     {"model": "conv", "rate": 5e-3, "schedule": "exponential", "epochs": 20}),
    ("healthy", "adagrad", NET, "cancer", 350, 150, _keras,
     {"optimizer": "adagrad", "rate": 0.01, "noise": 0.5, "decay": 0.05}),
    ("overfitting", "network, chunks", loops.network_partial_fit, "digits", 90, 500, _keras,
     {"alpha": 0.0, "hidden_layer_sizes": (200,), "epochs": 200, "learning_rate_init": 5e-3}),
    ("overfitting", "trees", loops.boosted, "cancer", 60, 300, _losses,
     {"epochs": 200, "learning_rate": 0.3, "max_depth": 3}),
    ("overfitting", "trees, diabetes-like", loops.boosted, "digits=8", 80, 600, _short,
     {"epochs": 150, "learning_rate": 0.3}),
    ("overfitting", "by hand", loops.by_hand, "mnist", 60, 600, _percent,
     {"hidden": 100, "epochs": 150, "rate": 0.3, "decay": 0.0}),
    ("overfitting", "regression", NET, "diabetes", 60, 200, _squares,
     {"loss": "mse", "model": "wide", "epochs": 150, "rate": 2e-3}),
    ("overfitting", "by steps", NET, "mnist", 100, 500, _trainer,
     {"model": "wide", "epochs": 120, "every": 8, "rate": 3e-3}),
    ("overfitting", "recurrent", NET, "mnist", 150, 500, _keras,
     {"model": "recurrent", "epochs": 80, "rate": 1e-2}),
    ("overconfidence", "restarts", NET, "mnist", 1200, 600, _keras,
     {"schedule": "restarts", "epochs": 120, "rate": 5e-3, "model": "wide"}),
    ("overconfidence", "one output", NET, "cancer", 300, 200, _keras,
     {"loss": "bce", "epochs": 200, "rate": 5e-3}),
    ("evaluation_bug", "whole batch", loops.whole_batch, "digits", 800, 400, _keras,
     {"wrong": "batch", "rate": 0.3, "decay": 0.02}),
    ("evaluation_bug", "columns", loops.whole_batch, "mnist", 1500, 400, _percent,
     {"wrong": "column", "rate": 0.3}),
    ("evaluation_bug", "by hand", loops.by_hand, "digits", 900, 300, _short, {"wrong": "batch"}),
    ("evaluation_bug", "by steps", NET, "mnist", 1500, 300, _trainer,
     {"check": "batch", "epochs": 10, "every": 20, "schedule": "linear"}),
    ("evaluation_bug", "recurrent", NET, "digits", 900, 250, _percent,
     {"check": "batch", "model": "recurrent", "rate": 4e-3}),
    ("evaluation_bug", "convolutions, columns", NET, "mnist", 1500, 300, _keras,
     {"check": "columns", "model": "conv", "rate": 5e-3}),
    ("evaluation_bug", "restarts", NET, "wine", 110, 60, _keras,
     {"check": "batch", "schedule": "restarts", "rate": 5e-3, "epochs": 50}),
    ("softmax_twice", "convolutions", NET, "digits", 1000, 400, _percent,
     {"loss": "twice", "model": "conv", "rate": 5e-3, "epochs": 40}),
    ("scale", "sum over the batch", NET, "digits", 900, 400, _keras,
     {"loss": "sum", "check": "ce", "rate": 1e-3}),
    ("scale", "sum over the set", loops.whole_batch, "digits", 800, 400, _percent,
     {"wrong": "sum", "rate": 0.3}),
    ("rate_too_high", "linear", loops.network_partial_fit, "digits", 900, 400, _keras,
     {"solver": "sgd", "learning_rate_init": 3.0, "momentum": 0.9}),
    ("rate_too_high", "whole batch", loops.whole_batch, "mnist", 1000, 500, _percent, {"rate": 40}),
    ("rate_too_high", "adam, by steps", NET, "mnist", 1500, 500, _trainer,
     {"rate": 0.3, "epochs": 12, "every": 20}),
    ("rate_too_high", "recurrent", NET, "digits", 900, 400, _keras,
     {"model": "recurrent", "rate": 0.3}),
    ("rate_too_high", "regression", NET, "diabetes", 280, 140, _squares,
     {"loss": "mse", "optimizer": "momentum", "rate": 0.8}),
    ("rate_too_low", "by hand", loops.by_hand, "digits", 900, 300, _percent, {"rate": 3e-5}),
    ("rate_too_low", "recurrent", NET, "mnist", 1500, 500, _keras,
     {"model": "recurrent", "optimizer": "sgd", "rate": 1e-4}),
    ("frozen", "by hand", loops.by_hand, "mnist", 1000, 500, _keras, {"wrong": "frozen"}),
    ("frozen", "stray parameters, by steps", NET, "digits", 1000, 400, _trainer,
     {"stray": True, "epochs": 12, "every": 20}),
    ("gradient_sign", "by hand", loops.by_hand, "digits", 900, 300, _percent, {"wrong": "ascent"}),
    ("gradient_sign", "whole batch", loops.whole_batch, "wine", 110, 60, _keras,
     {"sign": 1.0, "rate": 0.1}),
    ("dead_units", "relu", NET, "mnist", 1000, 500, _keras, {"model": "dead", "optimizer": "sgd",
                                                             "rate": 0.05}),
    ("gradients_kept", "momentum", NET, "digits", 900, 400, _percent,
     {"accumulates": True, "optimizer": "momentum", "rate": 0.1, "epochs": 40}),
    ("log_of_zero", "in evaluation", NET, "mnist", 1000, 400, _keras, {"check": "log"}),
    ("label_noise", "by hand", loops.by_hand, "digits", 700, 500, _percent,
     {"labels": 0.4, "hidden": 150, "epochs": 120, "rate": 0.3, "decay": 0.0}),
    ("label_noise", "wide, by steps", NET, "mnist", 600, 500, _keras,
     {"labels": 0.35, "model": "wide", "epochs": 80, "rate": 3e-3}),
    ("shuffled_labels", "memorised", NET, "digits", 500, 500, _keras,
     {"labels": 1.0, "model": "wide", "epochs": 80, "rate": 3e-3}),
    ("distribution_shift", "validation in other units", NET, "digits", 900, 400, _keras,
     {"shift": 40.0}),
    ("distribution_shift", "validation negative", loops.by_hand, "mnist", 1500, 500, _percent,
     {"shift": -1.0}),
    ("underfitting", "strong penalty", loops.network_partial_fit, "mnist", 1000, 500, _keras,
     {"alpha": 3e3, "epochs": 40}),
    ("swapped", "columns", NET, "mnist", 120, 500, _keras,
     {"exchange": True, "model": "wide", "epochs": 80, "rate": 3e-3}),
)  # fmt: skip


def labelled() -> Iterator[Labelled]:
    """Train and label all runs."""
    for cause, variant, loop, data, samples, validation, logged, changes in RUNS:
        name = f"{cause}: {variant}, {data}"
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        options = dict(changes)
        noisy, shift = options.pop("labels", 0.0), options.pop("shift", 1.0)
        exchange = options.pop("exchange", False)
        sets = loops.draw(data, samples, validation, rng)
        X, y = sets.train
        wrong = rng.random(len(y)) < noisy
        sets.train = X, np.where(wrong, rng.permutation(y), y) if noisy else y
        sets.val = shift * sets.val[0], sets.val[1]
        with np.errstate(all="ignore"):
            rows = np.array(list(loop(sets, rng, **options)), dtype=np.float64).T.tolist()
        curves = dict(zip(("loss", "accuracy", "val_loss", "val_accuracy"), rows, strict=False))
        truth = {"loss": rows[4], "accuracy": rows[5]}
        if exchange:
            curves = dict(zip(curves, (rows[2], rows[3], rows[0], rows[1]), strict=True))
        classes = 0 if logged in (_squares, _only_losses) else sets.classes
        said = label(Facts(cause, classes, len(rows[0])), curves, truth)
        yield Labelled(name, STRANGE, cause, said.cause, said.codes, rounded(logged(curves)))
    yield from _without_labels()


def _without_labels() -> Iterator[Labelled]:
    """Sound runs whose losses need not fall."""
    for seed in range(2):
        rng = np.random.default_rng(seed)
        sets = loops.draw("digits", 900, 400, rng)
        for kind, curves in (
            ("two networks against one another", networks.adversarial(rng)),
            ("policy gradient", networks.reinforced(rng)),
            ("autoencoder, three losses", networks.autoencoder(sets, rng)),
        ):
            name = f"healthy: {kind}, {seed}"
            yield Labelled(name, STRANGE, "healthy", "healthy", (), rounded(curves))


def main() -> None:
    """Put the runs into the corpus, in place of those that were there."""
    others = [run for run in read() if run.part != STRANGE]
    runs = list(labelled())
    save([*others, *runs])
    told = sum(bool(run.codes) for run in runs)
    print(f"{len(runs)} runs, of {told} the curves can tell the cause")


if __name__ == "__main__":
    main()
