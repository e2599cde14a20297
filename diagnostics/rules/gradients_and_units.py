"""What logged internals tell: gradient norms and shares of dead units."""

from __future__ import annotations

import re

import numpy as np

from diagnostics.finding import Finding, Severity, advice, measure
from diagnostics.history.table import Floats
from diagnostics.rules.features.run import Run

_DEAD = re.compile(r"dead|dying|died|zero_?frac|inactive|sparsity", re.IGNORECASE)
_GRADIENT = re.compile(r"grad", re.IGNORECASE)
# Half of the units without output: capacity and gradient are halved.
MANY_DEAD = 0.5
# Ratio of the smallest to the largest gradient norm among layers, as in AUTOTRAINER (ICSE 2021).
VANISHING_RATIO = 1e-3
# Mean absolute gradients below this vanish in single precision beside weights of order one:
# an update of 1e-7 is the spacing of numbers near 1.
VANISHING_NORM = 1e-7


def _columns(run: Run, pattern: re.Pattern[str]) -> dict[str, Floats]:
    """Finite values of the columns whose name matches."""
    found = {}
    for name, values in run.history.columns.items():
        finite = values[np.isfinite(values)]
        if pattern.search(name) and len(finite) >= 3 and finite.any():
            found[name] = finite
    return found


def _last(values: Floats) -> float:
    return float(np.median(values[-max(3, len(values) // 10) :]))


def dead_units(run: Run) -> Finding | None:
    """A logged share of units gives no output any more."""
    shares = {
        name: _last(values)
        for name, values in _columns(run, _DEAD).items()
        if values.max() <= 1 and len(np.unique(values)) > 2
    }
    if not shares:
        return None
    worst = max(shares, key=lambda name: shares[name])
    if not run.exceeds(shares[worst], MANY_DEAD):
        return None
    return Finding(
        message=f"{shares[worst]:.0%} of the units are dead at the end (column {worst!r}).",
        confidence=0.9,
        evidence=shares,
        causes=("too high a learning rate pushed biases far below zero", "a poor initialisation"),
        steps=advice(
            measure("(activations(X_train) > 0).mean(axis=0)", "units at 0 are dead"),
            "Lower the learning rate; initialise with variance 2 / fan_in; use a leaky ReLU.",
        ),
    )


def vanishing_gradients(run: Run) -> Finding | None:
    """The gradient of one layer is a thousandth of another's, or nothing is left of it."""
    norms = {name: abs(_last(values)) for name, values in _columns(run, _GRADIENT).items()}
    if not norms:
        return None
    smallest = min(norms, key=lambda name: norms[name])
    ratio = norms[smallest] / max(norms.values()) if max(norms.values()) > 0 else 0.0
    gone = norms[smallest] < VANISHING_NORM and not _has_learned(run)
    uneven = len(norms) > 1 and run.exceeds(VANISHING_RATIO, max(ratio, 1e-300))
    if not gone and not uneven:
        return None
    return Finding(
        severity=Severity.PROBLEM if not _has_learned(run) else Severity.WARNING,
        message=f"The gradient vanishes: {smallest!r} ends at about {norms[smallest]:.2g}.",
        confidence=0.85,
        evidence=norms,
        causes=(
            "saturating activations (sigmoid, tanh) in a deep network",
            "weights initialised too small",
        ),
        steps=advice(
            measure("[np.abs(gradient).mean() for gradient in gradients]", "layer by layer"),
            "Use ReLU with variance 2 / fan_in, normalisation layers, or residual connections.",
        ),
    )


def _has_learned(run: Run) -> bool:
    """Whether the training loss fell to a tenth: gradients vanish at a minimum by right."""
    curve = run.train_loss
    return curve is not None and curve.end_level < 0.1 * curve.first
