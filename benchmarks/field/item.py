"""An object of a public package: how a user passes it to `check`, and what is true of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

RIGHT = "right"
WRONG = "wrong"
UNDECIDABLE = "undecidable"  # a kink at the point, a convention that nobody states

HALVES = ("look", "unseen")


@dataclass(frozen=True)
class Reading:
    """Forward and gradients of an object, as its documentation says they are called.

    Attributes
    ----------
    forward
        Returns the output at what the tensors hold now.
    gradients
        Takes a cotangent of the output, returns the claimed gradients, one for each tensor.
    tensors
        The arrays themselves, which the comparison moves in place.
    single
        Whether the forward rounds to float32 inside.
    """

    forward: Callable[[], Any]
    gradients: Callable[[Any], Sequence[Any]]
    tensors: Sequence[np.ndarray]
    single: bool = False


@dataclass(frozen=True)
class Item:
    """One object.

    Attributes
    ----------
    name
        Of the object, within its package.
    make
        Returns the thing and its inputs, as a user would pass them to `check`, without help.
    read
        Takes what ``make`` returned; used by the comparison alone, never by `check`.
    backward
        The functions of the backward pass, ``module:qualified.name``, in which slips are made;
        none where they are not plain Python.
    truth
        `RIGHT`, `WRONG` or `UNDECIDABLE`; the comparison has to agree.
    line
        Of a wrong one, text of the line to change, in one of the functions of ``backward``;
        several texts where either of several lines can be changed.
    names
        What the bug may be called; empty where no name of the catalogue is implied.
    kind
        ``"gradient"``, or ``"jacobian"`` for pairs of residuals and Jacobians, counted apart.
    """

    name: str
    make: Callable[[], tuple[Any, ...]]
    read: Callable[..., Reading]
    backward: tuple[str, ...] = ()
    truth: str = RIGHT
    line: str | tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    kind: str = "gradient"


@dataclass(frozen=True)
class Package:
    """A package of PyPI and its objects; ``needs`` is installed with it."""

    requirement: str
    items: tuple[Item, ...]
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the name without the version."""
        return self.requirement.partition("==")[0]


def half(package: str, name: str) -> str:
    """Return the half of the list that an object is in, for good."""
    digest = hashlib.sha256(f"{package}/{name}".encode()).digest()
    return HALVES[digest[0] % 2]
