"""Experiments on a model: one function for each question, asked in this order.

First whether the evaluation is right (`evaluation`, `normalisation`, `reported`,
`loss_function`), then whether the answers have to do with the labels (`learning`) and the data
sets fit together (`datasets`), then whether the answers are as sure as they are right
(`confidence`).
"""

from diagnostics.probes import (  # isort: skip  (the order is the order of the experiments)
    evaluation,
    normalisation,
    reported,
    loss_function,
    learning,
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
    "learning",
    "loss_function",
    "normalisation",
    "probe",
    "reported",
]
