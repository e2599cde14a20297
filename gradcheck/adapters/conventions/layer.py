"""Objects with ``forward`` (or ``__call__``) and ``backward``, however they keep parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from gradcheck._types import Outputs
from gradcheck.adapters.callable_target import (
    Description,
    Dtype,
    first_of,
    first_that_works,
    with_shapes,
)
from gradcheck.adapters.discovery.attributes import array_attributes
from gradcheck.adapters.discovery.effects import Effects
from gradcheck.adapters.discovery.parameters import (
    Updates,
    find_parameters,
    nothing,
    rates,
    stored_output,
)
from gradcheck.adapters.discovery.reachable_arrays import reachable
from gradcheck.adapters.discovery.revised_parameters import add_unreported, drop_idle, take_given
from gradcheck.adapters.discovery.trial_run import TrialRun, takes_rates
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.backward_calls import (
    call_backward,
    is_pointwise,
    named_readings,
    takes_no_cotangent,
)
from gradcheck.adapters.signatures.error_hints import Mismatch, half_a_layer
from gradcheck.adapters.signatures.methods import Method, Names, required_names
from gradcheck.adapters.signatures.name_tables import DERIVATIVE_NAMES
from gradcheck.adapters.signatures.pytree import arrays_in
from gradcheck.adapters.signatures.readings import (
    BY_NAME,
    UNIT_RATE,
    Gives,
    Reading,
    possible_readings,
)
from gradcheck.adapters.signatures.results import BackwardCall, BackwardResult
from gradcheck.state import StateSnapshot
from gradcheck.values import TargetError

FORM = "an object with forward and backward"


def describe(
    thing: Any, arguments: Sequence[Any], params: Any = None, names: Names | None = None
) -> Description | Mismatch:
    """Describe a layer or loss object, by the most usual ``names`` of its methods where None."""
    possible = [names] if names is not None else Names.all_of(thing)
    if not possible:
        return half_a_layer(FORM, thing, arguments)
    snapshot = StateSnapshot([thing, *arguments])
    makers = [partial(_with_names, thing, each, arguments, snapshot, params) for each in possible]
    with snapshot.guarded():
        return first_of(makers)


def _with_names(
    thing: Any, names: Names, arguments: Sequence[Any], snapshot: StateSnapshot, params: Any
) -> Description:
    """Describe an object by the names of its methods, with a flag of its forward set if need be."""
    methods = Methods(thing, names)
    forward = methods.own_forward
    inputs = Inputs.of(forward, arguments).promoted(forward, snapshot)
    makers = [
        partial(discovered, methods, given, snapshot, params)
        for given in inputs.with_flags(forward)
    ]
    with snapshot.guarded():
        return first_that_works(makers)[1]


@dataclass(frozen=True)
class Methods:
    """The forward and the backward of an object, and how the backward is meant.

    Attributes
    ----------
    owner, names
        The object, and what it calls the two.
    reading
        What the backward takes and gives.
    flat
        Whether it returns gradients of parameters, in a tuple or in containers in one.
    """

    owner: Any
    names: Names
    reading: Reading = BY_NAME
    flat: bool = False

    @property
    def own_forward(self) -> Method:
        """The object's method."""
        return getattr(self.owner, self.names.forward)  # type: ignore[no-any-return]

    @property
    def own_backward(self) -> Method:
        """The object's method."""
        return getattr(self.owner, self.names.backward)  # type: ignore[no-any-return]

    @property
    def rate(self) -> float:
        """The learning rate that updates in the backward are made with; 0 for no updates."""
        takes_one = takes_rates(self.owner, self.own_backward) or any(rates(self.owner))
        return UNIT_RATE if takes_one else 0.0

    def forward(self, arguments: Sequence[Any]) -> BackwardResult:
        """Run the forward."""
        returned = self.own_forward(*arguments)
        if returned is None:
            returned = stored_output(self.owner)
        if returned is None:
            raise TargetError(
                f"the forward of {type(self.owner).__name__} returned None, and no attribute is "
                "called output: return the output"
            )
        return BackwardResult.of(returned, self.own_backward, self.reading.chosen)

    def backward(self, call: BackwardCall) -> Any:
        """Run the backward; (dx, [dW, db]) comes as (dx, dW, db), dicts stay what they are."""
        result = self.call_backward(call)
        nested = self.flat and isinstance(result, tuple | list)
        if not nested or any(isinstance(part, Mapping) for part in result):
            return result
        return tuple(arrays_in(result))

    def call_backward(self, call: BackwardCall) -> Any:
        """Return what the object's own backward returns."""
        return call_backward(self.own_backward, call, self.reading)


