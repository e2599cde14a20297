"""Experiments on a model: one function for each question, asked in this order.

First whether the evaluation is right (`evaluation`, `loss_function`), then whether the data sets
fit together (`datasets`), then whether the answers are as sure as they are right (`confidence`).
"""

from diagnostics.probes import (  # isort: skip  (the order is the order of the experiments)
    evaluation,
    loss_function,
    datasets,
    confidence,
)
from diagnostics.probes.investigation import investigate
from diagnostics.probes.registry import PROBES, Probe, probe

__all__ = [
    "PROBES",
    "Probe",
    "confidence",
    "datasets",
    "evaluation",
    "investigate",
    "loss_function",
    "probe",
]
