"""What the hidden layers of a model answer, where a way to them can be found.

Three ways, the first that leads to the model's own answers: the hooks of a ``torch.nn.Module``, a
list ``layers`` (each of which has ``forward`` or is callable), and weight matrices that chain from
the features to the classes, wherever the model keeps them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from diagnostics.experiments.model import torch_hooks, weight_chains
from diagnostics.experiments.model.hidden_activations import HiddenActivation, as_units, leads_to
from diagnostics.experiments.model.model_access import call_of, is_torch, list_of_layers, model_of
from diagnostics.history.table import Floats


def activations(predict: Any, X: Any, answers: Floats) -> list[HiddenActivation]:
    """Return what the hidden layers answer to the samples, nothing when there is no way to them.

    Layers that do not lead to ``answers``, the row-wise normalised probabilities that ``predict``
    gives, are not the whole model, and are not judged.
    """
    model = model_of(predict)
    if is_torch(model):
        return torch_hooks.activations(predict, model, X)
    passed = [] if model is None else _passed(model, X)
    if passed and leads_to(passed[-1].values, answers):
        return passed[:-1]
    return weight_chains.activations(predict, X, answers)


def _passed(model: Any, X: Any) -> list[HiddenActivation]:
    """The samples passed through the list of layers, one after the other."""
    seen, values = [], np.asarray(X)
    try:
        for index, layer in enumerate(list_of_layers(model)):
            before, values = values, np.asarray(call_of(layer)(values))
            # what merely brings samples into another shape has no units of its own
            if values.size != before.size or not np.array_equal(values.ravel(), before.ravel()):
                seen.append(
                    HiddenActivation(f"layer {index} ({type(layer).__name__})", as_units(values))
                )
    except Exception:  # noqa: BLE001  (the user's layers may want more than the samples)
        return []
    return seen