def discovered(
    methods: Methods,
    inputs: Inputs,
    snapshot: StateSnapshot,
    params: Any,
    reading: Reading | None = None,
) -> Description:
    """Run once forward and backward to see where the gradients appear, and describe that.

    In this ``reading``, or in the likeliest that goes through where there is none: then the others
    are described on demand.
    """
    owner = methods.owner
    kind = type(owner).__name__
    chosen, trial, call, returned = _first_run(methods, inputs, snapshot, reading)
    others = possible_readings(methods.own_backward, call) if reading is None else ()
    rate = methods.rate
    found = trial.found(call, returned, updates=rate > 0)
    if params is not None:
        take_given(found, params, array_attributes(owner), reachable([owner]), kind)
    else:
        known = [*call.inputs, *call.result.outputs, *inputs.values.values()]
        pool = list(trial.candidates(found, known))
        unpaired = trial.unpaired(found)
        # a step at a rate of one would move the layer to where nothing has an effect
        snapshot.restore(everything=True)

        def outputs(change: Callable[[], None]) -> Outputs:
            snapshot.restore()
            change()
            return chosen.forward(inputs.arguments(inputs.tensors)).outputs

        effects = Effects(outputs, np.random.default_rng(0))
        drop_idle(found, effects)
        add_unreported(found, pool, unpaired, effects)
    snapshot.restore(everything=True)
    wanted = required_names(methods.own_backward)
    loss = call.scalar and wanted is not None and takes_no_cotangent(wanted, call)
    chosen = replace(chosen, flat=bool(found.returned))
    description = Description(
        kind,
        inputs,
        snapshot,
        chosen.forward,
        chosen.backward,
        (owner,),
        parameters=found.parameters,
        returned=found.returned,
        updates=Updates(found.updated, owner, rate or UNIT_RATE),
        owner=owner,
        owed=found.parameters,
        unit_cotangent=loss or chosen.reading.gives is Gives.GRADIENT,
        requested=params is not None,
        note="" if reading is None else reading.told(methods.own_backward, inputs.names),
        others=[
            partial(discovered, methods, inputs, snapshot, params, other)
            for other in others
            if other != chosen.reading
        ],
        jacobians=chosen.reading.claims(chosen.own_backward),
        in_dtype=lambda description, dtype: _in_dtype(description, chosen, dtype),
    )
    return replace(description, name=with_shapes(kind, description.tensors))


def _first_run(
    methods: Methods, inputs: Inputs, snapshot: StateSnapshot, reading: Reading | None
) -> tuple[Methods, TrialRun, BackwardCall, Any]:
    """Run forward and backward in a reading, or in the first that goes through."""
    failure: Exception | None = None
    readings = iter([reading or BY_NAME])
    while (tries := next(readings, None)) is not None:
        tried = replace(methods, reading=tries)
        trial = TrialRun(methods.owner, snapshot)
        arguments = inputs.arguments(inputs.tensors)
        try:
            result = tried.forward(arguments)
            trial.after_forward()
            ones = tuple(np.ones_like(output) for output in result.outputs)
            call = BackwardCall(arguments, inputs.names, result, result.cotangent(ones))
            if failure is None and reading is None:
                tried = _pointwise(tried, call, knows_nothing=trial.leaves_nothing)
                readings = _after_the_first(methods, call)
            return tried, trial, call, tried.backward(call)
        except Exception as error:  # noqa: BLE001 (a user's code may raise anything)
            failure = failure or error
            snapshot.restore(everything=True)
    raise failure or TargetError("backward could not be called")


def _after_the_first(methods: Methods, call: BackwardCall) -> Iterator[Reading]:
    """Yield the readings to try where that by the names raises: of the names, then all."""
    named = named_readings(methods.own_backward, call)
    return chain(list(named)[1:], possible_readings(methods.own_backward, call))


def _pointwise(methods: Methods, call: BackwardCall, *, knows_nothing: bool) -> Methods:
    """Read a backward of the forward's own arguments as a derivative where its name says so.

    Or where it can be nothing else, as no input was remembered.
    """
    wanted = required_names(methods.own_backward) or []
    is_named = len(wanted) > 1 or methods.names.backward in DERIVATIVE_NAMES
    if not ((is_named or knows_nothing) and is_pointwise(wanted, call)):
        return methods
    return replace(methods, reading=Reading.of_inputs(len(wanted), Gives.SLOPE))


def _in_dtype(description: Description, methods: Methods, dtype: Dtype) -> Description | None:
    """Describe a copy of the object whose numbers are of another dtype."""
    try:
        twin = copy.deepcopy(methods.owner)
    except Exception:  # noqa: BLE001 (whatever a user's __deepcopy__ raises means: no)
        return None
    for attribute in array_attributes(twin):
        if attribute.array is not None and not isinstance(attribute.accessor.owner, tuple):
            attribute.accessor.replace(attribute.array.astype(dtype))
    accessors = {attribute.name: attribute.accessor for attribute in array_attributes(twin)}
    accessors |= {parameter.name: parameter.accessor for parameter in find_parameters(twin)}
    parameters = description.parameters
    if not set(parameters) <= accessors.keys():
        return None
    methods = replace(methods, owner=twin, flat=False)
    inputs = description.inputs.cast(dtype)
    moved = replace(
        description,
        inputs=inputs,
        state=StateSnapshot([twin, *inputs.values.values()]),
        forward=methods.forward,
        backward=methods.backward,
        roots=(twin,),
        parameters={
            name: replace(p, accessor=accessors[name], gradient=nothing)
            for name, p in parameters.items()
        },
        returned=(),
        updates=Updates(),
        owner=twin,
    )
    return moved if all(value.dtype == dtype for value in moved.tensors.values()) else None
