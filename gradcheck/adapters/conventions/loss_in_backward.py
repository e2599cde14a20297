"""Networks whose backward computes its own loss gradient: ``forward(X)``, ``backward(X, y)``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck._types import Array, Tensors
from gradcheck.adapters.callable_target import CallableTarget, Description
from gradcheck.adapters.conventions import value_and_grad
from gradcheck.adapters.conventions.layer import Methods, discovered
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.error_hints import Mismatch
from gradcheck.adapters.signatures.methods import (
    Names,
    find_method,
    loss_of,
    required_names,
    targets_come_late,
)
from gradcheck.adapters.signatures.name_tables import (
    OUTPUT_NAMES,
    SIZE_NAMES,
    is_rate,
    is_target,
)
from gradcheck.adapters.signatures.readings import BY_NAME, UNIT_RATE
from gradcheck.adapters.signatures.results import BackwardCall, BackwardResult
from gradcheck.formulas import loss_identification
from gradcheck.state import StateSnapshot
from gradcheck.values import TargetError, is_scalar

FORM = "a network whose backward takes the targets"


def describe(network: Any, arguments: Sequence[Any], params: Any = None) -> Description | Mismatch:
    """Describe a network and its loss: its own, or the one whose gradients it computes.

    Raises
    ------
    TargetError
        If the gradients are not those of any loss that is known.
    """
    if isinstance(network, type) or not hasattr(network, "__dict__"):
        return Mismatch(FORM)
    possible = Names.all_of(network)
    if not possible:
        method = loss_of(network)
        if method is None:
            return Mismatch(FORM)
        return value_and_grad.describe(method, arguments, params)
    methods = MethodsAndLoss(network, possible[0])
    if len(arguments) != 2 or not targets_come_late(methods.own_forward, methods.own_backward, 1):
        return Mismatch(FORM)
    snapshot = StateSnapshot([network, *arguments])
    wanted = required_names(methods.own_backward) or []
    names = [*(required_names(methods.own_forward) or ["X"]), next(filter(is_target, wanted))]
    values = Inputs.of(lambda X, y: None, arguments).values
    inputs = Inputs(dict(zip(names, values.values(), strict=True)))
    with snapshot.guarded():
        own = _own_loss(methods, inputs)
        snapshot.restore(everything=True)
        methods = replace(methods, loss=own or _some_number)
        description = discovered(methods, inputs, snapshot, params, BY_NAME)
        description = replace(description, unit_cotangent=True, in_dtype=lambda *_: None)
        return description if own is not None else _with_identified_loss(description, methods)


def _some_number(prediction: Any, targets: Any) -> float:
    """Return some number, while the loss is not known."""
    return float(np.sum(prediction))


@dataclass(frozen=True)
class MethodsAndLoss(Methods):
    """A forward with a loss at its end, and a backward that begins at the targets."""

    loss: Callable[[Any, Any], Any] = _some_number

    @property
    def rate(self) -> float:
        """The learning rate of an update; one that is written out is part of the loss."""
        return super().rate or 1.0

    def forward(self, arguments: Sequence[Any]) -> BackwardResult:
        """Return the loss, and the prediction for the backward."""
        prediction = self.own_forward(arguments[0])
        result = BackwardResult.of(np.asarray(self.loss(prediction, arguments[1])))
        return replace(result, caches=(prediction,))

    def call_backward(self, call: BackwardCall) -> Any:
        """Call the backward with what the names of its arguments ask for."""
        wanted = required_names(self.own_backward) or ()
        return self.own_backward(*(self._argument(name, call) for name in wanted))

    def _argument(self, name: str, call: BackwardCall) -> Any:
        if is_target(name):
            return call.inputs[1]
        if name.lower() in OUTPUT_NAMES:
            return call.result.caches[0]
        if is_rate(name):
            return UNIT_RATE
        return len(call.inputs[0]) if name in SIZE_NAMES else call.inputs[0]


def _with_identified_loss(description: Description, methods: MethodsAndLoss) -> Description:
    """Find the loss whose gradients the network's backward returns, and put it at the end."""
    network = type(methods.owner).__name__
    inputs, state = description.inputs, description.state
    state.restore(everything=True)
    trial = CallableTarget(description)
    gradients = {name: np.array(g, dtype=np.float64) for name, g in trial.trial()[1].items()}

    def predictions(tensors: Tensors) -> Array:
        state.restore()
        trial.write(tensors)
        with np.errstate(all="ignore"):
            return np.array(methods.own_forward(inputs.arguments(tensors)[0]))

    targets = inputs.values[inputs.names[1]]
    found = loss_identification.identify(predictions, trial.base, gradients, targets)
    state.restore(everything=True)
    if found is None:
        raise TargetError(
            f"{network}: the gradients of its backward are not those of any loss that is "
            f"tried ({', '.join(loss_identification.NAMES)}), and it shows no loss of its own. Say "
            "which it is, in three lines:\n"
            "    def loss(y_pred, y): ...\n"
            f"    {network}.compute_loss = lambda self, y_pred, y: loss(y_pred, y)\n"
            "    gradcheck.check(net, X, y)"
        )
    value = found.value
    methods = replace(methods, loss=lambda prediction, _: value(prediction))
    name = f"{network}, taken to descend {found.name}"
    return replace(description, name=name, forward=methods.forward)


def _own_loss(methods: Methods, inputs: Inputs) -> Callable[[Any, Any], Any] | None:
    """Return ``loss(prediction, targets)`` by a method of the network, None if it has none."""
    network = methods.owner
    method = loss_of(network)
    held = getattr(network, "cost", None) or getattr(network, "loss", None)
    if method is None:
        method = find_method(held, ("fn", "forward", "loss", "value", "__call__"))
    if method is None:
        return None
    wanted = required_names(method) or []
    data, targets = inputs.names

    def loss(prediction: Any, given: Any) -> Any:
        known = {"prediction": prediction, "targets": given, "data": inputs.values[data]}
        return method(*(known[_meaning(name, data)] for name in wanted))

    prediction = methods.own_forward(inputs.values[data])
    try:
        value = loss(prediction, inputs.values[targets])
    except Exception:  # noqa: BLE001 (a method meant for something else may raise anything)
        return None
    return loss if is_scalar(value) else None


def _meaning(name: str, data: str) -> str:
    if is_target(name):
        return "targets"
    return "data" if name in (data, "X", "x", "inputs") else "prediction"
