"""Experiments on a model: one function for each question, asked in this order.

First whether the evaluation is right (`repetition`, `evaluation`, `normalisation`, `batches`,
`reported`, `descended`, `loss_function`), then whether the data sets fit together (`leaks`,
`inputs`), whether the answers have to do with the labels (`learning`, `labels`), whether the
network is alive (`answers`, `units`, `magnitude`), and last whether the answers are as sure as they
are right (`confidence`).
"""

from diagnostics.probes import (  # isort: skip  (the order is the order of the experiments)
    repetition,
    evaluation,
    normalisation,
    batches,
    reported,
    descended,
    loss_function,
    leaks,
    inputs,
    learning,
    labels,
    answers,
    units,
    magnitude,
    confidence,
)
from diagnostics.probes.investigation import investigate
from diagnostics.probes.registry import PROBES, Probe, probe

__all__ = [
    "PROBES",
    "Probe",
    "answers",
    "batches",
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
    "probe",
    "repetition",
    "reported",
    "units",
]
