"""Everything that is called becomes one `CallableTarget`; a `Description` says how it is called."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.complex_convention import Convention
from gradcheck.adapters.discovery.coverage import Coverage
from gradcheck.adapters.discovery.parameters import Parameter, Updates, stored_gradient
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.error_hints import nothing_to_differentiate
from gradcheck.adapters.signatures.gradient_alignment import align_gradients
from gradcheck.adapters.signatures.results import BackwardCall, BackwardResult
from gradcheck.array_containers import gradient_numbers
from gradcheck.state import StateSnapshot
from gradcheck.target import ForwardRun, Target
from gradcheck.values import TargetError

Dtype = type[np.floating[Any]]


@dataclass(frozen=True)
class Description:
    """How a thing is called, and where its state, its parameters and its gradients are.

    Attributes
    ----------
    name
        What to call it in the report.
    inputs
        The arguments of its forward.
    state
        What is put back before every run.
    forward
        From the arguments to the outputs, and what the backward wants of them.
    backward
        From a forward and cotangents to what the user's backward returns.
    roots
        What the forward may read from: its functions or the object.
    parameters
        Where each parameter is kept, and where its gradient is left.
    returned
        Parameters whose gradients the backward returns, in its order.
    updates
        Where the backward updates the parameters at once.
    owner
        The object that may keep the gradient of its first input as an attribute.
    owed
        Tensors whose gradients may not be missing.
    unit_cotangent
        Whether the backward takes no cotangent, as a loss's does.
    requested
        Whether the caller said which parameters to check.
    has_samples
        Whether the rows of the inputs are samples, so that some can be left out.
    single
        The input that a single gradient is of; empty: the likeliest by name and shape.
    note
        How its signature was read, where the names of the arguments say otherwise.
    others
        Make the descriptions of other readings of the same thing, likeliest first.
    convention
        What a gradient of a complex array means.
    jacobians
        Returns the Jacobians that the gradients are made of, as matrices by input, and how their
        shapes are wrong, if they are; None where there are none.
    in_dtype
        Returns the description of the same thing computing in another dtype, None where that
        cannot be had; as it stands, only things without parameters can be had.
    """

    name: str
    inputs: Inputs
    state: StateSnapshot
    forward: Callable[[Sequence[Any]], BackwardResult]
    backward: Callable[[BackwardCall], Any]
    roots: tuple[Any, ...]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    returned: Sequence[str] = ()
    updates: Updates = field(default_factory=Updates)
    owner: Any = None
    owed: Collection[str] = frozenset()
    unit_cotangent: bool = False
    requested: bool = False
    has_samples: bool = True
    single: str = ""
    note: str = ""
    others: Sequence[Callable[[], Description]] = ()
    convention: Convention = Convention.GRADIENT
    jacobians: Callable[[BackwardCall], tuple[dict[str, Any], str]] | None = None
    in_dtype: Callable[[Description, Dtype], Description | None] | None = None

    @property
    def tensors(self) -> dict[str, Array]:
        """Copies of all differentiable tensors: inputs first, then parameters."""
        kept = self.state.copy_of
        return {
            **self.inputs.tensors,
            **{n: kept(p.accessor.get()) for n, p in self.parameters.items()},
        }

    def cast(self, dtype: Dtype) -> Description | None:
        """Return the same thing computing in ``dtype``; its numbers count, not its gradients."""
        if self.in_dtype is not None:
            return self.in_dtype(self, dtype)
        return None if self.parameters else replace(self, inputs=self.inputs.cast(dtype))


def first_of(makers: Sequence[Callable[[], Description]]) -> Description:
    """Return the first description that can be made; those after it are among its others."""
    position, found = first_that_works(makers)
    return replace(found, others=[*found.others, *makers[position + 1 :]])


def first_that_works(makers: Sequence[Callable[[], Description]]) -> tuple[int, Description]:
    """Return the first description that can be made, and its position.

    Raises
    ------
    Exception
        What the first one raised, where none can be made.
    """
    failure: Exception | None = None
    for position, make in enumerate(makers):
        try:
            return position, make()
        except Exception as error:  # noqa: BLE001 (a user's code may raise anything)
            failure = failure or error
    raise failure or TargetError("there is no way to call it")


def _target_of(make: Callable[[], Description]) -> Target:
    return CallableTarget(make()).target()


class CallableTarget:
    """Runs what is described at given tensors, and reads the gradients where it leaves them."""

    def __init__(self, description: Description) -> None:
        self.description = description
        self.base = description.tensors
        self.returned_keys: set[Any] = set()
        self._moved: set[str] = set()

    def target(self) -> Target:
        """Return the target that this serves.

        Raises
        ------
        TargetError
            If there is no tensor at all.
        """
        its = self.description
        if not self.base:
            raise TargetError(nothing_to_differentiate(its.name, its.inputs.values))
        return Target.from_run(
            its.name,
            self.base,
            self.run,
            recast=self.recast,
            others=[partial(_target_of, make) for make in its.others],
            roles=dict.fromkeys(its.owed, "parameter"),
            note=its.note,
            state=its.state,
            unit_cotangent=its.unit_cotangent,
            batch=its.inputs.batch if its.has_samples else 0,
            batch_tensors=its.inputs.batch_tensors if its.has_samples else (),
            jacobians=None if its.jacobians is None else lambda at: self.jacobians(at)[0],
            promises={} if its.jacobians is None else {"jacobian_shape": self.has_rows_of_outputs},
            uncovered=Coverage(
                (*its.roots, *its.inputs.others),
                lambda: [p.accessor for p in its.parameters.values()],
                tuple(its.inputs.values.values()),
                requested=its.requested,
                keys=lambda: self.returned_keys,
            ),
        )

    def jacobians(self, tensors: Tensors) -> tuple[dict[str, Any], str]:
        """Return the Jacobians that are claimed at ``tensors``, and how their shapes are wrong."""
        its = self.description
        assert its.jacobians is not None
        its.state.restore()
        self.write(tensors)
        arguments = its.inputs.arguments(tensors)
        result = its.forward(arguments)
        ones = tuple(np.ones_like(output) for output in result.outputs)
        return its.jacobians(
            BackwardCall(arguments, its.inputs.names, result, result.cotangent(ones))
        )

    def has_rows_of_outputs(self) -> tuple[bool, str]:
        """Whether the rows of the Jacobians belong to the outputs, and what was seen."""
        wrong = self.jacobians(self.base)[1]
        return not wrong, wrong or "a row for each output, a column for each entry of the input"

    def recast(self, dtype: Dtype) -> Target | None:
        """Return the target of the same thing computing in ``dtype``, None where it cannot."""
        twin = self.description.cast(dtype)
        return None if twin is None else CallableTarget(twin).target()

    def run(self, tensors: Tensors) -> ForwardRun:
        """Run forward at ``tensors``; the pullback runs the user's own backward."""
        its = self.description
        self.write(tensors)
        for parameter in its.parameters.values():
            parameter.zero_gradient()
        arguments = its.inputs.arguments(tensors)
        handed = its.inputs.handed(arguments)
        result = its.forward(arguments)

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            own = its.convention.cotangents(cotangents)
            call = BackwardCall(arguments, its.inputs.names, result, result.cotangent(own))
            returned, implied = its.updates.made_by(lambda: its.backward(call))
            gradients = self._gradients(returned, implied, result.raw)
            return its.convention.gradients(gradients)

        kept = {name: np.asarray(p.accessor.get()) for name, p in its.parameters.items()}
        return ForwardRun(result.outputs, pullback, {**handed, **kept})

    def trial(self) -> tuple[ForwardRun, dict[str, Any]]:
        """Return a run at the point itself, and its gradients for cotangents of ones."""
        run = self.run(self.base)
        return run, run.pullback(tuple(np.ones_like(output) for output in run.outputs))

    def write(self, tensors: Tensors) -> None:
        """Give the parameters their values; those at the point are there but after another one."""
        for name, parameter in self.description.parameters.items():
            changed = tensors[name] is not self.base[name]
            if changed or name in self._moved:
                parameter.accessor.put(tensors[name])
            (self._moved.add if changed else self._moved.discard)(name)

    def _gradients(self, result: Any, implied: Mapping[str, Array], raw: Any) -> dict[str, Any]:
        """Gather the gradients from where they are: returned, kept, or implied by an update.

        Those in containers are read by their numbers, beside the ``raw`` output.
        """
        its = self.description
        if isinstance(result, Mapping):
            self.returned_keys.update(result)
        gradients = align_gradients(
            result, its.inputs.values, {name: self.base[name] for name in its.returned}, its.single
        )
        for name, parameter in its.parameters.items():
            if name not in gradients:
                gradient = parameter.gradient()
                gradient = implied.get(name) if gradient is None else gradient
                if gradient is not None:
                    gradients[name] = gradient
        first = next(iter(its.inputs.tensors), None)
        if its.owner is not None and first is not None and first not in gradients:
            stored = stored_gradient(its.owner, first)
            if stored is not None:
                gradients[first] = stored
        given = its.inputs.containers
        return {
            name: gradient_numbers(name, gradient, given.get(name), raw)
            for name, gradient in gradients.items()
        }


def with_shapes(name: str, tensors: Tensors) -> str:
    """Return a name with those of its tensors and their shapes: ``Dense(x[2, 3], W[3, 4])``."""
    shapes = ", ".join(f"{label}{list(np.shape(value))}" for label, value in tensors.items())
    return f"{name}({shapes})"
