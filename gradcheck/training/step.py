"""A training step as a target: its parameters, its dynamics, the gradient that it implies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck._types import Array, Tensors
from gradcheck.adapters.discovery.accessors import Accessor, accessors_in
from gradcheck.adapters.discovery.attributes import ArrayAttribute, array_attributes
from gradcheck.state import StateSnapshot
from gradcheck.target import ForwardRun, Target
from gradcheck.values import as_outputs

# Two steps from one state agree to rounding of the parameters; relative to the step this is safe.
SAME = 1e-6

# Steps repeated from the same parameters.
REPEATS = 6

ADAPTIVE = (
    "the step's size changes as it is repeated (an adaptive rate, or a schedule): the next step "
    "alone is judged"
)


@dataclass(frozen=True)
class StepDynamics:
    """What repeating the step from the same parameters shows.

    Attributes
    ----------
    offset
        What earlier steps add to the gradient implied, by parameter; empty without momentum.
    note
        What was seen, in words; empty where steps repeat.
    random
        Whether the steps differ in a way that no momentum explains.
    momentum
        Share of the velocity that a step keeps.
    """

    offset: Tensors
    note: str = ""
    random: bool = False
    momentum: float = 0.0


class _Current:
    """The parameters a function returns, read anew each time, since a step may rebind them."""

    def __init__(self, read: Callable[[], Any]) -> None:
        self.read = read

    def __getitem__(self, key: Any) -> Any:
        return self.read()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.read()[key] = value


def parameters_of(
    params: Any, step: Callable[[], Any], loss: Callable[[], Any], snapshot: StateSnapshot
) -> dict[str, Accessor]:
    """Return where the parameters are kept: in containers, an object, or what a call returns.

    Of an object that declares none, these are the arrays that the step changes and the loss
    depends on: velocities and caches are attributes like the parameters, and no parameters.

    Raises
    ------
    ValueError
        There is no array of floating-point numbers among them.
    """
    found = _declared(params)
    if found:
        return found
    found = {attribute.name: _lasting(attribute) for attribute in array_attributes(params)}
    if not found and callable(params):
        found = _of_call(params)
    if not found:
        raise ValueError(
            "params: expected floating-point arrays in a dict or list, an object with them as "
            "its params or attributes, or a function that returns them; got "
            f"{type(params).__name__}"
        )
    return _trained(found, step, loss, snapshot)


def _lasting(attribute: ArrayAttribute) -> Accessor:
    """Return an accessor that stays valid when the step replaces the container."""
    if not attribute.route:
        return attribute.accessor

    def container() -> Any:
        held = attribute.home.get()
        for key in attribute.route[:-1]:
            held = held[key]
        return held

    return Accessor(_Current(container), attribute.route[-1], True)


def _declared(params: Any) -> dict[str, Accessor]:
    """Return the arrays of a dict or list, or of the one that an object calls its parameters."""
    if isinstance(params, Mapping | list | tuple):
        return accessors_in(params)
    held = getattr(params, "params", None) or getattr(params, "parameters", None)
    return accessors_in(held) if isinstance(held, Mapping | list | tuple) else {}


def _of_call(read: Callable[[], Any]) -> dict[str, Accessor]:
    first, owner = read(), _Current(read)
    container = first if isinstance(first, Mapping) else list(first)
    return {
        name: Accessor(owner, accessor.key, True)
        for name, accessor in accessors_in(container).items()
        if accessor.owner is container
    }


def _trained(
    found: dict[str, Accessor],
    step: Callable[[], Any],
    loss: Callable[[], Any],
    snapshot: StateSnapshot,
) -> dict[str, Accessor]:
    before = values_of(found)
    step()
    after = values_of(found)
    snapshot.restore(everything=True)
    # what changes its shape is made of the data
    alike = {name: a for name, a in found.items() if before[name].shape == after[name].shape}
    trained = {
        name: accessor
        for name, accessor in alike.items()
        if not np.array_equal(before[name], after[name]) and matters(accessor, loss, snapshot)
    }
    return trained or alike


def values_of(accessors: Mapping[str, Accessor]) -> dict[str, Array]:
    """Return copies of what is kept."""
    return {name: np.array(accessor.get()) for name, accessor in accessors.items()}


def matters(accessor: Accessor, loss: Callable[[], Any], snapshot: StateSnapshot) -> bool:
    """Whether the loss changes with the value kept here."""
    before, value = np.asarray(loss()), np.array(accessor.get())
    snapshot.restore(everything=True)
    noise = np.random.default_rng(0).standard_normal(value.shape)
    accessor.put((value + 0.1 * noise * (1 + np.abs(value))).astype(value.dtype))
    after = np.asarray(loss())
    snapshot.restore(everything=True)
    return not np.array_equal(before, after)


def step_dynamics(implied: Callable[[], Mapping[str, Array]]) -> StepDynamics:
    """Repeat the step from the same parameters, keeping all else that it remembers.

    Notes
    -----
    With momentum m the step applies v_k = m v_(k-1) + g: at a constant gradient the differences
    of successive steps fall by the factor m, and g = v_2 - m v_1. Steps of an adaptive rate, or of
    a schedule, keep their signs and change one way only, in every entry; `REPEATS` random steps of
    one entry do so twice in `REPEATS` factorial times.
    """
    repeated = [implied() for _ in range(REPEATS)]
    v = np.stack([np.concatenate([g.reshape(-1) for g in r.values()]) for r in repeated])
    scale = max(float(np.abs(v[0]).max()), 1e-300)
    changes = np.diff(v, axis=0)
    if np.abs(changes).max() <= SAME * scale:
        return StepDynamics({})
    momentum = float(changes[0] @ changes[1] / max(float(changes[0] @ changes[0]), 1e-300))
    off = float(np.abs(changes[1:] - momentum * changes[:-1]).max())
    if not 0 < momentum < 1 or off > SAME * scale:
        if _is_adaptive(v):
            return StepDynamics({}, ADAPTIVE)
        return StepDynamics(
            {},
            "the step is random or keeps changing: repeated from the same parameters it implies "
            "other gradients; pass a step on one fixed batch (or seed it inside), and loss on "
            "the same batch",
            random=True,
        )
    gradient = v[1] - momentum * v[0]
    if np.abs(gradient).max() <= SAME * scale:
        return StepDynamics(
            {}, f"the learning rate falls by the factor {momentum:.4g} with each step"
        )
    ends = np.cumsum([g.size for g in repeated[0].values()])
    parts = zip(repeated[0].items(), np.split(v[0] - gradient, ends[:-1]), strict=True)
    return StepDynamics(
        {name: part.reshape(g.shape) for (name, g), part in parts},
        f"the step has momentum {momentum:.4g}: the velocity of earlier steps was taken off, and "
        "the gradient of this step alone is judged",
        momentum=momentum,
    )


def _is_adaptive(steps: Array) -> bool:
    """Whether successive steps, as rows, keep their signs and change in size one way only."""
    changes, signs = np.diff(np.abs(steps), axis=0), np.sign(steps)
    one_way = np.all(changes <= 0, axis=0) | np.all(changes >= 0, axis=0)
    return bool(one_way.all() and (signs == signs[0]).all())


@dataclass
class Update:
    """A training step seen as a gradient: the one that it implies.

    Parameters
    ----------
    step, loss
        Makes one step, and returns the loss that is reported.
    accessors
        Where the parameters are kept.
    learning_rate
        Of the step.
    snapshot
        The state that every step starts from.
    """

    step: Callable[[], Any]
    accessors: Mapping[str, Accessor]
    loss: Callable[[], float]
    learning_rate: float
    snapshot: StateSnapshot

    def __post_init__(self) -> None:
        self.base = values_of(self.accessors)
        self.offset: Tensors = {}

    def observe(self) -> StepDynamics:
        """Repeat the step, and take off from now on what earlier steps add."""
        seen = step_dynamics(lambda: self.stepped(self.base))
        self.offset = seen.offset
        self.snapshot.restore(everything=True)
        return seen

    def target(self, forward: Callable[[], Any] | None = None) -> Target:
        """Return the target whose forward is the loss, or ``forward`` where one is given."""
        evaluate = forward or (lambda: np.asarray(self.loss()))

        def run(tensors: Tensors) -> ForwardRun:
            self.write(tensors)
            return ForwardRun(
                as_outputs(evaluate()), lambda _: self.implied(tensors), dict(tensors)
            )

        rounding = {
            # the step is known to one rounding of the parameter before and after
            name: np.finfo(value.dtype).eps * np.abs(value) / abs(self.learning_rate)
            for name, value in self.base.items()
        }
        return Target.from_run(
            f"training step ({getattr(self.step, '__qualname__', type(self.step).__name__)})",
            self.base,
            run,
            roles=dict.fromkeys(self.base, "parameter"),
            state=self.snapshot,
            unit_cotangent=True,
            analytic_errors=rounding,
        )

    def write(self, tensors: Tensors) -> None:
        """Put the parameters where the tensors are."""
        for name, accessor in self.accessors.items():
            accessor.put(tensors[name])

    def implied(self, tensors: Tensors) -> dict[str, Array]:
        """Return the gradient implied by a step from ``tensors``, in the state remembered."""
        self.snapshot.restore()
        return self.stepped(tensors)

    def stepped(self, tensors: Tensors) -> dict[str, Array]:
        """Make one more step, from ``tensors``, and return the gradient it implies."""
        self.write(tensors)
        self.step()
        after = values_of(self.accessors)
        changed = {name: value - after[name] for name, value in tensors.items()}
        if not any(np.any(change) for change in changed.values()):
            raise ValueError(
                f"step changed none of {list(tensors)}: pass the very arrays it updates in place, "
                "or the object whose attributes it rebinds"
            )
        return {
            name: change / self.learning_rate - self.offset.get(name, 0.0)
            for name, change in changed.items()
        }
