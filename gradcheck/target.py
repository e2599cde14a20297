"""The one shape every checked thing is brought into: tensors, a forward, a pullback.

Whatever convention people write their layers in, an adapter turns it into a `Target`; the
numerics, the contract and the explanations see nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Pullback, Tensors
from gradcheck.numerics import real_parts
from gradcheck.report.data import Unchecked
from gradcheck.state import State, Stateless
from gradcheck.values import as_outputs
from gradcheck_arguments import NonNegativeInt, Positive, checked


@dataclass(frozen=True)
class ForwardRun:
    """One forward evaluation and the backward that belongs to it.

    Attributes
    ----------
    outputs
        Copies of the outputs, as a tuple even when there is one.
    pullback
        Maps cotangents (one per output) to gradients by tensor, by the user's own backward.
    handed
        The very arrays the user's code was given, so that mutation can be seen.
    carried
        Which outputs the backward takes a cotangent of; None: all of them.
    formats
        Names of the formats that the outputs were computed in, where these are kept in others here;
        None: their dtypes.
    connected
        False where a framework knows that no output depends on any of the tensors.
    """

    outputs: Outputs
    pullback: Pullback
    handed: Tensors
    carried: tuple[bool, ...] | None = None
    formats: tuple[str, ...] | None = None
    connected: bool = True


@checked
@dataclass
class Target:
    """Something whose gradient is to be checked, in the one form the checker understands.

    Parameters
    ----------
    name
        What to call it in the report.
    tensors
        The differentiable tensors at the point of the check, by name. A complex ``z`` is kept, and
        judged, as ``z.real`` and ``z.imag``; ``forward`` and ``vjp`` are given and return it whole,
        its gradient as dL/d(z.real) + i dL/d(z.imag).
    forward
        ``forward(tensors) -> output`` or a tuple of outputs, from a dict like ``tensors``.
    vjp
        ``vjp(tensors, cotangent) -> dict`` of gradients by tensor name; ``cotangent`` is shaped
        like the output (a tuple when the output is one).
    roles
        ``"input"`` or ``"parameter"`` by tensor name; inputs unless said otherwise.
    state
        What is put back before every probe.
    unit_cotangent
        True where the backward takes no cotangent, as a loss's does: it is then one.
    batch
        Number of samples, 0 where there is no batch.
    batch_tensors
        Names of the tensors along whose first axis samples can be left out together.
    analytic_errors
        Known absolute errors of the analytic gradients, entry by entry, by tensor.
    uncovered
        Asked for once, with the target: arrays beside the tensors that the output depends on.
    note
        What the report is to say of how the thing was read; nothing where empty.
    rounding
        Rounding unit of the layer, where its numbers are kept here in a wider dtype than it
        computes in, as those of bfloat16 are.
    formats
        Names of the formats of the tensors that are kept here in another than their own.
    promises
        What this form promises beside the usual, by name: each is required, and returns whether it
        holds, None where that cannot be measured, and what was measured as one sentence; or None
        alone where it turns out not to be promised.
    scales
        Sizes of step natural for the entries of a tensor, powers of two, where they are others
        than its numbers say.
    jacobians
        ``jacobians(tensors)`` returns the matrices (outputs, entries), dense or sparse, that the
        gradients are made of, by tensor; None where the backward is not made of any.
    by_definition
        ``by_definition(name, analytic)`` says why a gradient that is no derivative is returned on
        purpose, and the way out after "; "; empty where it is not.
    replay
        ``replay(tensors, locate)`` computes the outputs with NumPy, for a forward that computes
        them with something else: arrays that follow what is done to them come through. Before an
        operation, ``locate(file, (line, column, end line, end column))`` may say where in the
        user's code it is written, which else is seen from the stack. Raises where it cannot.

    Examples
    --------
    >>> import numpy as np
    >>> square = Target(
    ...     "square",
    ...     {"x": np.array([1.0, 2.0])},
    ...     forward=lambda tensors: tensors["x"] ** 2,
    ...     vjp=lambda tensors, cotangent: {"x": 2 * tensors["x"] * cotangent},
    ... )
    """

    name: str
    tensors: dict[str, Array]
    forward: Callable[[Tensors], Any]
    vjp: Callable[[Tensors, Any], Mapping[str, Any]]
    roles: dict[str, str] = field(default_factory=dict)
    state: State = field(default_factory=Stateless)
    unit_cotangent: bool = False
    batch: NonNegativeInt = 0
    batch_tensors: tuple[str, ...] = ()
    analytic_errors: dict[str, Array] = field(default_factory=dict)
    uncovered: Callable[[Target], tuple[Unchecked, ...]] = lambda _: ()
    note: str = ""
    rounding: Positive | None = None
    formats: Mapping[str, str] = field(default_factory=dict)
    promises: Mapping[str, Callable[[], tuple[bool | None, str] | None]] = field(
        default_factory=dict
    )
    scales: Mapping[str, Array] = field(default_factory=dict)
    jacobians: Callable[[Tensors], Mapping[str, Any]] | None = None
    by_definition: Callable[[str, Array], str] | None = None
    replay: Callable[[Tensors, Callable[..., None]], Sequence[Array]] | None = None
    _run: Callable[[Tensors], ForwardRun] | None = field(default=None, init=False, repr=False)
    _recast: Callable[[type[np.floating[Any]]], Target | None] | None = field(
        default=None, init=False, repr=False
    )
    _others: Sequence[Callable[[], Target]] = field(default=(), init=False, repr=False)
    _complex: tuple[str, ...] = field(default=(), init=False, repr=False)
    imaginary: tuple[bool, ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        tensors = {name: np.asarray(value) for name, value in self.tensors.items()}
        self._complex = tuple(
            name for name, value in tensors.items() if real_parts.is_complex(value)
        )
        self.tensors = real_parts.split(tensors, self._complex)
        self.roles = real_parts.by_part(self.roles, self._complex)
        self.analytic_errors = real_parts.by_part(self.analytic_errors, self._complex)
        self.batch_tensors = tuple(
            real_parts.by_part(dict.fromkeys(self.batch_tensors), self._complex)
        )

    @classmethod
    @checked
    def from_run(
        cls,
        name: str,
        tensors: dict[str, Array],
        run: Callable[[Tensors], ForwardRun],
        *,
        recast: Callable[[type[np.floating[Any]]], Target | None] | None = None,
        others: Sequence[Callable[[], Target]] = (),
        **fields: Any,
    ) -> Target:
        """Return a target whose forward and backward share what the forward remembers.

        Parameters
        ----------
        name, tensors
            As for `Target`.
        run
            Runs the forward and returns its outputs with the pullback that belongs to them.
        recast
            Returns the same target computing in another dtype, None where that cannot be had.
        others
            Make the targets that the same thing may be read as, where no number tells.
        **fields
            The other fields of `Target`.
        """
        target = cls(
            name,
            tensors,
            lambda values: target.call(values).outputs,
            lambda values, cotangents: target.call(values).pullback(cotangents),
            **fields,
        )
        target._run = run
        target._recast = recast
        target._others = others
        return target

    @property
    def is_complex(self) -> bool:
        """Whether a tensor, or an output of the last run, is complex."""
        return bool(self._complex) or any(self.imaginary)

    @property
    def whole(self) -> dict[str, Array]:
        """The tensors as ``forward`` is given them, complex ones whole."""
        return real_parts.joined(self.tensors, self._complex)

    def other_readings(self) -> Iterator[Target]:
        """Yield what the same thing may be read as, where no number tells which is meant."""
        return (make() for make in self._others)

    @checked
    def role(self, name: str) -> str:
        """Return ``"input"`` or ``"parameter"``."""
        return self.roles.get(name, "input")

    def call(self, tensors: Tensors) -> ForwardRun:
        """Run the forward once, on copies that the user's code may do with as it likes."""
        run = self._called(real_parts.joined(tensors, self._complex) if self._complex else tensors)
        self.imaginary = real_parts.imaginary_parts(run.outputs)
        if not (self._complex or any(self.imaginary)):
            return run

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            gradients = run.pullback(real_parts.joined_cotangents(cotangents, run.outputs))
            return real_parts.split(gradients, self._complex)

        carried = run.carried and real_parts.per_part(run.carried, run.outputs)
        handed = real_parts.split(run.handed, self._complex)
        return ForwardRun(real_parts.split_outputs(run.outputs), pullback, handed, carried)

    def _called(self, tensors: Tensors) -> ForwardRun:
        if self._run is not None:
            return self._run(tensors)
        handed = {name: value.copy() for name, value in tensors.items()}
        raw = self.forward(handed)
        single = not isinstance(raw, tuple | list)

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            return dict(self.vjp(handed, cotangents[0] if single else cotangents))

        return ForwardRun(as_outputs(raw), pullback, handed)

    @checked
    def cast(self, dtype: type[np.floating[Any]]) -> Target | None:
        """Return the same target computing in ``dtype``, or None where that is impossible."""
        if self._run is not None:
            return self._recast(dtype) if self._recast is not None else None
        return replace(self, tensors=real_parts.joined(self._as(dtype), self._complex))

    @checked
    def computing(
        self, dtype: type[np.floating[Any]], run: Callable[[Tensors], ForwardRun]
    ) -> Target:
        """Return this target with read-only tensors of another dtype, and ``run`` for these."""
        tensors = real_parts.joined(self._as(dtype), self._complex)
        for value in tensors.values():
            value.setflags(write=False)
        twin = replace(self, tensors=tensors, rounding=None, formats={})
        twin._run = run
        return twin

    @checked
    def running(
        self,
        run: Callable[[Tensors], ForwardRun],
        recast: Callable[[type[np.floating[Any]]], Target | None],
        **changes: Any,
    ) -> Target:
        """Return this target with another ``run`` and ``recast``, as `from_run` takes them."""
        twin = replace(self, **{"jacobians": None, "replay": None, **changes})
        twin._run, twin._recast, twin._others = run, recast, self._others
        return twin

    def _as(self, dtype: type[np.floating[Any]]) -> dict[str, Array]:
        return {name: value.astype(dtype) for name, value in self.tensors.items()}
