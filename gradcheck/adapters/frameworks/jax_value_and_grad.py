"""Functions of JAX that return their gradient beside their value, as of ``value_and_grad``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.signatures.methods import name_of
from gradcheck.adapters.signatures.name_tables import words_of

GRADIENT_WORDS = frozenset({"grad", "grads", "gradient", "gradients"})


def says_gradient(thing: Any) -> bool:
    """Whether a function says to return a gradient: by a name, or in its first line of words."""
    words = (getattr(thing, "__doc__", None) or "").split("\n")[0]
    return any(
        GRADIENT_WORDS.intersection(words_of(said))
        for said in (name_of(thing), type(thing).__name__, words)
    )


def gradients_of(
    raw: Any, arguments: Sequence[str], floats: Mapping[str, Array]
) -> tuple[str, ...]:
    """Return the leaves of which ``raw`` holds the gradients, beside one number; else none.

    They are those of the first argument, or of all.
    """
    import jax

    if not (isinstance(raw, tuple) and len(raw) == 2 and np.shape(raw[0]) == ()):
        return ()
    shapes = [np.shape(leaf) for leaf in jax.tree_util.tree_leaves(raw[1])]
    of_first = tuple(name for name in floats if name.startswith(arguments[0]))
    for names in (of_first, tuple(floats)):
        if shapes == [floats[name].shape for name in names]:
            return names
    return ()
