"""Networks whose backward computes its own loss gradient: ``forward(X)``, ``backward(X, y)``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.conventions import layer as layers_adapter
from gradcheck.adapters.conventions import value_and_grad
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.call_conventions import UNIT_RATE, BackwardCall, BackwardResult
from gradcheck.adapters.signatures.gradient_alignment import required_names
from gradcheck.adapters.signatures.methods import (
    Names,
    backward_of,
    find_method,
    forward_of,
    method_of,
)
from gradcheck.adapters.signatures.name_tables import (
    BACKWARD_NAMES,
    FORWARD_NAMES,
    LOSS_METHODS,
    OUTPUT_NAMES,
    SIZE_NAMES,
    is_rate,
    is_target,
)
from gradcheck.formulas import loss_identification, losses
from gradcheck.state import StateSnapshot
from gradcheck.target import Target, TargetError, is_scalar


def matches(thing: Any) -> bool:
    """Whether the backward of ``thing`` asks for targets that its forward knows nothing of."""
    if isinstance(thing, type) or not hasattr(thing, "__dict__"):
        return False
    if not layers_adapter.matches(thing):
        return find_method(thing, LOSS_METHODS) is not None
    taken, wanted = (
        required_names(m) if m else None for m in (forward_of(thing), backward_of(thing))
    )
    return (
        taken is not None
        and wanted is not None
        and len(taken) == 1
        and not is_target(taken[0])
        and any(map(is_target, wanted))
    )


def adapt(network: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of a network and its loss, its own or the one that its gradients descend.

    Raises
    ------
    TargetError
        If the gradients are not those of any loss that is known.
    """
    if not layers_adapter.matches(network):
        return value_and_grad.adapt(method_of(network, LOSS_METHODS), arguments, params)
    if len(arguments) != 2:
        return layers_adapter.adapt(network, arguments, params)
    snapshot = StateSnapshot([network, *arguments])
    wanted = required_names(method_of(network, BACKWARD_NAMES)) or []
    forward = method_of(network, FORWARD_NAMES)
    names = [*(required_names(forward) or ["X"]), next(filter(is_target, wanted))]
    values = Inputs.of(lambda X, y: None, arguments).values
    inputs = Inputs(dict(zip(names, values.values(), strict=True)))
    with snapshot.guarded():
        own = _own_loss(network, inputs)
        snapshot.restore(everything=True)
        adapter = _Monolith(network, inputs, snapshot, params, loss=own)
        if own is None:
            _descend(adapter)
        target = adapter.target()
    if own is None:
        target.name = f"{type(network).__name__}, taken to descend {adapter.loss_name}"
    return target


def _descend(adapter: _Monolith) -> None:
    """Find the loss whose gradients the network's backward claims, and put it at the end."""
    network = type(adapter.layer).__name__
    claims = adapter.claims()
    found = loss_identification.identify(
        adapter.predictions, adapter.base, claims, adapter.target_values
    )
    adapter.snapshot.restore(everything=True)
    if found is None:
        raise TargetError(
            f"{network}: the gradients that its backward leaves are not those of any loss that is "
            f"tried ({', '.join(losses.NAMES)}), and it shows no loss of its own. Say "
            "which it is, in three lines:\n"
            "    def loss(y_pred, y): ...\n"
            f"    {network}.compute_loss = lambda self, y_pred, y: loss(y_pred, y)\n"
            "    gradcheck.check(net, X, y)"
        )
    adapter.loss, adapter.loss_name = lambda prediction, _: found.value(prediction), found.name


def _own_loss(network: Any, inputs: Inputs) -> Callable[[Any, Any], Any] | None:
    """Return ``loss(prediction, targets)`` by a method of the network, None if it has none."""
    method = find_method(network, LOSS_METHODS)
    held = getattr(network, "cost", None) or getattr(network, "loss", None)
    if method is None:
        method = find_method(held, ("fn", "forward", "loss", "value", "__call__"))
    if method is None:
        return None
    wanted = required_names(method) or []
    data = inputs.names[0]

    def loss(prediction: Any, targets: Any) -> Any:
        known = {"prediction": prediction, "targets": targets}
        known["data"] = inputs.values[data]
        return method(*(known[_meaning(name, data)] for name in wanted))

    prediction = method_of(network, FORWARD_NAMES)(inputs.values[data])
    try:
        value = loss(prediction, list(inputs.values.values())[1])
    except Exception:  # noqa: BLE001 (a method meant for something else may raise anything)
        return None
    return loss if is_scalar(value) else None


def _meaning(name: str, data: str) -> str:
    if is_target(name):
        return "targets"
    return "data" if name in (data, "X", "x", "inputs") else "prediction"


class _Monolith(layers_adapter.LayerAdapter):
    """A network with a loss at its end, and a backward that begins at the targets."""

    def __init__(
        self,
        layer: Any,
        inputs: Inputs,
        snapshot: StateSnapshot,
        params: Any,
        loss: Callable[[Any, Any], Any] | None,
    ) -> None:
        self.loss = loss or _some_number
        self.loss_name = ""
        self.prediction: Any = None
        super().__init__(layer, inputs, snapshot, params, Names.of(layer))
        self.unit_cotangent = True

    @property
    def target_values(self) -> Any:
        """The targets of the loss."""
        return self.inputs.values[self.inputs.names[1]]

    def predictions(self, tensors: dict[str, Array]) -> Array:
        """Return the network's own output with its parameters at ``tensors``."""
        self.snapshot.restore()
        self._write_parameters(tensors)
        arguments = self.inputs.arguments(tensors)
        with np.errstate(all="ignore"):
            return np.array(method_of(self.layer, FORWARD_NAMES)(arguments[0]))

    def claims(self) -> dict[str, Array]:
        """Return the gradients that the backward claims."""
        self.snapshot.restore(everything=True)
        run = self.run(self.base)
        claimed = run.pullback((np.ones(()),))
        return {name: np.array(gradient, dtype=np.float64) for name, gradient in claimed.items()}

    def _forward(self, arguments: Sequence[Any]) -> BackwardResult:
        self.prediction = method_of(self.layer, FORWARD_NAMES)(arguments[0])
        return BackwardResult.of(np.asarray(self.loss(self.prediction, arguments[1])))

    def _pull(self, call: BackwardCall) -> Any:
        backward = self._backward()
        return backward(*(self._argument(name, call) for name in required_names(backward) or ()))

    def _argument(self, name: str, call: BackwardCall) -> Any:
        if is_target(name):
            return call.inputs[1]
        if name.lower() in OUTPUT_NAMES:
            return self.prediction
        if is_rate(name):
            return UNIT_RATE
        return len(call.inputs[0]) if name in SIZE_NAMES else call.inputs[0]

    def _rate(self) -> float:
        """Return the learning rate of an update; one that is written out is part of the loss."""
        return super()._rate() or 1.0


def _some_number(prediction: Any, targets: Any) -> float:
    """Return some number, while the loss is not known."""
    return float(np.sum(prediction))
