"""What goes wrong in the runs of the corpus, and in which data sets and networks."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.runs.sources import REGRESSION, TUNED_ON
from benchmarks.runs.store import FRESH, HELD, TUNED
from benchmarks.runs.training import Setup

# The parts differ in data, depth, activation and optimiser. The fresh one was drawn last, when the
# rules were done; it has all the data sets, and two other networks.
NETWORKS: dict[tuple[str, bool], dict[str, Any]] = {
    (TUNED, True): {"hidden": (32,), "activation": "relu", "optimizer": "momentum"},
    (HELD, False): {"hidden": (40, 20), "activation": "tanh", "optimizer": "adam"},
    (FRESH, True): {"hidden": (24, 24), "activation": "tanh", "optimizer": "momentum"},
    (FRESH, False): {"hidden": (48,), "activation": "relu", "optimizer": "adam"},
}
SIZES = {"digits": 500, "wine": 90, "iris": 80, "alcohol": 110,
         "mnist": 900, "cancer": 250, "diabetes": 290}  # fmt: skip
IMAGES = ("digits", "mnist")


@dataclass(frozen=True)
class Fault:
    """One way to train: its cause, what it changes, where it makes sense, how often it is run."""

    cause: str
    variant: str
    changes: dict[str, Any]
    data: tuple[str, ...] = (*IMAGES, "wine", "cancer")
    seeds: int = 1


@dataclass(frozen=True)
class Case:
    """One run of the corpus."""

    name: str
    part: str
    cause: str
    setup: Setup


def _fault(cause: str, variant: str, data: tuple[str, ...] | None = None, seeds: int = 1,
           **changes: Any) -> Fault:  # fmt: skip
    return Fault(cause, variant, changes, data or Fault.data, seeds)


CLASSIFIED = ("digits", "wine", "iris", "mnist", "cancer")
FAULTS = (
    _fault("healthy", "plain", CLASSIFIED, 2, weight_decay=1e-3),
    _fault("healthy", "many samples", IMAGES, 4, samples=3000, epochs=15, lr=0.5),
    _fault("healthy", "large batches", CLASSIFIED, 2, batch=128, epochs=30, weight_decay=3e-3),
    _fault("healthy", "small validation set", CLASSIFIED, 2, validation=25, weight_decay=3e-3),
    _fault("healthy", "cautious", lr=0.15),
    _fault("healthy", "dropout", dropout=0.5, epochs=50, weight_decay=1e-3),
    _fault("healthy", "noisy inputs", input_noise=0.7, epochs=50),
    _fault("healthy", "warm restarts", schedule="restarts", epochs=60, weight_decay=3e-3),
    _fault("healthy", "cosine", CLASSIFIED, schedule="cosine"),
    _fault("healthy", "lowered rate", schedule="step", lr=1.5, weight_decay=3e-3),
    _fault("healthy", "warm-up", schedule="warmup"),
    _fault("healthy", "already converged", epochs=90, weight_decay=1e-2),
    _fault("healthy", "early plateau", IMAGES, init_scale=0.02, epochs=60, lr=0.8,
           hidden=(32, 32), weight_decay=1e-3),
    _fault("healthy", "regression", REGRESSION, 4, weight_decay=3e-2, lr=0.1, epochs=30),
    _fault("healthy", "twelve epochs", CLASSIFIED, epochs=12),
    _fault("healthy", "strong decay", weight_decay=3e-2),
    _fault("healthy", "squared error", IMAGES, 2, trained_loss="squared_error", lr=2.0,
           validation_loss="squared_error"),
    _fault("healthy", "small batches", batch=8, lr=0.2, weight_decay=3e-3),
    _fault("overfitting", "few samples", IMAGES, 3, samples=60, epochs=80, lr=2),
    _fault("overfitting", "wide", IMAGES, 2, samples=100, hidden=(256,), epochs=60, lr=2),
    _fault("overfitting", "ambiguous labels", IMAGES, 2, samples=200, input_noise=0.0,
           label_noise=0.1, epochs=60, hidden=(128,)),
    _fault("overfitting", "regression", REGRESSION, 4, samples=60, hidden=(128,), epochs=120,
           lr=1.0),
    _fault("overfitting", "few tabular samples", ("wine", "cancer"), 3, samples=30, epochs=120,
           lr=3),
    _fault("overconfidence", "long", IMAGES, 3, samples=1000, epochs=150, lr=3, hidden=(64,)),
    _fault("overconfidence", "long tabular", ("cancer", "iris"), 3, epochs=200, lr=4),
    _fault("overconfidence", "small validation set", IMAGES, 2, samples=700, epochs=150, lr=3,
           validation=100),
    _fault("evaluation_bug", "softmax over the batch", CLASSIFIED, 2, softmax="batch"),
    _fault("evaluation_bug", "softmax over batches of 50", IMAGES, 2, softmax="batch",
           evaluation_batch=50),
    _fault("evaluation_bug", "softmax over the batch, long", IMAGES, 2, softmax="batch", epochs=120,
           lr=2),
    _fault("evaluation_bug", "softmax over the batch, squared error", IMAGES, 2, softmax="batch",
           trained_loss="squared_error", lr=2),
    _fault("evaluation_bug", "softmax over columns", IMAGES, 2, softmax="column"),
    _fault("other_loss_trained", "squared error logged", (*IMAGES, "cancer", "wine"), 2,
           trained_loss="squared_error", lr=2),
    _fault("other_loss_hidden", "squared error, cross-entropy logged", IMAGES,
           trained_loss="squared_error", reported_loss="cross_entropy", lr=2),
    _fault("label_noise", "30 %", IMAGES, 3, label_noise=0.3, hidden=(256,), epochs=60),
    _fault("label_noise", "50 %", IMAGES, 2, label_noise=0.5, hidden=(256,), epochs=80),
    _fault("label_noise", "25 %, slow", IMAGES, 2, label_noise=0.25, hidden=(128,), epochs=150,
           lr=0.5),
    _fault("distribution_shift", "unscaled", shift="unscaled"),
    _fault("distribution_shift", "reversed", (*IMAGES, "cancer", "wine"), 2, shift="reversed"),
    _fault("distribution_shift", "negative", IMAGES, 2, shift="negative"),
    _fault("distribution_shift", "rolled", IMAGES, 2, shift="rolled"),
    _fault("shuffled_labels", "memorised", IMAGES, 3, shuffled=True, hidden=(256,), epochs=80),
    _fault("shuffled_labels", "never learned", (*IMAGES, "wine"), 2, shuffled=True, hidden=(8,),
           weight_decay=3e-2),
    _fault("rate_too_high", "swings", (*IMAGES, "wine", "cancer"), 2, lr=30),
    _fault("rate_too_high", "explodes", (*IMAGES, "wine", "cancer"), 2, lr=300,
           optimizer="momentum"),
    _fault("rate_too_high", "regression", REGRESSION, 2, lr=40, optimizer="momentum"),
    _fault("rate_too_low", "hundredth", CLASSIFIED, 2, lr=0.01),
    _fault("rate_too_low", "crawls", IMAGES, 2, lr=0.001),
    _fault("dead_units", "biases far below zero", CLASSIFIED, 2, bias=-30.0, activation="relu"),
    _fault("class_collapse", "one class dominates", ("cancer", "wine", *IMAGES), 2, dominant=0.95,
           lr=0.3, hidden=(4,), weight_decay=0.1, input_scale=0.3),
    _fault("log_of_zero", "half precision", IMAGES, 3, precision="float16", input_scale=6.0,
           epochs=60, samples=200),
    _fault("scale", "training summed over the batch", CLASSIFIED, 2, train_scale=32.0),
    _fault("scale", "validation summed", (*IMAGES, "cancer"), 2, validation_scale=64.0),
    _fault("scale", "validation divided twice", (*IMAGES, "cancer"), 2, validation_scale=1 / 50),
    _fault("scale", "regression", REGRESSION, 2, train_scale=32.0, weight_decay=3e-2, lr=0.15),
    _fault("ragged_batch", "mean of batch means", IMAGES, evaluation_batch=64),
    _fault("dropout_in_evaluation", "half", IMAGES, 2, dropout=0.5, evaluation_dropout=True),
    _fault("leak", "all", IMAGES, 2, leak=1.0, samples=300, label_noise=0.15, hidden=(256,),
           epochs=80),
    _fault("leak", "all, clean", IMAGES, 1, leak=1.0, samples=300, epochs=60),
    _fault("vanishing", "tiny weights", IMAGES, 2, init_scale=1e-3, hidden=(32, 32, 32),
           optimizer="momentum", lr=0.3),
    _fault("vanishing", "deep tanh", IMAGES, 1, init_scale=0.05, hidden=(16,) * 6,
           activation="tanh", optimizer="momentum", lr=0.3),
    _fault("frozen", "no update", (*IMAGES, "wine"), 2, lr=0.0),
    _fault("gradient_sign", "ascends", (*IMAGES, "cancer"), 2, gradient_sign=-1.0,
           optimizer="sgd", lr=0.5),
    _fault("swapped", "columns", IMAGES, 3, swapped=True, samples=100, epochs=60, lr=2),
    _fault("underfitting", "two units", IMAGES, 3, hidden=(2,), epochs=60),
    _fault("underfitting", "too strong decay", IMAGES, 2, weight_decay=0.3),
    _fault("underfitting", "too much dropout", IMAGES, 2, dropout=0.95, epochs=60),
    _fault("resumed", "at sixty times the rate", (*IMAGES, "cancer"), 2, schedule="resumed", lr=2),
    _fault("too_few_epochs", "five", CLASSIFIED, epochs=5),
)  # fmt: skip


def cases() -> Iterator[Case]:
    """Yield all runs of the corpus, always the same."""
    for part, of_tuned_data in NETWORKS:
        for fault in FAULTS:
            for data in fault.data:
                if (data in TUNED_ON) is of_tuned_data:
                    for repeat in range(fault.seeds):
                        yield _case(fault, data, repeat, part)


def _case(fault: Fault, data: str, repeat: int, part: str) -> Case:
    network = NETWORKS[part, data in TUNED_ON]
    changes = network | {"samples": SIZES[data]} | fault.changes
    base = 0.003 if changes["optimizer"] == "adam" else 0.02
    changes["learning_rate"] = base * changes.pop("lr", 1.0)
    hidden = fault.changes.get("hidden")
    # A fault that asks for a width keeps the depth of the network, save where width is the fault.
    if hidden is not None and len(hidden) == 1 and hidden != (2,) and len(network["hidden"]) == 2:
        changes["hidden"] = (*hidden, 32)
    name = f"{fault.cause}: {fault.variant}, {data} {repeat}"
    seed = zlib.crc32((name if part != FRESH else f"{FRESH} {name}").encode())
    return Case(f"{part}, {name}", part, fault.cause, replace(Setup(data), **changes, seed=seed))
