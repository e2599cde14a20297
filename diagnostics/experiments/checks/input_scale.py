"""The size of the inputs, and what large ones have done."""

from __future__ import annotations

import numpy as np

from diagnostics.experiments.checks.dead_units import dead_units
from diagnostics.experiments.checks.degenerate_predictions import class_collapse
from diagnostics.experiments.model.samples import as_rows
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, Severity, advice

# Standardised features have a root mean square of 1, pixels from 0 to 255 one of about 80.
LARGE_INPUT, LARGE_MEAN = 20.0, 5.0


def unnormalised_inputs(subject: Subject) -> Finding | None:
    """The size of the inputs is looked at."""
    rows = as_rows(subject.X)
    largest, mean = float(np.abs(rows).max()), float(np.sqrt((rows**2).mean()))
    if largest < LARGE_INPUT or mean < LARGE_MEAN:
        return None
    units = dead_units(subject)
    dead = units is not None and units.severity is not Severity.INFO
    # a forest does not mind; a network that answers one class may have died of it
    severity = Severity.WARNING if class_collapse(subject) is not None else Severity.INFO
    return Finding(
        severity=Severity.PROBLEM if dead else severity,
        message=(
            f"Inputs reach {largest:.4g}: networks train better on values of order one"
            + (", and large inputs drive hidden units dead, as they are here." if dead else ".")
        ),
        confidence=0.7,
        evidence={"largest input": largest, "root mean square": mean},
        causes=("pixels from 0 to 255, or features in large units, as they came",),
        steps=advice("Divide by the largest value, or standardise each feature, and train again."),
    )
