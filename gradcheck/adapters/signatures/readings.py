"""What a backward may take and return: every reading of its signature that fits.

Names say which reading is likeliest, and the numbers which is meant
(`gradcheck.adapters.recognition`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice, product
from operator import itemgetter
from typing import Any

import numpy as np

from gradcheck.adapters.signatures.jacobians import as_columns, contracted, matrices
from gradcheck.adapters.signatures.methods import parameters_of, required_names
from gradcheck.adapters.signatures.name_tables import (
    OUTPUT_NAMES,
    is_cache,
    is_cotangent,
    is_forward_mode,
    is_rate,
    is_tangent,
    is_target,
    words_of,
)
from gradcheck.adapters.signatures.products import pulled_back, scaled, times
from gradcheck.adapters.signatures.results import BackwardCall
from gradcheck.numerics.real_parts import is_complex
from gradcheck.values import is_differentiable

# The learning rate given to a backward that updates at once: a power of two, so that dividing by
# it is exact, and large, so that the parameter's own rounding does not drown the step.
UNIT_RATE = 1024.0

# Of a signature of names that say nothing no more ways are tried than these: all those of three
# arguments, and the likeliest of four.
MOST_READINGS = 60

# A derivative in forward mode is asked for along every axis: once for each entry of the input.
MOST_CALLS = 256


# Words in the names of what returns the gradient of every observation by itself.
OF_OBSERVATIONS = frozenset({"obs", "observation", "observations", "scores"})


class Gives(Enum):
    """What a backward returns."""

    PRODUCT = "gradients, with the cotangent multiplied in"
    SLOPE = "the derivative of every entry, for the caller to multiply"
    GRADIENT = "the gradient of one number"
    SCORES = "the gradients of single observations, a row for each"
    JACOBIAN = "the derivatives of all outputs by all entries"
    FORWARD_MODE = "the derivative of the outputs along a direction"


@dataclass(frozen=True)
class Argument:
    """What one argument of a backward is given: a ``kind`` of value, and which of them."""

    kind: str
    position: int = 0

    def of(self, call: BackwardCall, tangent: Any = None) -> Any:
        """Return the value; ``tangent`` where a direction is asked for."""
        values: dict[str, Sequence[Any]] = {
            "cotangent": (call.cotangent,),
            "input": call.inputs,
            "output": (call.result.raw,),
            "cache": call.result.caches,
            "rate": (UNIT_RATE,),
            "tangent": (tangent,),
        }
        return values[self.kind][self.position]


COTANGENT = Argument("cotangent")
TANGENT = Argument("tangent")


@dataclass(frozen=True)
class Reading:
    """One way to call a backward and to take what it returns.

    Attributes
    ----------
    takes
        What its arguments are given, in order; None: what their names say, by
        `gradcheck.adapters.signatures.backward_calls.call_backward`.
    gives
        What it returns.
    of
        Of which outputs of the forward: ``"all"``, the ``"first"``, their ``"mean"`` or ``"sum"``.
    """

    takes: tuple[Argument, ...] | None = None
    gives: Gives = Gives.PRODUCT
    of: str = "all"

    @classmethod
    def of_inputs(cls, count: int, gives: Gives, of: str = "all") -> Reading:
        """Return the reading of a backward that takes the first ``count`` inputs and no more."""
        return cls(tuple(Argument("input", i) for i in range(count)), gives, of)

    def told(self, backward: Callable[..., Any], names: Sequence[str]) -> str:
        """Return the sentence that says so, for a forward whose inputs have these ``names``.

        Empty where it is as the names of the arguments say.
        """
        if self.takes is None:
            return ""
        given = ", ".join(
            names[a.position] if a.kind == "input" else f"the {a.kind}" for a in self.takes
        )
        of = f" of the {self.of} of what the forward returns" if self.of in ("mean", "sum") else ""
        name = getattr(backward, "__name__", "the backward")
        return f"{name}({given}) is read as {self.gives.value}{of}"

    @property
    def chosen(self) -> Callable[[Any], Any] | None:
        """What returns the part of a forward's outputs that is differentiated; None: all are."""
        parts: dict[str, Callable[[Any], Any]]
        parts = {"first": itemgetter(0), "mean": np.mean, "sum": np.sum}
        return parts.get(self.of)

    def gradients(self, run: Callable[..., Any], call: BackwardCall) -> Any:
        """Return what ``run`` gives for the arguments, with the cotangent multiplied in."""
        takes = self.takes or ()
        if self.gives is Gives.FORWARD_MODE:
            return pulled_back(lambda t: run(*(a.of(call, t) for a in takes)), call)
        result = run(*(argument.of(call) for argument in takes))
        match self.gives:
            case Gives.SLOPE:
                return times(result, call.cotangent, conjugate=True)
            case Gives.GRADIENT if is_complex(call.result.outputs[0]):
                return scaled(result, call.cotangent, conjugate=True)
            case Gives.GRADIENT if call.cotangent != 1:
                return scaled(result, call.cotangent)
            case Gives.SCORES:
                return np.sum(result, axis=0) * call.cotangent
            case Gives.JACOBIAN:
                return contracted(result, call)
        return result

    def claims(
        self, backward: Callable[..., Any]
    ) -> Callable[[BackwardCall], tuple[dict[str, Any], str]] | None:
        """Return what gives the Jacobians that ``backward`` returns; None where it returns none.

        They are matrices by the names of their inputs; with them comes how their shapes are those
        of their transposes, empty where they are not.
        """
        if self.gives is not Gives.JACOBIAN:
            return None

        def claimed(call: BackwardCall) -> tuple[dict[str, Any], str]:
            returned = backward(*(argument.of(call) for argument in self.takes or ()))
            return matrices(returned, call), as_columns(returned, call)

        return claimed


