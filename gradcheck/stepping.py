"""A training step before its gradient is judged: where its parameters are, what it remembers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.places import Place
from gradcheck.memory import Memory
from gradcheck.target import Array, Tensors, is_differentiable

# Two steps from one state agree to rounding of the parameters; relative to the step this is safe.
SAME = 1e-6


@dataclass(frozen=True)
class Habit:
    """What repeating the step from the same parameters shows.

    Attributes
    ----------
    offset
        What earlier steps add to the gradient implied, by parameter; empty without momentum.
    note
        What was seen, in words; empty where steps repeat.
    random
        Whether the steps differ in a way that no momentum explains.
    """

    offset: Tensors
    note: str = ""
    random: bool = False


class _Current:
    """The parameters a function returns, read anew each time, since a step may rebind them."""

    def __init__(self, read: Callable[[], Any]) -> None:
        self.read = read

    def __getitem__(self, key: Any) -> Any:
        return self.read()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.read()[key] = value


def places_of(params: Any) -> dict[str, Place]:
    """Return where the parameters are kept: in a dict or list, an object, or what a call returns.

    Raises
    ------
    ValueError
        There is no array of floating-point numbers among them.
    """
    found = _within(params)
    if not found:
        raise ValueError(
            "params: expected floating-point arrays in a dict or list, an object with them as "
            "its params or attributes, or a function that returns them; got "
            f"{type(params).__name__}"
        )
    return found


def _within(params: Any) -> dict[str, Place]:
    if isinstance(params, Mapping):
        return {str(key): Place(params, key, True) for key in params if _is_tensor(params[key])}
    if isinstance(params, list | tuple):
        return {f"params[{i}]": Place(params, i, True) for i, v in enumerate(params)
                if _is_tensor(v)}  # fmt: skip
    held = getattr(params, "params", None) or getattr(params, "parameters", None)
    if held is not None:
        return _within(held)
    return _of_object(params) or (_of_call(params) if callable(params) else {})


def _of_call(read: Callable[[], Any]) -> dict[str, Place]:
    first = read()
    keys = list(first) if isinstance(first, Mapping) else list(range(len(first)))
    owner = _Current(read)
    return {str(key): Place(owner, key, True) for key in keys if _is_tensor(first[key])}


def _of_object(model: Any) -> dict[str, Place]:
    return {
        name: Place(model, name, False)
        for name, value in getattr(model, "__dict__", {}).items()
        if isinstance(value, np.ndarray) and _is_tensor(value)
    }


def trained(
    places: dict[str, Place], step: Callable[[], Any], loss: Callable[[], Any], memory: Memory
) -> dict[str, Place]:
    """Return the attributes that the step changes and the loss depends on; items as they are.

    Velocities and caches are attributes like the parameters, and no parameters.
    """
    if all(place.is_item for place in places.values()):
        return places
    before = {name: np.array(place.get()) for name, place in places.items()}
    step()
    changed = [
        name for name, place in places.items() if not np.array_equal(place.get(), before[name])
    ]
    memory.restore(everything=True)
    kept = {name: places[name] for name in changed if _matters(places[name], loss, memory)}
    return kept or places


def _matters(place: Place, loss: Callable[[], Any], memory: Memory) -> bool:
    """Whether the loss changes with the value kept here."""
    before, value = np.asarray(loss()), np.array(place.get())
    memory.restore(everything=True)
    noise = np.random.default_rng(0).standard_normal(value.shape)
    place.put((value + 0.1 * noise * (1 + np.abs(value))).astype(value.dtype))
    after = np.asarray(loss())
    memory.restore(everything=True)
    return not np.array_equal(before, after)


def _is_tensor(value: Any) -> bool:
    return bool(is_differentiable(value))


def habit(implied: Callable[[], Mapping[str, Array]]) -> Habit:
    """Repeat the step from the same parameters, keeping all else that it remembers.

    Notes
    -----
    With momentum m the step applies v_k = m v_(k-1) + g: at a constant gradient the differences
    of successive steps fall by the factor m, and g = v_2 - m v_1.
    """
    first, second, third = (_flat(implied()) for _ in range(3))
    names, v = first[0], (first[1], second[1], third[1])
    scale = max(float(np.abs(v[0]).max()), 1e-300)
    change, next_change = v[1] - v[0], v[2] - v[1]
    if np.abs(change).max() <= SAME * scale and np.abs(next_change).max() <= SAME * scale:
        return Habit({})
    momentum = float(change @ next_change / max(float(change @ change), 1e-300))
    off = float(np.abs(next_change - momentum * change).max())
    if not 0 < momentum < 1 or off > SAME * scale:
        return Habit(
            {},
            "the step is random or keeps changing: repeated from the same parameters it implies "
            "other gradients. Pass a step on one fixed batch (or seed it inside), and loss on "
            "the same batch",
            random=True,
        )
    gradient = v[1] - momentum * v[0]
    if np.abs(gradient).max() <= SAME * scale:
        return Habit({}, f"the learning rate falls by the factor {momentum:.4g} with each step")
    return Habit(
        _unflat(names, v[0] - gradient),
        f"the step has momentum {momentum:.4g}: the velocity of earlier steps was taken off, and "
        "the gradient of this step alone is judged",
    )


def _flat(gradients: Mapping[str, Array]) -> tuple[dict[str, tuple[int, ...]], Array]:
    shapes = {name: value.shape for name, value in gradients.items()}
    return shapes, np.concatenate([value.reshape(-1) for value in gradients.values()])


def _unflat(shapes: Mapping[str, tuple[int, ...]], flat: Array) -> dict[str, Array]:
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    parts = np.split(flat, ends[:-1])
    return {name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=True)}
