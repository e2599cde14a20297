"""The hidden units of a network that shows nothing but its weights.

Hand-written networks keep matrices in variables, attributes, lists or dictionaries. Those that
chain from the features to the classes are multiplied again, with every usual activation in turn:
it is the model's own forward pass if, and only if, it leads to the model's own answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from diagnostics.experiments.model.hidden_activations import HiddenActivation, leads_to
from diagnostics.experiments.model.model_access import attributes, behind, variables
from diagnostics.experiments.model.samples import as_rows
from diagnostics.history.table import Floats

ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-np.clip(z, -500, 500))),
    "leaky relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "identity": lambda z: z,
}
# Samples that show whether a chain is the model.
ENOUGH = 20
# Chains that are tried, and containers that are looked into: gradients are kept beside weights.
MOST_CHAINS, DEEPEST = 200, 3

Chain = list[tuple[Floats, Floats]]  # weights (inputs, outputs) and bias (outputs,) of each layer


def activations(predict: Any, X: Any, answers: Floats) -> list[HiddenActivation]:
    """Return what the hidden layers answer, nothing where no chain of matrices is the model."""
    try:
        rows = as_rows(X)
    except ValueError:
        return []
    for group in map(_arrays, _holders(predict)):
        for chain in islice(_chains(list(group), rows.shape[1], answers.shape[1]), MOST_CHAINS):
            for name, function in ACTIVATIONS.items():
                if leads_to(_pass(chain, function, rows[:ENOUGH])[-1], answers[:ENOUGH]):
                    hidden = _pass(chain, function, rows)[:-1]
                    return [HiddenActivation(f"hidden layer {i} ({name})", values)
                            for i, values in enumerate(hidden, start=1)]  # fmt: skip
    return []


def _holders(predict: Any) -> Iterator[Any]:
    """What keeps arrays that belong together: the variables of a function, or one object."""
    for thing in behind(predict):
        yield variables(thing)
        yield thing if isinstance(thing, (list, tuple, Mapping)) else attributes(thing)


def _arrays(holder: Any, depth: int = 0) -> Iterator[Floats]:
    """The arrays of numbers in a holder, in lists and dictionaries in it too, in their order."""
    for value in holder.values() if isinstance(holder, Mapping) else holder:
        if isinstance(value, (list, tuple, Mapping)) and depth < DEEPEST:
            yield from _arrays(value, depth + 1)
        elif isinstance(value, np.ndarray) and value.ndim in (1, 2) and value.dtype.kind == "f":
            yield value


def _chains(arrays: list[Floats], features: int, classes: int) -> Iterator[Chain]:
    """Matrices in their order that lead from the features to the classes, either way round."""
    matrices = [array for array in arrays if array.ndim == 2]
    for turned in (matrices, [W.T for W in matrices]):
        for path in _paths(turned, features, classes):
            left = list(arrays)
            yield [(W, _bias(left, W.shape[1])) for W in path]


def _paths(matrices: list[Floats], width: int, classes: int) -> Iterator[list[Floats]]:
    """Every way through some of the matrices, in their order, of at least one hidden layer."""
    for place, W in enumerate(matrices):
        if len(W) != width:
            continue
        for path in _paths(matrices[place + 1 :], W.shape[1], classes):
            yield [W, *path]
        if W.shape[1] in (classes, 1):
            yield [W]


def _bias(left: list[Floats], width: int) -> Floats:
    """The first vector of this length that is not taken yet, zeros where there is none."""
    for place, array in enumerate(left):
        if array.size == width and max(array.shape) == width:
            return left.pop(place).ravel()
    return np.zeros(width)


def _pass(chain: Chain, function: Callable[[Floats], Floats], X: Floats) -> list[Floats]:
    """The outputs of all layers, the last one without activation."""
    seen = []
    for place, (W, b) in enumerate(chain):
        X = X @ W + b
        if place < len(chain) - 1:
            X = function(X)
        seen.append(X)
    return seen
