"""Arrays that the output depends on, though the backward leaves no gradient of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gradcheck.adapters.discovery import Found, nothing, same
from gradcheck.adapters.parameters import Parameter
from gradcheck.adapters.places import Place
from gradcheck.adapters.slots import Slot
from gradcheck.adapters.vocabulary import is_trained
from gradcheck.target import Outputs

# A change of a parameter that no forward overlooks for being too small.
VISIBLE = 0.125


Change = Callable[[], None]
Shaped = tuple[Slot, tuple[int, ...]]


class Effects:
    """Says whether the output depends on what is kept in a place.

    Parameters
    ----------
    outputs
        Runs the forward from the same state as ever, but for what its argument changes in it.
    generator
        Source of the changes that are tried.
    """

    def __init__(
        self, outputs: Callable[[Change], Outputs], generator: np.random.Generator
    ) -> None:
        self._outputs = outputs
        self._generator = generator
        self._base: Outputs | None = None

    def of(self, place: Place) -> bool:
        """Whether the output changes with what is in ``place``; True where that cannot be told."""
        if self._base is None:
            self._base = self._outputs(_leave)
        value = np.array(place.get())

        def change() -> None:
            nonlocal value
            value = np.array(place.get())
            sizes = self._generator.uniform(VISIBLE, 2 * VISIBLE, value.shape)
            place.put((value * (1 + sizes) + sizes).astype(value.dtype))

        try:
            with np.errstate(all="ignore"):
                return not _equal(self._outputs(change), self._base)
        except Exception:  # noqa: BLE001 (a forward that minds the change does depend on it)
            return True
        finally:
            place.put(value)

    @property
    def is_steady(self) -> bool:
        """Whether the same forward gives the same outputs."""
        return _equal(self._outputs(_leave), self._outputs(_leave))


def drop_idle(found: Found, effects: Effects) -> None:
    """Forget what the backward updates beside the parameters, such as a momentum."""
    for name, place in list(found.updated.items()):
        if not effects.of(place):
            del found.updated[name], found.parameters[name]


def add_silent(
    found: Found, candidates: Sequence[Slot], unpaired: Sequence[Shaped], effects: Effects
) -> None:
    """Add what the output depends on, though backward left no gradient of it.

    Parameters
    ----------
    found
        What is known already; arrays that are trained by their name join the parameters, others
        the constants, and all of them do where no gradient of any parameter was seen.
    candidates
        Places to look at.
    unpaired
        Gradients by other names, with their shapes: the only one of the shape of a
        candidate is its own.
    effects
        Says what the output depends on.
    """
    convention_known = bool(found.parameters)
    if not candidates or not effects.is_steady:
        return  # nothing can be seen through so much noise
    for slot in candidates:
        if not effects.of(slot.place):
            continue
        mine = (slot.part, np.shape(slot.array))
        alike = [gradient for gradient, shape in unpaired if (gradient.part, shape) == mine]
        rivals = [rival for rival in candidates if (rival.part, np.shape(rival.array)) == mine]
        if len(alike) == 1 == len(rivals):
            reader = alike[0].read
            found.parameters[slot.name] = Parameter(slot.name, slot.place, reader, False)
        else:
            found.parameters[slot.name] = Parameter(slot.name, slot.place, nothing, False)
            if not (convention_known and is_trained(slot.word) and not _is_frozen(slot)):
                found.constants.add(slot.name)


def _is_frozen(slot: Slot) -> bool:
    owner = slot.place.owner
    return getattr(owner, "trainable", True) is False or getattr(owner, "frozen", False) is True


def _leave() -> None:
    """Change nothing."""


def _equal(one: Outputs, other: Outputs) -> bool:
    return len(one) == len(other) and all(map(same, one, other))
