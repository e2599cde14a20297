"""What the layers of a model answer, where a way to them can be found.

A way is found for a model with a list ``layers`` (each of which has ``forward`` or is callable), a
``torch.nn.Module``, and scikit-learn's ``MLPClassifier``; whether it is the model itself, the
owner of the bound method that predicts, or used by the function that does.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from diagnostics.table import Floats

# A forward pass by hand is the model's own when its answers agree this well.
SAME = 1e-3
# The names that scikit-learn gives to activations.
ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "identity": lambda z: z,
}


@dataclass(frozen=True)
class Activation:
    """The output of one layer for all samples, one row each."""

    name: str
    values: Floats


def model_of(predict: Any) -> Any:
    """Return the first object behind a prediction function that shows its layers, or None."""
    return next((thing for thing in behind(predict) if _shows_layers(thing)), None)


def behind(predict: Any) -> Iterator[Any]:
    """Yield a function, its owner, and what it refers to, where a model may be found.

    Parameters
    ----------
    predict
        A function, a bound method, a `functools.partial`, or the model itself.
    """
    yield predict
    if hasattr(predict, "__self__"):
        yield predict.__self__
    function = getattr(predict, "__func__", predict)
    if inspect.isfunction(function):
        used = inspect.getclosurevars(function)
        for thing in (*used.nonlocals.values(), *used.globals.values()):
            yield thing
            yield getattr(thing, "__self__", None)
    if hasattr(predict, "func"):  # functools.partial
        yield from behind(predict.func)
        yield from predict.args


def _shows_layers(thing: Any) -> bool:
    """Whether the layers of this object can be looked into."""
    if inspect.isclass(thing) or inspect.ismodule(thing):
        return False
    return _is_torch(thing) or _is_perceptron(thing) or bool(_list_of_layers(thing))


def _is_torch(thing: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(thing, torch.nn.Module)


def _is_perceptron(thing: Any) -> bool:
    """Whether this is scikit-learn's fitted perceptron."""
    return all(hasattr(thing, name) for name in ("coefs_", "intercepts_", "activation"))


def _list_of_layers(thing: Any) -> list[Any]:
    """The layers of a model that holds them in a list."""
    layers = getattr(thing, "layers", None)
    if not isinstance(layers, (list, tuple)):
        return []
    return list(layers) if all(_call(layer) is not None for layer in layers) else []


def _call(layer: Any) -> Any:
    """How a layer is asked: by ``forward``, or called."""
    return getattr(layer, "forward", None) or (layer if callable(layer) else None)


def in_training(model: Any) -> bool:
    """Whether a module of torch is in training mode; of others, predict may see to it itself."""
    return _is_torch(model) and bool(model.training)


def activations(predict: Any, X: Any, answers: Floats) -> list[Activation] | None:
    """Return what the hidden layers answer to the samples, None when there is no way to them.

    Parameters
    ----------
    predict
        From samples to answers.
    X
        Samples.
    answers
        Row-wise normalised probabilities that ``predict`` gives: layers that do not lead there are
        not the whole model, and are not judged.
    """
    model = model_of(predict)
    if model is None:
        return None
    if _is_torch(model):
        return _hooked(predict, model, X)
    passed = _perceptron(model, X) if _is_perceptron(model) else _passed(model, X)
    if not passed or not _leads_to(passed[-1].values, answers):
        return None
    return passed[:-1]


def _hooked(predict: Any, model: Any, X: Any) -> list[Activation]:
    """Outputs of the modules of torch without children, but the last, in the order of their use."""
    seen: list[Activation] = []

    def record(name: str) -> Any:
        def hook(_module: Any, _inputs: Any, output: Any) -> None:
            if hasattr(output, "detach"):
                seen.append(Activation(name, _units(output.detach().cpu().numpy())))

        return hook

    leaves = [(n, m) for n, m in model.named_modules() if not list(m.children())]
    handles = [m.register_forward_hook(record(f"{n} ({type(m).__name__})")) for n, m in leaves]
    try:
        predict(X)
    finally:
        for handle in handles:
            handle.remove()
    return seen[:-1]


def _passed(model: Any, X: Any) -> list[Activation]:
    """The samples passed through the list of layers, one after the other."""
    seen, values = [], np.asarray(X)
    try:
        for index, layer in enumerate(_list_of_layers(model)):
            values = np.asarray(_call(layer)(values))
            seen.append(Activation(f"layer {index} ({type(layer).__name__})", _units(values)))
    except Exception:  # noqa: BLE001  (a stranger's layers may want more than the samples)
        return []
    return seen


def _perceptron(model: Any, X: Any) -> list[Activation]:
    """The forward pass of scikit-learn's perceptron."""
    activation = ACTIVATIONS[model.activation]
    seen, values = [], np.asarray(X, dtype=np.float64)
    for index, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        values = values @ W + b
        if index < len(model.coefs_) - 1:
            values = activation(values)
        seen.append(Activation(f"hidden layer {index + 1} ({model.activation})", values))
    return seen


def _units(values: Any) -> Floats:
    """One row for each observation of a unit: positions of an image are observations too."""
    values = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if values.ndim == 4:  # samples, channels, height, width
        values = np.moveaxis(values, 1, -1)
    return np.asarray(values.reshape(-1, values.shape[-1]))


def _leads_to(last: Floats, answers: Floats) -> bool:
    """Whether the last layer's answer is the model's, as probabilities or as logits."""
    if last.shape[1] == 1:
        p = 1 / (1 + np.exp(-last))
        return any(np.allclose(q[:, 0], answers[:, 1], atol=SAME) for q in (last, p))
    if last.shape != answers.shape:
        return False
    e = np.exp(last - last.max(axis=1, keepdims=True))
    softmax = e / e.sum(axis=1, keepdims=True)
    return bool(np.allclose(last, answers, atol=SAME) or np.allclose(softmax, answers, atol=SAME))
