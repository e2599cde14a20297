"""Experiments on a model: one function for each question, asked in this order.

First whether the evaluation is right (`repetition`, `evaluation`, `normalisation`, `batches`,
`reported`, `descended`, `loss_function`), then whether the data sets fit together (`leaks`,
`inputs`), whether the answers have to do with the labels (`learning`, `labels`), whether the
network is alive (`answers`, `units`, `magnitude`), and last whether the answers are as sure as they
are right (`confidence`).
"""

from diagnostics.experiments.checks import (  # noqa: F401 # isort: skip (the order of the experiments)
    determinism,
    batch_coupling,
    softmax_twice,
    batch_averaging,
    reported_metrics,
    trained_loss,
    loss_function,
    train_val_overlap,
    distribution_shift,
    label_association,
    label_noise,
    degenerate_predictions,
    dead_units,
    input_scale,
    confidence,
)
from diagnostics.experiments.investigation import investigate
from diagnostics.experiments.registry import CHECKS, Check, check

__all__ = [
    "CHECKS",
    "Check",
    "answers",
    "batches",
    "check",
    "confidence",
    "descended",
    "evaluation",
    "inputs",
    "investigate",
    "labels",
    "leaks",
    "learning",
    "loss_function",
    "magnitude",
    "normalisation",
    "repetition",
    "reported",
    "units",
]
