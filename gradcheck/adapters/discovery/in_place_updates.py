"""Backwards that update the parameters at once: the gradient that an update implies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.discovery.accessors import Accessor, set_to
from gradcheck.adapters.discovery.attributes import objects_in
from gradcheck.adapters.signatures.backward_calls import UNIT_RATE
from gradcheck.adapters.signatures.name_tables import RATE_ATTRIBUTES


class Updates:
    """Undoes what a backward does to the parameters, and keeps the gradient it implies.

    Parameters
    ----------
    accessors
        Where the parameters are kept that the backward updates.
    layer
        Has a learning rate of its own, unless the backward takes one.
    rate
        The learning rate of the updates.
    """

    def __init__(
        self,
        accessors: Mapping[str, Accessor] | None = None,
        layer: Any = None,
        rate: float = UNIT_RATE,
    ) -> None:
        self.accessors = dict(accessors or {})
        self.rate = rate
        self._knobs = list(rates(layer)) if self.accessors else []

    def made_by(self, backward: Callable[[], Any]) -> tuple[Any, dict[str, Array]]:
        """Return what ``backward`` returns, and the gradients its updates imply."""
        held = {name: accessor.get() for name, accessor in self.accessors.items()}
        before = {name: np.array(value) for name, value in held.items()}
        with set_to((knob, UNIT_RATE) for knob in self._knobs):
            result = backward()
        # W - rate * gradient
        implied = {
            name: (before[name] - np.asarray(accessor.get())) / self.rate
            for name, accessor in self.accessors.items()
        }
        for name, accessor in self.accessors.items():
            if isinstance(held[name], np.ndarray):
                np.copyto(held[name], before[name])
            accessor.replace(held[name])
        return result, implied


def rates(layer: Any) -> Iterator[Accessor]:
    """Yield the learning rates that a layer and its parts keep as attributes."""
    for _, _, thing in objects_in(layer):
        for name in RATE_ATTRIBUTES:
            if isinstance(getattr(thing, name, None), float | int):
                yield Accessor(thing, name, False)
