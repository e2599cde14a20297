"""Objects with ``forward`` (or ``__call__``) and ``backward``, however they keep parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.discovery.attributes import slots
from gradcheck.adapters.discovery.coverage import Coverage
from gradcheck.adapters.discovery.effects import Effects
from gradcheck.adapters.discovery.in_place_updates import Updates, rates
from gradcheck.adapters.discovery.parameters import find_parameters, stored_gradient, stored_output
from gradcheck.adapters.discovery.reachable_arrays import reachable
from gradcheck.adapters.discovery.requested_parameters import take_given
from gradcheck.adapters.discovery.trial_run import Found, TrialRun, is_told_rate
from gradcheck.adapters.discovery.unreported_parameters import add_silent, drop_idle
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.call_conventions import (
    UNIT_RATE,
    BackwardCall,
    BackwardResult,
    Reading,
    call_backward,
    call_pointwise,
    is_pointwise,
    readings,
    takes_no_cotangent,
)
from gradcheck.adapters.signatures.error_hints import kinds_of
from gradcheck.adapters.signatures.gradient_alignment import align_gradients, required_names
from gradcheck.adapters.signatures.methods import Method, Names, backward_of, forward_of, method_of
from gradcheck.adapters.signatures.name_tables import (
    BACKWARD_NAMES,
    DERIVATIVE_NAMES,
    FORWARD_NAMES,
)
from gradcheck.adapters.signatures.pytree import arrays_in
from gradcheck.state import StateSnapshot
from gradcheck.target import ForwardRun, Target, TargetError

__all__ = ["BACKWARD_NAMES", "FORWARD_NAMES", "adapt", "matches", "method_of"]


def matches(thing: Any) -> bool:
    """Whether ``thing`` is an object with a forward and a backward method."""
    return (
        not isinstance(thing, type)
        and backward_of(thing) is not None
        and forward_of(thing) is not None
    )


def adapt(
    layer: Any, arguments: Sequence[Any], params: Any = None, names: Names | None = None
) -> Target:
    """Return the target of a layer or loss object at ``arguments``.

    Parameters
    ----------
    layer, arguments, params
        The object, the inputs of its forward, and the parameters to check.
    names
        Of its forward and backward; those that are most usual where None.

    Raises
    ------
    TargetError
        If no gradient can be found after a backward, or more than there are tensors.
    """
    snapshot = StateSnapshot([layer, *arguments])
    names = names or Names.of(layer)
    forward = getattr(layer, names.forward)
    inputs = Inputs.of(forward, arguments).promoted(forward, snapshot)
    with snapshot.guarded():
        return LayerAdapter(layer, inputs, snapshot, params, names).target()


class LayerAdapter:
    """Runs a layer at given tensors, and reads the gradients where the layer leaves them.

    Parameters
    ----------
    layer
        The object.
    inputs
        Of its forward.
    snapshot
        Restores it.
    params
        Parameters to check, by name or as arrays; all that are found where None.
    names
        Of the forward and the backward.
    """

    def __init__(
        self, layer: Any, inputs: Inputs, snapshot: StateSnapshot, params: Any, names: Names
    ) -> None:
        self.names = names
        self.layer = layer
        self.inputs = inputs
        self.snapshot = snapshot
        self.found = Found()
        self.updates = Updates()
        self.dirty: set[str] = set()
        self.unit_cotangent = False
        self.pointwise = False
        self.asked = params is not None
        self.reading = Reading.AS_NAMED
        self.base: dict[str, Array] = inputs.tensors
        self._discover(params)
        self.base = self.tensors()

    def tensors(self) -> dict[str, Array]:
        """Return all differentiable tensors: inputs first, then parameters."""
        found, kept = self.found.parameters, self.snapshot.copy_of
        return {**self.inputs.tensors, **{n: kept(p.place.get()) for n, p in found.items()}}

    def target(self) -> Target:
        """Return the target this adapter serves."""
        if not self.base:
            raise TargetError(
                f"nothing to differentiate in {type(self.layer).__name__}: no input is a "
                "floating-point array (integers are taken for indices) and no parameters with "
                f"gradients were found. Inputs: {kinds_of(self.inputs.values)}"
            )
        shapes = ", ".join(f"{name}{list(value.shape)}" for name, value in self.base.items())
        return Target.from_run(
            f"{type(self.layer).__name__}({shapes})",
            self.base,
            self.run,
            recast=self.recast,
            roles=dict.fromkeys(self.found.parameters, "parameter"),
            state=self.snapshot,
            unit_cotangent=self.unit_cotangent,
            batch=self.inputs.batch,
            batch_tensors=self.inputs.batch_tensors,
            uncovered=Coverage(
                (self.layer, *self.inputs.others),
                lambda: [p.place for p in self.found.parameters.values()],
                tuple(self.inputs.values.values()),
                asked=self.asked,
            ),
        )

    def run(self, tensors: Tensors) -> ForwardRun:
        """Run forward at ``tensors``; the pullback runs the layer's own backward."""
        self._write_parameters(tensors)
        for parameter in self.found.parameters.values():
            parameter.zero_gradient()
        arguments = self.inputs.arguments(tensors)
        handed = self.inputs.handed(arguments)
        result = self._forward(arguments)

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            call = BackwardCall(arguments, self.inputs.names, result, result.cotangent(cotangents))
            returned, implied = self.updates.made_by(lambda: self._pull(call))
            return {**self._collect(returned, implied)}

        places = {n: np.asarray(p.place.get()) for n, p in self.found.parameters.items()}
        return ForwardRun(result.outputs, pullback, {**handed, **places})

    def recast(self, dtype: type[np.floating[Any]]) -> Target | None:
        """Return a copy of the layer computing in ``dtype``; its numbers count, not its claims."""
        try:
            twin = copy.deepcopy(self.layer)
        except Exception:  # noqa: BLE001 (whatever a stranger's __deepcopy__ raises means: no)
            return None
        for slot in slots(twin):
            if slot.array is not None and not isinstance(slot.place.owner, tuple):
                slot.place.replace(slot.array.astype(dtype))
        inputs = self.inputs.cast(dtype)
        adapter = LayerAdapter.__new__(LayerAdapter)
        adapter.layer, adapter.inputs, adapter.dirty = twin, inputs, set()
        adapter.updates, adapter.pointwise = Updates(), self.pointwise
        adapter.reading, adapter.names, adapter.asked = self.reading, self.names, self.asked
        adapter.unit_cotangent = self.unit_cotangent
        places = {slot.name: slot.place for slot in slots(twin)}
        places |= {parameter.name: parameter.place for parameter in find_parameters(twin)}
        if not set(self.found.parameters) <= places.keys():
            return None
        adapter.found = self.found.moved(places)
        adapter.snapshot = StateSnapshot([twin, *inputs.values.values()])
        adapter.base = adapter.tensors()
        if any(value.dtype != dtype for value in adapter.base.values()):
            return None
        return adapter.target()

    def _backward(self) -> Method:
        return getattr(self.layer, self.names.backward)  # type: ignore[no-any-return]

    def _forward(self, arguments: Sequence[Any]) -> BackwardResult:
        returned = getattr(self.layer, self.names.forward)(*arguments)
        if returned is None:
            returned = stored_output(self.layer)
        if returned is None:
            raise TargetError(
                f"the forward of {type(self.layer).__name__} returned None, and left nothing "
                "called output behind: return the output"
            )
        return BackwardResult.of(returned, self._backward(), self.reading)

    def _pull(self, call: BackwardCall) -> Any:
        if self.pointwise:
            return call_pointwise(self._backward(), call)
        return call_backward(self._backward(), call, self.reading)

    def _write_parameters(self, tensors: Tensors) -> None:
        for name, parameter in self.found.parameters.items():
            changed = tensors[name] is not self.base[name]
            if changed or name in self.dirty:
                parameter.place.put(tensors[name])
            if changed:
                self.dirty.add(name)
            else:
                self.dirty.discard(name)

    def _collect(self, result: Any, implied: Mapping[str, Array]) -> dict[str, Any]:
        """Gather the gradients from where they are: returned, kept, or implied by an update."""
        returned = {name: self.base[name] for name in self.found.returned}
        if returned and isinstance(result, tuple | list):
            result = _flat(result)
        gradients = align_gradients(result, self.inputs.values, returned)
        for name, parameter in self.found.parameters.items():
            if name not in gradients:
                gradient = parameter.gradient()
                gradient = implied.get(name) if gradient is None else gradient
                if gradient is not None:
                    gradients[name] = gradient
        first = next(iter(self.inputs.tensors), None)
        if first is not None and first not in gradients:
            stored = stored_gradient(self.layer, first)
            if stored is not None:
                gradients[first] = stored
        return gradients

    def _discover(self, params: Any) -> None:
        """Run once forward and backward to see where the gradients appear."""
        trial, call, returned = self._first_run()
        wanted = required_names(self._backward())
        self.unit_cotangent = self.reading is Reading.OWN_INPUTS or (
            call.scalar and wanted is not None and takes_no_cotangent(wanted, call)
        )
        self.found = trial.found(call, returned, updates=self._rate() > 0)
        if params is not None:
            pool, elsewhere = slots(self.layer), reachable([self.layer])
            take_given(self.found, params, pool, elsewhere, type(self.layer).__name__)
        else:
            known = [*call.inputs, *call.result.outputs, *self.inputs.values.values()]
            pool = list(trial.candidates(self.found, known))
            unpaired = trial.unpaired(self.found)
            # a step at a rate of one would move the layer to where nothing has an effect
            self.snapshot.restore(everything=True)
            effects = Effects(self._outputs, np.random.default_rng(0))
            drop_idle(self.found, effects)
            add_silent(self.found, pool, unpaired, effects)
        self.snapshot.restore(everything=True)
        self.updates = Updates(self.found.updated, self.layer, self._rate() or UNIT_RATE)

    def _first_run(self) -> tuple[TrialRun, BackwardCall, Any]:
        """Run forward and backward in the first reading that goes through."""
        failure: Exception | None = None
        possible = [Reading.AS_NAMED]
        for self.reading in possible:
            trial = TrialRun(self.layer, self.snapshot)
            arguments = self.inputs.arguments(self.inputs.tensors)
            result = self._forward(arguments)
            trial.after_forward()
            ones = tuple(np.ones_like(output) for output in result.outputs)
            call = BackwardCall(arguments, self.inputs.names, result, result.cotangent(ones))
            if failure is None:
                wanted = required_names(self._backward()) or []
                self.pointwise = is_pointwise(wanted, call) and (
                    len(wanted) > 1 or self.names.backward in DERIVATIVE_NAMES
                )
                possible += list(readings(self._backward(), call))[1:]
            try:
                return trial, call, self._pull(call)
            except Exception as error:  # noqa: BLE001 (a stranger's code may raise anything)
                failure = failure or error
                self.snapshot.restore(everything=True)
        self.reading = Reading.AS_NAMED
        raise failure or TargetError("backward could not be called")

    def _rate(self) -> float:
        """Return the learning rate that updates in the backward are made with; 0 for no updates."""
        told = is_told_rate(self.layer, self._backward()) or any(rates(self.layer))
        return UNIT_RATE if told else 0.0

    def _outputs(self, change: Callable[[], None]) -> Outputs:
        """Return the outputs at the inputs, from the remembered state after a change of it."""
        self.snapshot.restore()
        change()
        return self._forward(self.inputs.arguments(self.inputs.tensors)).outputs


def _flat(result: Sequence[Any]) -> Any:
    """Return (dx, [dW, db]) as (dx, dW, db); dicts stay what they are."""
    if any(isinstance(part, Mapping) for part in result):
        return result
    return tuple(arrays_in(result))
