"""Are the hidden units alive? A unit that answers the same to all samples carries nothing."""

from __future__ import annotations

import numpy as np

from diagnostics.experiments.checks.degenerate_predictions import class_collapse
from diagnostics.experiments.model.hidden_activations import HiddenActivation
from diagnostics.experiments.model.hidden_layers import activations
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, Severity, advice

# A share of a layer that is dead: worth a word, a warning; all of it leaves nothing to learn from.
SOME, MANY, ALL = 0.2, 0.5, 0.999
# Values that differ by less than this share of the layer's largest are one value.
CONSTANT = 1e-6
# So many samples show whether a unit ever answers.
FEWEST, MOST = 30, 2000


def dead_units(subject: Subject) -> Finding | None:
    """The samples are passed through the layers, and units that never change are counted."""
    if len(subject.y) < FEWEST:
        return None
    seen = activations(subject.predict, subject.X[:MOST], subject.predictions.probabilities[:MOST])
    if not seen:
        return None
    shares = [float(constant(layer).mean()) for layer in seen]
    worst = int(np.argmax(shares))
    share, layer = shares[worst], seen[worst]
    if share < SOME:
        return None
    zero = bool(np.all(layer.values[:, constant(layer)] == 0))
    state = "answer 0 to every sample" if zero else "answer the same to every sample"
    units = layer.values.shape[1]
    return Finding(
        severity=_severity(subject, share),
        message=f"{share:.0%} of the {units} units of {layer.name} {state}: they are dead.",
        confidence=0.95,
        evidence={
            "layer": layer.name,
            "dead units": int(constant(layer).sum()),
            "share": share,
            "samples": len(layer.values),
            "shares by layer": ", ".join(
                f"{other.name}: {part:.0%}" for other, part in zip(seen, shares, strict=True)
            ),
        },
        causes=(
            "a learning rate so high that a step pushed the biases far below zero",
            "inputs that are not normalised, or initial weights that are too large",
            "saturated sigmoid or tanh units" if not zero else "all inputs of the units are zero",
        ),
        steps=advice(
            "Start again with a learning rate ten times lower and He initialisation.",
            "Or use a leaky ReLU, whose gradient never vanishes.",
        ),
    )


def _severity(subject: Subject, share: float) -> Severity:
    """How much dead units matter: most where nothing comes through any more."""
    if share > ALL or (share > MANY and class_collapse(subject) is not None):
        return Severity.PROBLEM
    return Severity.WARNING if share > MANY else Severity.INFO


def constant(layer: HiddenActivation) -> np.ndarray:
    """Return which units answer the same to all samples."""
    largest = max(float(np.abs(layer.values).max()), 1e-300)
    return np.asarray(np.ptp(layer.values, axis=0) <= CONSTANT * largest)
