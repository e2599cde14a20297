"""Parameters that the output depends on, though the backward leaves no gradient of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcheck.adapters.discovery.attributes import OF_ATTRIBUTE, ArrayAttribute
from gradcheck.adapters.discovery.effects import Effects
from gradcheck.adapters.discovery.parameters import Parameter, nothing
from gradcheck.adapters.discovery.trial_run import Found
from gradcheck.adapters.signatures.name_tables import is_trained

Shaped = tuple[ArrayAttribute, tuple[int, ...]]


def drop_idle(found: Found, effects: Effects) -> None:
    """Forget what the backward updates beside the parameters, such as a momentum, and caches."""
    doubtful = {name: found.parameters[name].accessor for name in found.rebound}
    for name, accessor in (doubtful | found.updated).items():
        if not effects.of(accessor):
            found.updated.pop(name, None)
            del found.parameters[name]


def add_unreported(
    found: Found, candidates: Sequence[ArrayAttribute], unpaired: Sequence[Shaped], effects: Effects
) -> None:
    """Add what the output depends on, where a gradient is owed or goes by another name.

    Parameters
    ----------
    found
        What is known already. Where some gradient is, one is owed of every array that is trained
        by its name.
    candidates
        Places to look at.
    unpaired
        Gradients by other names, with their shapes: the only one of the shape of a
        candidate is its own.
    effects
        Says what the output depends on.
    """
    convention_known = bool(found.parameters)
    gradients = {id(array): _own(array, candidates, unpaired) for array in candidates}
    likely = [
        array
        for array in candidates
        if gradients[id(array)] is not None
        or (convention_known and is_trained(array.word) and not is_frozen(array.accessor.owner))
    ]
    if not likely or not effects.is_steady:
        return  # nothing can be seen through so much noise
    for array in effects.those(likely, OF_ATTRIBUTE):
        own = gradients[id(array)]
        reader = nothing if own is None else own.read
        found.parameters[array.name] = Parameter(array.name, array.accessor, reader, False)


def _own(
    attribute: ArrayAttribute, candidates: Sequence[ArrayAttribute], unpaired: Sequence[Shaped]
) -> ArrayAttribute | None:
    """Return the gradient that by its shape can only be that of ``attribute``."""
    mine = (attribute.part, np.shape(attribute.array))
    alike = [gradient for gradient, shape in unpaired if (gradient.part, shape) == mine]
    rivals = [rival for rival in candidates if (rival.part, np.shape(rival.array)) == mine]
    return alike[0] if len(alike) == 1 == len(rivals) else None


def is_frozen(owner: object) -> bool:
    """Whether an object says of what it keeps that it is not trained."""
    return (
        getattr(owner, "trainable", True) is False
        or getattr(owner, "requires_grad", True) is False
        or getattr(owner, "frozen", False) is True
    )
