"""What is added to the parameters that a trial run shows, and what is none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.discovery.attributes import OF_ATTRIBUTE, ArrayAttribute
from gradcheck.adapters.discovery.effects import Effects
from gradcheck.adapters.discovery.parameters import Parameter, nothing
from gradcheck.adapters.discovery.trial_run import Found
from gradcheck.adapters.signatures.name_tables import gradient_stems, is_trained, stem
from gradcheck.values import TargetError


def take_given(
    found: Found,
    params: Any,
    pool: Sequence[ArrayAttribute],
    elsewhere: Sequence[ArrayAttribute],
    name: str,
) -> None:
    """Keep the parameters the user named, adding those whose gradient was not seen.

    What is kept ``elsewhere``, in a closure or a module, has the gradient of its name in ``pool``.

    Raises
    ------
    TargetError
        If the layer named ``name`` has no such parameter.
    """
    keyed = isinstance(params, Mapping)
    named = keyed or all(isinstance(item, str) for item in params)
    given: dict[Any, Any] = (
        dict(params) if keyed else dict.fromkeys(params) if named else dict(enumerate(params))
    )
    known, found.parameters = found.parameters, {}
    by_name = {attribute.name: attribute for attribute in pool}
    taken = {id(parameter.gradient()) for parameter in known.values()}
    free = [attribute for attribute in pool if id(attribute.read()) not in taken]
    for key, value in given.items():
        of_identity = (
            parameter
            for parameter in known.values()
            if parameter.accessor.get() is value is not None
        )
        parameter = known.get(key) or next(of_identity, None)
        attribute = by_name.get(key) or next(
            (attribute for attribute in pool if attribute.array is value is not None), None
        )
        if parameter is None and attribute is not None:
            parameter = Parameter(attribute.name, attribute.accessor, nothing, True)
        if parameter is None:
            parameter = _of_name(key, value, elsewhere, free)
        if parameter is None:
            raise TargetError(
                f"params names {key!r}, but {name} shows no gradient for it after backward; found "
                f"parameters: {sorted(known) or 'none'}"
            )
        found.parameters[parameter.name if not isinstance(key, str) else key] = parameter


def _of_name(
    key: Any, value: Any, elsewhere: Sequence[ArrayAttribute], pool: Sequence[ArrayAttribute]
) -> Parameter | None:
    """Return a parameter that no attribute keeps, with the gradient that goes by its name."""
    attribute = next(
        (s for s in elsewhere if s.array is value is not None or (value is None and s.name == key)),
        None,
    )
    if attribute is None:
        return None
    wanted, shape = stem(str(key)), np.shape(attribute.accessor.get())
    gradients = [g for g in pool if g.word and wanted in gradient_stems(g.word)]
    # "dweights" may be that of W, too: one that says the very name is closer, then one that fits
    gradients.sort(key=lambda g: (str(key) not in g.word, np.shape(g.read()) != shape))
    reader = gradients[0].read if gradients else nothing
    return Parameter(attribute.name, attribute.accessor, reader, True)


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