BY_NAME = Reading()


def is_of_observations(backward: Callable[..., Any]) -> bool:
    """Whether a name says that gradients come by observations: ``score_obs``."""
    return bool(OF_OBSERVATIONS.intersection(words_of(getattr(backward, "__name__", ""))))


def possible_readings(backward: Callable[..., Any], call: BackwardCall) -> Iterator[Reading]:
    """Yield other readings of ``backward`` than that of its names, likeliest first.

    There are none where its names leave no doubt. Every argument is given what its name allows, no
    value twice; what is returned depends on the cotangent, or is a derivative that the cotangent
    is still to be multiplied with, whichever the shape of the output allows.
    """
    return islice(_readings(backward, call), MOST_READINGS)


def _readings(backward: Callable[..., Any], call: BackwardCall) -> Iterator[Reading]:
    choices = _signatures(backward, call)
    if len(choices) == 1 and all(len(own) == 1 for own in choices[0]):
        only = [own[0] for own in choices[0]]
        if call.scalar and is_of_observations(backward):
            yield Reading(tuple(only), Gives.SCORES)
        if COTANGENT in only or call.scalar:
            return
    taken = [takes for row in choices for takes in product(*row) if len({*takes}) == len(takes)]
    taken.sort(key=lambda takes: sum(a.position for a in takes if a.kind == "input"))
    yield from (Reading(takes) for takes in taken if COTANGENT in takes)
    yield from _along_a_direction(backward, call)
    for takes in taken:
        if COTANGENT not in takes:
            yield from (
                Reading(takes, gives, of)
                for gives, of in _without_cotangent(call)
                if gives is not Gives.JACOBIAN or _keeps_names(backward, takes, call)
            )


def _keeps_names(
    backward: Callable[..., Any], takes: tuple[Argument, ...], call: BackwardCall
) -> bool:
    """Whether arguments are given the inputs of their names, where all have such names.

    A Jacobian has the shape of one at whatever point it is taken.
    """
    wanted = required_names(backward) or []
    own = [Argument("input", call.names.index(name)) for name in wanted if name in call.names]
    return len(own) < len(takes) or tuple(own) == takes


def _along_a_direction(backward: Callable[..., Any], call: BackwardCall) -> Iterator[Reading]:
    """Yield the readings as a derivative in forward mode, ``jvp(x, tangent)`` of one array.

    Only where a name says so, or inputs and outputs have different shapes: else no number tells it
    from a backward that lacks a transpose.
    """
    wanted = required_names(backward) or []
    said = is_forward_mode(getattr(backward, "__name__", "")) or any(map(is_tangent, wanted))
    few = len(call.inputs) == 1 == len(call.result.outputs)
    said |= few and np.shape(call.inputs[0]) != call.result.outputs[0].shape
    if said and few and len(wanted) == 2 and np.size(call.inputs[0]) <= MOST_CALLS:
        point = Argument("input")
        yield Reading((point, TANGENT), Gives.FORWARD_MODE)
        yield Reading((TANGENT, point), Gives.FORWARD_MODE)


def _without_cotangent(call: BackwardCall) -> Iterator[tuple[Gives, str]]:
    """Yield what a backward may return that is given no cotangent."""
    if len(call.result.outputs) != 1:
        return
    (output,) = call.result.outputs
    if output.ndim == 0:
        yield Gives.GRADIENT, "all"
        return
    shapes = [np.shape(value) for value in call.inputs if is_differentiable(value)]
    if output.shape in shapes:
        yield Gives.SLOPE, "all"
    yield Gives.JACOBIAN, "all"
    if shapes == [output.shape]:
        return  # no loss has as many numbers as its only input
    if output.size > 1:
        yield Gives.GRADIENT, "mean"
    yield Gives.GRADIENT, "sum"


def _signatures(backward: Callable[..., Any], call: BackwardCall) -> list[list[list[Argument]]]:
    """Return what each argument may be given; for ``*args`` in every usual number of arguments."""
    wanted = required_names(backward) or []
    if wanted or not any(p.kind is p.VAR_POSITIONAL for p in parameters_of(backward) or ()):
        return [[_choices(name, wanted, call) for name in wanted]]
    inputs = [[Argument("input", i)] for i in range(len(call.inputs))]
    return [inputs, [[COTANGENT]], [[COTANGENT], *inputs], [*inputs, [COTANGENT]]]


def _choices(name: str, wanted: Sequence[str], call: BackwardCall) -> list[Argument]:
    """Return what an argument may be given by its name, likeliest first."""
    inputs = [Argument("input", i) for i in range(len(call.inputs))]
    caches = [Argument("cache", i) for i in range(len(call.result.caches))]
    output = Argument("output")
    own = [argument for argument in inputs if call.names[argument.position] == name]
    if is_rate(name):
        return [Argument("rate")]
    if is_cache(name) and caches:
        return caches
    if own and (len(wanted) > 1 or call.scalar):
        return own
    if is_cotangent(name) and not own and (len(name) > 1 or len(wanted) == 1):
        # a loss calls what it is given by the name of what it returns: backward(dvalues, y_true)
        is_loss = len(wanted) == len(inputs) > 1
        return [COTANGENT, *inputs[:1]] if is_loss else [COTANGENT]
    if is_target(name) and len(inputs) > 1:
        return inputs[::-1]
    if name.lower() in OUTPUT_NAMES:
        return [output, *inputs, COTANGENT]
    first = [COTANGENT] if is_cotangent(name) else []
    return list(dict.fromkeys([*first, *own, *inputs, COTANGENT, output, *caches]))
